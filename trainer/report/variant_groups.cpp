#include "trainer/report/variant_groups.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <set>

#include "trainer/results/config_keys.hpp"
#include "trainer/results/mechanism_record.hpp"

namespace trainer {
namespace {

using common::Json;

// What may differ between runs of one group: the draw, who computed it, and what was asked beside.
constexpr std::array<std::string_view, 14> k_not_the_experiment = {"seed",
                                                                   "git_commit",
                                                                   "torch_version",
                                                                   "arithmetic",
                                                                   "threads",
                                                                   "cuda",
                                                                   "safe_packs_version",
                                                                   "gate_comparison",
                                                                   "eval_audio_gate_comparison",
                                                                   k_beyond_stream,
                                                                   k_learning_curve,
                                                                   "train_eval_batches",
                                                                   "train_accuracy_interval",
                                                                   "train_accuracy_warmup"};
// The Python original's names of what config.json says again further down.
constexpr std::array<std::string_view, 9> k_said_again = {"variant",
                                                          "name",
                                                          "fisher_weight",
                                                          "retention_loss_weight",
                                                          "distillation_weight",
                                                          "enable_null_space",
                                                          "null_space_rank",
                                                          "null_space_min_samples",
                                                          "pack_name"};

constexpr const char *k_questions_leaf = "retention.questions",
                     *k_minimum_leaf = "retention.null_space.row_minimum";

using Leaves = std::map<std::string, std::string>;  // "retention.kl.weight" -> "0.1"

void collect_leaves(const Json& value, const std::string& path, Leaves& leaves) {
  if (!value.is_object()) {
    const bool is_digest = value.is_string() && common::parse_digest(value.get<std::string>()).has_value();
    leaves[path] = is_digest           ? value.get<std::string>().substr(0, 8)
                   : value.is_string() ? value.get<std::string>()
                   : value.is_null()   ? "none"
                                       : common::dump_line(value);
    return;
  }
  for (const auto& [key, member] : value.items())
    collect_leaves(member, path.empty() ? key : path + "." + key, leaves);
}

Json experiment_of(const Json& config) {
  Json experiment = config;
  for (const std::string_view key : k_not_the_experiment) experiment.erase(std::string(key));
  for (const std::string_view key : k_outside_digest) experiment.erase(std::string(key));
  // Which run was judged again differs from seed to seed.
  if (experiment.contains("evaluated_run")) experiment["evaluated_run"] = "judged again";
  return experiment;
}

// The variant, where what is switched on is what its name promises.
std::string title_of(const RunSummary& run) {
  // Whoever named a configuration knows what it is for.
  if (run.config.contains("name") && run.config.at("name").is_string() &&
      run.config.at("name") != run.variant)
    return run.config.at("name").get<std::string>();
  if (!run.config.contains("retention") || !run.config.at("retention").is_object()) return run.variant;
  std::string keys, titles;
  for (const MechanismRecord& mechanism : mechanisms_in(run.config)) {
    keys += (keys.empty() ? "" : ",") + mechanism.key;
    titles += (titles.empty() ? "" : " + ") + mechanism.title;
  }
  const std::map<std::string, std::string> promised = {
      {"no_retention", ""}, {"soft_retention", "kl,fisher"}, {"full_safe", "kl,fisher,null_space"}};
  const auto found = promised.find(run.variant);
  if (found == promised.end() || found->second == keys) return run.variant;
  return titles.empty() ? "nothing switched on" : titles;
}

// How a report calls a mechanism is no setting of it.
bool is_title(const std::string& path) { return path.starts_with("retention.") && path.ends_with(".title"); }

// "retention.kl.weight" -> "kl.weight", "retention.null_space.energy" -> "energy".
std::string short_name(std::string path) {
  for (const std::string_view prefix : {"retention.", "null_space."})
    if (path.starts_with(prefix)) path.erase(0, prefix.size());
  return path;
}

// What differs among `leaves`, said for the one at `index`.
std::string difference_text(const std::vector<Leaves>& leaves, std::size_t index) {
  std::set<std::string> paths;
  for (const Leaves& one : leaves)
    for (const auto& [path, value] : one) paths.insert(path);
  std::string text;
  for (const std::string& path : paths) {
    if (is_title(path) || std::find(k_said_again.begin(), k_said_again.end(), path) != k_said_again.end())
      continue;
    const auto value_in = [&](const Leaves& one) {
      const auto found = one.find(path);
      return found == one.end() ? std::string("-") : found->second;
    };
    const std::string own = value_in(leaves[index]);
    if (own == "-" ||
        std::all_of(leaves.begin(), leaves.end(), [&](const Leaves& one) { return value_in(one) == own; }))
      continue;
    text += (text.empty() ? "" : ", ") + short_name(path) + " " + own;
  }
  return text;
}

void name_groups(std::vector<VariantGroup>& groups, const std::vector<RunSummary>& runs) {
  std::map<std::string, std::vector<std::size_t>> by_title;
  for (std::size_t g = 0; g < groups.size(); ++g)
    by_title[title_of(runs[groups[g].runs.front()])].push_back(g);
  for (const auto& [title, members] : by_title) {
    std::vector<Leaves> leaves(members.size());
    for (std::size_t m = 0; m < members.size(); ++m)
      collect_leaves(experiment_of(runs[groups[members[m]].runs.front()].config), "", leaves[m]);
    for (std::size_t m = 0; m < members.size(); ++m) {
      VariantGroup& group = groups[members[m]];
      const std::string difference = difference_text(leaves, m);
      group.label = difference.empty() ? title : title + " (" + difference + ")";
    }
  }
  // Repetitions: only their folders tell them apart.
  std::map<std::string, int> uses;
  for (const VariantGroup& group : groups) ++uses[group.label];
  for (VariantGroup& group : groups)
    if (uses[group.label] > 1) group.label += " [" + runs[group.runs.front()].name + "]";
}

// A number of the mechanisms or of their stream, where `text` is one; all questions of a pack, which
// config.json calls 0, are more than any number of them.
std::optional<double> number_of(const std::string& path, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size()) return std::nullopt;
  return path == k_questions_leaf && value == 0 ? std::numeric_limits<double>::infinity() : value;
}

// All but the mechanisms.
Json experiment_without_mechanisms(const Json& config) {
  Json experiment = experiment_of(config);
  for (const std::string_view key : k_said_again) experiment.erase(std::string(key));
  experiment.erase("null_space_refresh_interval");
  // What is under "retention" and is an object, or null, is a mechanism; the rest is the stream of questions.
  if (experiment.contains("retention") && experiment.at("retention").is_object()) {
    Json rest = Json::object();
    for (const auto& [key, value] : experiment.at("retention").items())
      if (!value.is_object() && !value.is_null()) rest[key] = value;
    experiment["retention"] = rest;
  }
  return experiment;
}

}  // namespace

