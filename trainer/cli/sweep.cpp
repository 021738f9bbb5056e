#include "trainer/cli/sweep.hpp"

#include <optional>
#include <set>

#include "common/error.hpp"
#include "common/json.hpp"

namespace trainer {
namespace {

using common::Error;
using common::ErrorKind;
using common::Json;

constexpr std::uint64_t k_sweep_limit_bytes = std::uint64_t{1} << 20;

// Flag without its dashes -> value; nothing for a flag that stands alone.
using Flags = std::map<std::string, std::optional<std::string>>;

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::format, where + " " + what + "; see safe-trainer sweep --help");
}

void add_flag(Flags& flags, const std::string& key, const Json& value, const std::string& where) {
  if (key == "seed" || key == "resume")
    refuse(where, "sets \"" + key + "\", which the sweep decides (\"seeds\" lists the seeds)");
  if (value.is_string())
    flags[key] = value.get<std::string>();
  else if (value.is_number())
    flags[key] = value.dump();
  else if (value.is_boolean() && value.get<bool>())
    flags[key] = std::nullopt;
  else
    refuse(where, "gives \"" + key + "\" neither a text, a number nor true");
}

void add_flags(Flags& flags, const Json& object, const std::string& where) {
  if (!object.is_object()) refuse(where, "is not an object of flags");
  for (const auto& entry : object.items()) add_flag(flags, entry.key(), entry.value(), where);
}

// Through the parser of `run`, so that a sweep accepts what `run` accepts and says what it says.
RunConfig resolve_flags(const Flags& flags, const std::string& where) {
  common::Verb verb({"run", "", {}, {}});
  RunFlags run;
  add_run_flags(verb, run);
  std::vector<std::string> words;
  for (const auto& [key, value] : flags) words.push_back("--" + key + (value ? "=" + *value : ""));
  try {
    verb.parse(words);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, where + ": " + error.what());
  }
  return resolve(run);
}

std::vector<std::int64_t> read_seeds(const Json& sweep, const std::string& where) {
  std::vector<std::int64_t> seeds;
  for (const Json& seed : common::array_member(sweep, "seeds", where)) {
    if (!seed.is_number_integer()) refuse(where, "has a seed that is no integer");
    seeds.push_back(seed.get<std::int64_t>());
  }
  if (seeds.empty()) refuse(where, "names no seed");
  return seeds;
}

}  // namespace

std::vector<SweepRun> read_sweep(const std::filesystem::path& path,
                                 const std::map<std::string, std::string>& overrides) {
  const std::string where = path.string();
  const Json sweep = common::read_json(path, k_sweep_limit_bytes);
  if (!sweep.is_object()) refuse(where, "is not an object");
  for (const auto& entry : sweep.items())
    if (entry.key() != "run" && entry.key() != "seeds" && entry.key() != "conditions")
      refuse(where, "has the unknown key \"" + entry.key() + "\"");
  Flags common_flags;
  if (sweep.contains("run")) add_flags(common_flags, sweep.at("run"), where + ": run");
  const std::vector<std::int64_t> seeds = read_seeds(sweep, where);
  std::vector<SweepRun> runs;
  for (const std::int64_t seed : seeds) {
    std::set<std::string> names;
    for (const Json& condition : common::array_member(sweep, "conditions", where)) {
      const std::string name = common::string_member(condition, "name", where + ": a condition");
      const std::string place = where + ": " + name;
      if (!names.insert(name).second) refuse(place, "is a duplicate name");
      Flags flags = common_flags;
      add_flags(flags, condition, place);
      for (const auto& [key, value] : overrides) flags[key] = value;
      flags["seed"] = std::to_string(seed);
      runs.push_back({name, seed, resolve_flags(flags, place)});
    }
  }
  if (runs.empty()) refuse(where, "names no condition");
  return runs;
}

}  // namespace trainer
