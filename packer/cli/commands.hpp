// The verbs of safe-packer. Each is added to the program with its flags; parsing touches no file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/cli/program.hpp"
#include "common/digest.hpp"

namespace packer {

void add_build(common::Program& program);
void add_archive(common::Program& program);
void add_extract(common::Program& program);
void add_verify(common::Program& program);
void add_list(common::Program& program);
void add_leaks(common::Program& program);
void add_repair(common::Program& program);
void add_show(common::Program& program);
void add_diff(common::Program& program);
void add_export(common::Program& program);
void add_synthesize(common::Program& program);
void add_keygen(common::Program& program);
void add_sign(common::Program& program);

// --expect and --trust: what the user knows about a pack from elsewhere.
struct TrustFlags {
  std::optional<common::Digest> expected_id;
  std::optional<std::filesystem::path> trusted_key;
  // Behind "consistent" or "extracted": by what the pack was identified, or that it was not.
  [[nodiscard]] std::string who_signed() const;
};
void add_trust_flags(common::Verb& verb, TrustFlags& flags);

// The result of a verb that made or found a pack or an archive: "<id>  <path>", or an object.
void print_pack(const common::CommonFlags& flags, const common::Digest& id, const std::string& path);
// The result of a verb that made something else: its path.
void print_path(const common::CommonFlags& flags, const std::string& path);

// Words about exit codes that several verbs share.
inline constexpr const char* k_io = "I/O error: missing, unreadable, or no space left";
inline constexpr const char* k_damaged = "the pack is damaged or malformed, or is not the expected one";
inline constexpr const char* k_unsigned = "--trust was given, and the signature is absent or wrong";
inline constexpr const char* k_interrupted = "interrupted; the same command goes on";

}  // namespace packer
