// The one list of retention mechanisms. Each is a file pair of this folder that has all of it: options and
// their flags, what config.json says, what it needs, its term, and what metrics.json says. A report reads
// name, title and settings from the run's own files, so that it knows every mechanism without this list.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "common/cli/verb.hpp"
#include "common/json.hpp"
#include "trainer/retention/fisher.hpp"
#include "trainer/retention/kl.hpp"
#include "trainer/retention/l2_sp.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/retention/mechanism_needs.hpp"
#include "trainer/retention/null_space.hpp"
#include "trainer/retention/replay.hpp"
#include "trainer/retention/start_average.hpp"

namespace trainer {

template <typename... Options>
struct MechanismList {
  using Values = std::tuple<Options...>;
  using Flags = std::tuple<typename Options::Flags...>;
};

// In the order of history.jsonl's columns. To add a mechanism is to add its file pair and its name here.
using MechanismTable = MechanismList<KlOptions, FisherOptions, NullSpaceOptions, L2SpOptions, ReplayOptions,
                                     StartAverageOptions>;

using MechanismFlags = MechanismTable::Flags;

// What a run switches on. Each mechanism can also be switched alone, by its flag.
struct RetentionConfig {
  MechanismTable::Values mechanisms;
  std::int64_t batch_size = 16;  // questions a step
  std::int64_t questions = 0;    // drawn from the pack's; 0: all

  template <typename Options>
  [[nodiscard]] Options& of() {
    return std::get<Options>(mechanisms);
  }
  template <typename Options>
  [[nodiscard]] const Options& of() const {
    return std::get<Options>(mechanisms);
  }
};

// The mechanisms and weights of a variant. Sources of the weights: README, "The recipe".
[[nodiscard]] RetentionConfig preset_of(const std::string& variant);

// `flags` outlives the verb.
void add_mechanism_flags(common::Verb& verb, MechanismFlags& flags);
void apply(const MechanismFlags& flags, RetentionConfig& config);

// An object a mechanism, its title and its settings; null where it is off.
[[nodiscard]] common::Json to_json(const RetentionConfig& config);

// Of those that are on.
struct MechanismEntry {
  const char *title, *switch_off;  // "KL", "--kl-weight 0"
  MechanismNeeds needs;
};
// `batch`: questions that a step asks.
[[nodiscard]] std::vector<MechanismEntry> mechanisms_on(const RetentionConfig& config, std::int64_t batch);
[[nodiscard]] bool any_on(const RetentionConfig& config);
[[nodiscard]] Mechanisms make_mechanisms(const RetentionConfig& config, std::int64_t seed);

}  // namespace trainer
