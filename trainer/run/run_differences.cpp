#include "trainer/run/run_differences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "common/error.hpp"
#include "common/terminal.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/run_directory.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Json;

constexpr std::uint64_t k_config_limit_bytes = std::uint64_t{1} << 20;

// Follows from the rest, or says where a run lies and how far it came.
bool is_setting(const std::string& key) {
  return std::find(k_outside_digest.begin(), k_outside_digest.end(), key) == k_outside_digest.end();
}

std::string text_of(const Json& config, const std::string& key) {
  return config.contains(key) ? common::dump_line(config.at(key)) : "not set";
}

// A config.json that cannot be read is no run to compare with.
std::optional<Json> read_config(const fs::path& run) {
  std::error_code ignored;
  if (!fs::is_regular_file(run / "config.json", ignored)) return std::nullopt;
  try {
    return common::read_json(run / "config.json", k_config_limit_bytes);
  } catch (const common::Error&) {
    return std::nullopt;
  }
}

bool is_alike(const Json& there, const Json& here) {
  for (const char* key : {"variant", "name", "seed"})
    if (text_of(there, key) != text_of(here, key)) return false;
  return !there.contains("evaluated_run");
}

}  // namespace

std::string differences(const Json& there, const Json& here) {
  std::set<std::string> keys;
  for (const Json* config : {&there, &here})
    for (const auto& member : config->items())
      if (is_setting(member.key())) keys.insert(member.key());
  std::string text;
  for (const std::string& key : keys)
    if (const std::string a = text_of(there, key), b = text_of(here, key); a != b)
      text += fmt::format("{}{}: {} there, {} here", text.empty() ? "" : "; ", key, a, b);
  return text;
}

namespace {

// Not by the way: whoever resumes on another machine would get a run of another type without having asked.
void refuse_other_type(const std::string& run, const Json& there, const Json& here) {
  constexpr const char* k_key = "dtype";
  if (!there.contains(k_key) || !there.at(k_key).is_string() || there.at(k_key) == here.at(k_key)) return;
  const auto type = there.at(k_key).get<std::string>();
  throw common::Error(common::ErrorKind::mismatch,
                      fmt::format("{} was begun in {} and this run would go on in {}; give --dtype {}, or "
                                  "start again without --resume",
                                  run, type, here.at(k_key).get<std::string>(), type));
}

// Its last bits would be neither processor's.
void refuse_other_arithmetic(const std::string& run, const Json& there, const Json& here) {
  if (!there.contains(k_arithmetic) || there.at(k_arithmetic) == here.at(k_arithmetic)) return;
  throw common::Error(
      common::ErrorKind::mismatch,
      fmt::format(
          "{} was computed by the kernels {}, and here they are {}; go on with the same --arithmetic, on "
          "such a processor if it is native, or start again without --resume",
          run, text_of(there, k_arithmetic), text_of(here, k_arithmetic)));
}

// Tensors have the same names and shapes with either gate, so the file of a checkpoint would not show it.
void refuse_other_gate(const fs::path& run, const Json& there) {
  if (!there.contains("fusion") || !there.at("fusion").is_object() || is_finished(run) ||
      has_this_gate(there.at("fusion")))
    return;
  const std::string commit = there.contains("git_commit") && there.at("git_commit").is_string()
                                 ? there.at("git_commit").get<std::string>()
                                 : "that it names";
  throw common::Error(common::ErrorKind::mismatch,
                      fmt::format("{} was begun with the gate after the output map, and this program has it "
                                  "before ({}.{}); finish it with the program of commit {}, or start again "
                                  "without --resume",
                                  run.string(), "fusion", k_gate_place, commit));
}

}  // namespace

void say_what_differs(const RunConfig& config, const Json& record) {
  std::error_code ignored;
  if (!fs::is_directory(config.output_root, ignored)) return;
  // Names begin with the time, so the last by name is the newest.
  std::set<fs::path> runs;
  for (const fs::directory_entry& entry : fs::directory_iterator(config.output_root, ignored))
    if (entry.path().filename().string().front() != '.') runs.insert(entry.path());
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    const std::optional<Json> there = read_config(*run);
    if (!there || !is_alike(*there, record)) continue;
    refuse_other_type(run->string(), *there, record);
    refuse_other_arithmetic(run->string(), *there, record);
    refuse_other_gate(*run, *there);
    const std::string text = differences(*there, record);
    if (config.verbosity == common::Verbosity::quiet) return;
    common::print_line(
        stderr, fmt::format("no run of this configuration to resume: {} differs ({}); starting a new run",
                            run->string(), text.empty() ? "in nothing that config.json has" : text));
    return;
  }
}

}  // namespace trainer
