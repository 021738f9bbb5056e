// The verbs of safe-packer. Each registers its flags on the program and gives back what to run once they have
// been parsed; parsing touches no file.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "common/digest.hpp"
#include "common/progress.hpp"

namespace packer {

// Flags that every verb takes.
struct CommonFlags {
  unsigned threads = 0;
  bool quiet = false;
  bool json = false;
  [[nodiscard]] common::Verbosity verbosity() const {
    return quiet ? common::Verbosity::quiet : common::Verbosity::normal;
  }
};

// Runs the verb that was chosen; its exit code.
using Command = std::function<int()>;

void add_build(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_archive(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_extract(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_verify(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_list(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_repair(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_show(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_diff(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_export(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_synthesize(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_keygen(CLI::App& app, CommonFlags& flags, Command& chosen);
void add_sign(CLI::App& app, CommonFlags& flags, Command& chosen);

// --threads, --quiet, and --json where the verb has something for machines.
void add_common_flags(CLI::App& verb, CommonFlags& flags);
void add_json_flag(CLI::App& verb, CommonFlags& flags);

// --expect and --trust: what the user knows about a pack from elsewhere.
struct TrustFlags {
  std::string expect, trust;
  // The value of --expect: a usage error unless it is 64 lower-case hexadecimal digits, or empty.
  [[nodiscard]] std::optional<common::Digest> expected_id() const;
  [[nodiscard]] std::optional<std::filesystem::path> trusted_key() const;
  // Behind "consistent" or "extracted": who vouches for the pack, or that nobody does.
  [[nodiscard]] std::string who_vouches() const;
};
void add_trust_flags(CLI::App& verb, TrustFlags& flags);

}  // namespace packer
