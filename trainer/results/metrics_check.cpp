#include "trainer/results/metrics_check.hpp"

#include <algorithm>
#include <cmath>

#include "trainer/results/mechanism_record.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/summary.hpp"

namespace trainer {
namespace {

using common::Json;

constexpr const char* k_metrics_file = "metrics.json";

void find(common::Findings& findings, const std::string& what) {
  findings.push_back({k_metrics_file, "R5", what});
}

// Logarithms and exponentials differ between C libraries in the last digit; sums and quotients do not.
bool has_logarithms(const std::string& path) {
  return path.find("bleu") != std::string::npos || path.find("cide") != std::string::npos;
}

bool equal_numbers(const Json& a, const Json& b, const std::string& path) {
  if (common::dump_line(a) == common::dump_line(b)) return true;
  if (!has_logarithms(path) || !a.is_number() || !b.is_number()) return false;
  const double first = a.get<double>(), second = b.get<double>();
  return std::abs(first - second) <= 1e-12 * std::max(std::abs(first), std::abs(second));
}

// Every leaf of `found` that is not what follows.
void compare(const Json& found, const Json& expected, const std::string& path, common::Findings& findings) {
  const auto inside = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (found.is_object() && expected.is_object()) {
    for (const auto& [key, value] : found.items())
      if (!expected.contains(key)) find(findings, inside(key) + " is no key of this file");
    for (const auto& [key, value] : expected.items()) {
      if (!found.contains(key))
        find(findings, inside(key) + " is missing; " + common::dump_line(value) + " follows");
      else
        compare(found.at(key), value, inside(key), findings);
    }
  } else if (!equal_numbers(found, expected, path)) {
    find(findings, path + " is " + common::dump_line(found) + "; " + common::dump_line(expected) +
                       " follows from the other files");
  }
}

void check_presence(const char* name, bool found, bool expected, common::Findings& findings) {
  if (found != expected)
    find(findings, std::string(name) + (found ? " has a value" : " has no value") +
                       ", and config.json says that the mechanism is " + (expected ? "on" : "off"));
}

void check_bounds(const NullSpaceMetrics& space, std::size_t at, common::Findings& findings) {
  constexpr double k_rounding = 1e-6;
  const std::string where = "null_space[" + std::to_string(at) + "].";
  if (space.rank < 0 || space.width < 0 || space.rows < 0 || (space.width > 0 && space.rank > space.width))
    find(findings, where +
                       "rank, width and rows cannot be so: a subspace has at most as many dimensions as "
                       "the map is wide");
  for (const auto& [name, value] : {std::pair("energy", space.energy), std::pair("leak", space.leak)})
    if (value && (*value < 0 || *value > 1 + k_rounding))
      find(findings, where + name + " is " + common::dump_line(*value) + "; a share is between 0 and 1");
  for (const auto& [name, value] :
       {std::pair("certificate", space.certificate), std::pair("measured_drift", space.measured_drift)})
    if (value && *value < 0)
      find(findings, where + name + " is " + common::dump_line(*value) + "; a norm is never below 0");
}

void check_opening(const GateOpening& opening, const std::string& where, common::Findings& findings) {
  constexpr double k_rounding = 1e-6;
  if (opening.rms && *opening.rms < 0)
    find(findings, where + "rms is " + common::dump_line(*opening.rms) + "; it is never below 0");
  for (const auto& [name, value] : {std::pair("mean", opening.mean), std::pair("outside", opening.outside)})
    if (value && (*value < 0 || *value > 1 + k_rounding))
      find(findings, where + name + " is " + common::dump_line(*value) + "; a share is between 0 and 1");
}

void note_tensors(const Metrics& metrics, std::vector<std::string>& not_derived) {
  std::string names;
  const auto add = [&](bool is_there, const char* name) {
    if (is_there) names += (names.empty() ? "" : ", ") + std::string(name);
  };
  add(!metrics.null_space.empty(), "null_space");
  add(!metrics.gate.empty(), "gate");
  add(std::any_of(metrics.mechanisms.begin(), metrics.mechanisms.end(),
                  [](const auto& one) { return !one.second.measured.empty(); }),
      "mechanisms' measured");
  add(metrics.fisher_trace.has_value(), "fisher_trace");
  add(metrics.validation.fisher_loss.has_value(), "fisher_loss");
  add(metrics.bit_equal_without_audio.has_value(), "bit_equal_without_audio");
  if (!names.empty())
    not_derived.push_back("metrics.json: " + names + ": only the tensors show them; train again to compare");
}

}  // namespace

void check_metrics(const Json& found, const MetricsSources& sources, common::Findings& findings,
                   std::vector<std::string>& not_derived) {
  const Metrics said = metrics_from_json(found, k_metrics_file);
  const Json& config = sources.config;
  // An evaluation of an earlier run measures answers alone.
  const bool trained = !config.contains("evaluated_run");
  Metrics expected;
  expected.validation = summarise(sources.predictions, "validation");
  const bool has_training = std::any_of(sources.predictions.begin(), sources.predictions.end(),
                                        [](const Prediction& item) { return item.split == "training"; });
  if (has_training) expected.training = summarise(sources.predictions, "training");
  if (trained) {
    for (const Json& record : sources.history) count_activity(expected.mechanisms, record);
    for (auto& [name, mechanism] : expected.mechanisms)
      if (const auto stated = said.mechanisms.find(name); stated != said.mechanisms.end())
        mechanism.measured = stated->second.measured;
    expected.validation.fisher_loss = said.validation.fisher_loss;
    fill_losses(expected, kl_weight_of(config));
  }
  expected.bit_equal_without_audio = said.bit_equal_without_audio;
  expected.null_space = said.null_space;
  expected.gate = said.gate;
  expected.fisher_trace = said.fisher_trace;
  if (config.contains("retention")) {
    const bool fisher = trained && has_mechanism(config, "fisher");
    check_presence("fisher_trace", said.fisher_trace.has_value(), fisher, findings);
    check_presence("validation.fisher_loss", said.validation.fisher_loss.has_value(), fisher, findings);
    check_presence("null_space", !said.null_space.empty(), trained && has_mechanism(config, "null_space"),
                   findings);
  }
  const bool asked =
      std::any_of(sources.predictions.begin(), sources.predictions.end(), [](const Prediction& item) {
        return item.kind == PredictionKind::vl && item.condition == condition::k_no_audio;
      });
  if (asked && !said.bit_equal_without_audio)
    find(findings, "bit_equal_without_audio is null, and questions were asked without audio");
  for (const auto& [name, value] :
       {std::pair("fisher_trace", said.fisher_trace), std::pair("fisher_loss", said.validation.fisher_loss)})
    if (value && *value < 0)
      find(findings, std::string(name) + " is " + common::dump_line(*value) + "; it is never below 0");
  for (std::size_t i = 0; i < said.null_space.size(); ++i) check_bounds(said.null_space[i], i, findings);
  for (std::size_t i = 0; i < said.gate.size(); ++i) {
    const std::string where = "gate[" + std::to_string(i) + "].";
    check_opening(said.gate[i].retention, where + "retention.", findings);
    check_opening(said.gate[i].audio, where + "audio.", findings);
  }
  compare(found, to_json(expected), "", findings);
  note_tensors(said, not_derived);
}

}  // namespace trainer