std::string rest_of(const common::Json& config) { return common::dump_line(experiment_of(config)); }

bool adds_one_mechanism(const RunSummary& first, const RunSummary& second) {
  for (const RunSummary* run : {&first, &second})
    if (!run->config.contains("retention") || !run->config.at("retention").is_object()) return false;
  const std::vector<MechanismRecord> before = mechanisms_in(first.config),
                                     after = mechanisms_in(second.config);
  const auto is_kept = [&](const MechanismRecord& mechanism) {
    return std::any_of(after.begin(), after.end(), [&](const MechanismRecord& other) {
      return other.key == mechanism.key && other.settings == mechanism.settings;
    });
  };
  return after.size() == before.size() + 1 && std::all_of(before.begin(), before.end(), is_kept) &&
         experiment_without_mechanisms(first.config) == experiment_without_mechanisms(second.config);
}

std::optional<NumberChange> change_of_one_number(const RunSummary& first, const RunSummary& second) {
  Leaves before, after;
  collect_leaves(experiment_of(first.config), "", before);
  collect_leaves(experiment_of(second.config), "", after);
  if (before.size() != after.size()) return std::nullopt;
  std::optional<NumberChange> change;
  for (auto a = before.begin(), b = after.begin(); a != before.end(); ++a, ++b) {
    if (a->first != b->first) return std::nullopt;
    const std::string& path = a->first;
    const bool is_said_again =
        std::find(k_said_again.begin(), k_said_again.end(), path) != k_said_again.end();
    if (a->second == b->second || is_said_again || is_title(path) || path == k_minimum_leaf) continue;
    const std::optional<double> from = number_of(path, a->second), to = number_of(path, b->second);
    if (change || !path.starts_with("retention.") || !from || !to) return std::nullopt;
    change = NumberChange{path, *from, *to};
  }
  return change;
}

std::map<std::string, std::set<std::string>> settings_beside_mechanisms(const std::vector<RunSummary>& runs) {
  std::map<std::string, std::set<std::string>> values;
  std::vector<Leaves> leaves(runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r) {
    collect_leaves(experiment_without_mechanisms(runs[r].config), "", leaves[r]);
    for (const auto& [path, value] : leaves[r]) values[path];
  }
  for (auto& [path, of_runs] : values)
    for (const Leaves& one : leaves) {
      const auto found = one.find(path);
      of_runs.insert(found == one.end() ? "-" : found->second);
    }
  values.erase(k_questions_leaf);
  std::erase_if(values, [](const auto& setting) { return setting.second.size() < 2; });
  return values;
}

std::vector<VariantGroup> group_runs(const std::vector<RunSummary>& runs) {
  std::vector<VariantGroup> groups;
  std::vector<std::string> keys;
  const auto has_seed = [&](const VariantGroup& group, std::optional<std::int64_t> seed) {
    return std::any_of(group.runs.begin(), group.runs.end(),
                       [&](std::size_t r) { return runs[r].seed == seed; });
  };
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const std::string key = rest_of(runs[r].config);
    std::size_t g = 0;
    while (g < groups.size() && (keys[g] != key || has_seed(groups[g], runs[r].seed))) ++g;
    if (g == groups.size()) {
      groups.push_back({});
      groups.back().variant = runs[r].variant;
      groups.back().pack_id = runs[r].pack_id;
      groups.back().base_digest = runs[r].base_digest;
      keys.push_back(key);
    }
    groups[g].runs.push_back(r);
  }
  for (VariantGroup& group : groups)
    std::stable_sort(group.runs.begin(), group.runs.end(),
                     [&](std::size_t a, std::size_t b) { return runs[a].seed < runs[b].seed; });
  name_groups(groups, runs);
  return groups;
}

}  // namespace trainer
