// Peers from PyPI. SAFE_PEER_PYTHON names a Python that has them; without one a test says so and passes,
// unless SAFE_PEERS=required.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

namespace support {

// `what` is what the test needs, for the message.
inline std::optional<std::string> peer_python(const std::string& what) {
  if (const char* python = std::getenv("SAFE_PEER_PYTHON")) return python;
  const char* peers = std::getenv("SAFE_PEERS");
  REQUIRE_MESSAGE((peers == nullptr || std::strcmp(peers, "required") != 0),
                  "SAFE_PEER_PYTHON names no Python");
  MESSAGE("skipped: SAFE_PEER_PYTHON names no Python with " << what);
  return std::nullopt;
}

}  // namespace support
