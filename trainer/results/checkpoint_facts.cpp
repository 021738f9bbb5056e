#include "trainer/results/checkpoint_facts.hpp"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "common/error.hpp"

namespace trainer {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw common::Error(common::ErrorKind::mismatch,
                      fmt::format("{}: {} in its metadata; start again without --resume", path, why));
}

const std::string& text_in(const std::map<std::string, std::string>& metadata, const char* key,
                           const std::string& path) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) refuse(path, fmt::format("there is no \"{}\"", key));
  return found->second;
}

// In decimal digits, as they are written.
std::int64_t number_in(const std::map<std::string, std::string>& metadata, const char* key,
                       const std::string& path) {
  const std::string& text = text_in(metadata, key, path);
  std::int64_t number = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < 0)
    refuse(path, fmt::format("\"{}\" is \"{}\" and not a whole number", key, text.substr(0, 40)));
  return number;
}

}  // namespace

std::map<std::string, std::string> format_checkpoint_facts(const CheckpointFacts& facts) {
  return {{"step", std::to_string(facts.step)},
          {"config_digest", facts.config_digest},
          {"history_bytes", std::to_string(facts.history_bytes)},
          {"history_sha256", facts.history_sha256}};
}

CheckpointFacts parse_checkpoint_facts(const std::map<std::string, std::string>& metadata,
                                       const std::string& path) {
  CheckpointFacts facts;
  facts.step = number_in(metadata, "step", path);
  facts.config_digest = text_in(metadata, "config_digest", path);
  facts.history_bytes = static_cast<std::uint64_t>(number_in(metadata, "history_bytes", path));
  facts.history_sha256 = text_in(metadata, "history_sha256", path);
  return facts;
}

}  // namespace trainer
