// Somebody edits a finished run and seals it again: SHA256SUMS is right, and still something contradicts the
// edit, or verify-run says that nothing in the run could.
#include <functional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/json.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/results/caption_metrics.hpp"
#include "trainer/results/run_check.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using common::Json;
namespace fs = std::filesystem;

namespace {

// Of the edits to the lines of predictions.jsonl, most of all there are: every one, under sanitizers each so
// many.
#if defined(SAFE_SANITIZED)
constexpr std::size_t k_step = 7;
#else
constexpr std::size_t k_step = 1;
#endif

const support::RunRecipe k_recipe = {
    .variant = "full_safe",
    .scores = {1, 0.3, 0.6, 0},
    .kl = 0.25,
    .token_f1 = {1, 0.5, 0},
    .unlike = {1, 0.3, 0},
    .sweep = {1, 0.9, 0.6, 0.3},
    .steps = 6,
    .null_space = NullSpaceMetrics{"gate", 1, 10, 96, 600, 0.99, 1e-7, 2e-6, 1e-6},
    .more_config = {{"name", "full_safe"},
                    {"retention",
                     {{"kl", {{"weight", 0.1}}},
                      {"fisher", {{"weight", 1.0}}},
                      {"null_space", {{"placement", "gate"}}}}}}};

std::string what_of(const common::Findings& findings) {
  std::string all;
  for (const common::Finding& finding : findings) all += common::describe(finding) + "\n";
  return all;
}

bool has_rule(const common::Findings& findings, const std::string& rule) {
  for (const common::Finding& finding : findings)
    if (finding.rule == rule) return true;
  return false;
}

// A run that is made once; each edit is undone, and the next one seals it.
class Victim {
 public:
  Victim() : run_(support::make_run(scratch_.path(), k_recipe)) {}
  [[nodiscard]] const fs::path& run() const { return run_; }
  [[nodiscard]] std::string text(const std::string& file) const { return support::text_of_file(run_ / file); }
  // What verify-run finds when `file` holds `text` and the run was sealed again.
  [[nodiscard]] common::Findings findings_with(const std::string& file, const std::string& edited) const {
    const std::string before = text(file);
    support::put_file(run_ / file, edited);
    reseal();
    common::Findings findings;
    CHECK_NOTHROW(findings = verify_run(run_).findings);
    support::put_file(run_ / file, before);
    return findings;
  }
  void reseal() const {
    fs::remove(run_ / common::k_seal_name);
    seal_run(run_);
  }

 private:
  support::Scratch scratch_;
  fs::path run_;
};

// Every leaf of a document, by its JSON pointer.
void collect_leaves(const Json& value, const Json::json_pointer& path,
                    std::vector<Json::json_pointer>& leaves) {
  if (value.is_structured() && !value.empty()) {
    if (value.is_object())
      for (const auto& [key, member] : value.items()) collect_leaves(member, path / key, leaves);
    else
      for (std::size_t i = 0; i < value.size(); ++i) collect_leaves(value[i], path / i, leaves);
    return;
  }
  leaves.push_back(path);
}

std::vector<Json::json_pointer> leaves_of(const Json& value) {
  std::vector<Json::json_pointer> leaves;
  collect_leaves(value, Json::json_pointer(), leaves);
  return leaves;
}

// Another value of the same type.
Json other_than(const Json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>() + 1;
  if (value.is_number()) return value.get<double>() + 0.0009765625;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_string()) return value.get<std::string>() + "x";
  if (value.is_null()) return 0.5;
  return Json::array({"x"});
}

Json edited(const Json& document, const Json::json_pointer& leaf) {
  Json copy = document;
  copy[leaf] = other_than(document.at(leaf));
  return copy;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

double token_f1_of(const Json& line, const Json::json_pointer& said) {
  return token_f1({line.at(said).get<std::string>(), line["references"].get<std::vector<std::string>>()});
}

std::string with_line(std::vector<std::string> lines, std::size_t at, const Json& line) {
  lines[at] = common::dump_line(line);
  std::string text;
  for (const std::string& one : lines) text += one + "\n";
  return text;
}

}  // namespace

TEST_CASE("a run that nobody edited has no finding, and says what it cannot derive") {
  const Victim victim;
  const RunCheck check = verify_run(victim.run());
  CHECK(what_of(check.findings) == "");
  CHECK(check.digest == common::digest_file(victim.run() / common::k_seal_name).digest);
  CHECK(check.not_derived.size() >= 4);
}

TEST_CASE("a set of questions cannot be left out of a run, nor one asked that config.json does not have") {
  const Victim victim;
  for (const char* set : {"instruction_moved:", "no_picture:"}) {
    CAPTURE(set);
    std::string rest;
    for (const std::string& line : lines_of(victim.text("predictions.jsonl")))
      if (line.find(set) == std::string::npos) rest += line + "\n";
    const std::string what = what_of(victim.findings_with("predictions.jsonl", rest));
    CHECK(what.find(std::string("config.json says that questions were asked under ") + set) !=
          std::string::npos);
  }
  Json config = common::parse_json(victim.text("config.json"), "config.json");
  config.erase(k_beyond_stream);
  CHECK(what_of(victim.findings_with("config.json", common::dump_pretty(config)))
            .find("config.json says that questions were not asked under unlike:distractor_memorised") !=
        std::string::npos);
}

TEST_CASE("no leaf of metrics.json can be changed, but for those that verify-run names as underivable") {
  const Victim victim;
  const Json metrics = common::parse_json(victim.text("metrics.json"), "metrics.json");
  // Of the tensors alone; the losses that hold the penalty follow from it.
  const std::vector<std::string> of_tensors = {
      "/null_space/0/map",   "/null_space/0/layer",       "/null_space/0/rank",
      "/null_space/0/width", "/null_space/0/rows",        "/null_space/0/energy",
      "/null_space/0/leak",  "/null_space/0/certificate", "/null_space/0/measured_drift",
      "/fisher_trace",       "/bit_equal_without_audio"};
  const std::vector<Json::json_pointer> leaves = leaves_of(metrics);
  CHECK(leaves.size() > 100);
  std::size_t underivable = 0;
  for (const Json::json_pointer& leaf : leaves) {
    const std::string name = leaf.to_string();
    CAPTURE(name);
    const common::Findings findings =
        victim.findings_with("metrics.json", common::dump_pretty(edited(metrics, leaf)));
    if (std::find(of_tensors.begin(), of_tensors.end(), name) != of_tensors.end())
      ++underivable;
    else
      CHECK_FALSE(findings.empty());
  }
  CHECK(underivable == of_tensors.size());
  victim.reseal();
  std::string notes;
  for (const std::string& note : verify_run(victim.run()).not_derived) notes += note + "\n";
  for (const char* part : {"null_space", "fisher_trace", "fisher_loss", "bit_equal_without_audio"}) {
    CAPTURE(part);
    CHECK(notes.find(part) != std::string::npos);
  }
}

TEST_CASE("what only tensors know stays within its bounds") {
  const Victim victim;
  const Json metrics = common::parse_json(victim.text("metrics.json"), "metrics.json");
  for (const auto& edit : std::vector<std::pair<std::string, Json>>{{"/null_space/0/energy", 1.5},
                                                                    {"/null_space/0/leak", -0.1},
                                                                    {"/null_space/0/rank", 97},
                                                                    {"/null_space/0/certificate", -1.0},
                                                                    {"/fisher_trace", -1.0},
                                                                    {"/fisher_trace", nullptr},
                                                                    {"/null_space", Json::array()}}) {
    CAPTURE(edit.first);
    Json copy = metrics;
    copy[Json::json_pointer(edit.first)] = edit.second;
    CHECK(has_rule(victim.findings_with("metrics.json", common::dump_pretty(copy)), "R5"));
  }
}

TEST_CASE("a key of metrics.json that is removed or added is found") {
  const Victim victim;
  const Json metrics = common::parse_json(victim.text("metrics.json"), "metrics.json");
  for (const auto& member : metrics.at("validation").items()) {
    const std::string key = member.key();
    CAPTURE(key);
    Json copy = metrics;
    copy["validation"].erase(key);
    CHECK_FALSE(victim.findings_with("metrics.json", common::dump_pretty(copy)).empty());
  }
  Json copy = metrics;
  copy["validation"]["best_accuracy"] = 1.0;
  CHECK(has_rule(victim.findings_with("metrics.json", common::dump_pretty(copy)), "R5"));
  copy = metrics;
  copy["training"] = copy["validation"];
  CHECK(has_rule(victim.findings_with("metrics.json", common::dump_pretty(copy)), "R5"));
}

TEST_CASE("no field of a line of predictions.jsonl can be changed, but for captions that score the same") {
  const Victim victim;
  const std::vector<std::string> lines = lines_of(victim.text("predictions.jsonl"));
  REQUIRE(lines.size() == 4 * 10 + 2 * 3 + 3);
  std::size_t edits = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Json line = common::parse_json(lines[i], "line");
    for (const Json::json_pointer& leaf : leaves_of(line)) {
      if (edits++ % k_step != 0) continue;
      const std::string name = std::to_string(i + 1) + leaf.to_string();
      CAPTURE(name);
      Json copy = edited(line, leaf);
      if (leaf.to_string() == "/kind") copy["kind"] = line["kind"] == "vl" ? "audio" : "vl";
      const common::Findings findings = victim.findings_with("predictions.jsonl", with_line(lines, i, copy));
      // What was said of a clip is the model's word; where the score stays, evaluating again shows it.
      const bool is_caption =
          line["kind"] == "audio" && (name.ends_with("/prediction") || name.ends_with("/base_prediction"));
      if (is_caption && token_f1_of(copy, leaf) == token_f1_of(line, leaf)) continue;
      CHECK_FALSE(findings.empty());
    }
  }
}

TEST_CASE("a line of predictions.jsonl that is removed, repeated or moved is found") {
  const Victim victim;
  const std::vector<std::string> lines = lines_of(victim.text("predictions.jsonl"));
  const auto joined = [](const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += part + "\n";
    return text;
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i);
    std::vector<std::string> without = lines, twice = lines;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    twice.push_back(lines[i]);
    CHECK_FALSE(victim.findings_with("predictions.jsonl", joined(without)).empty());
    CHECK_FALSE(victim.findings_with("predictions.jsonl", joined(twice)).empty());
  }
  std::vector<std::string> swapped = lines;
  std::swap(swapped[0], swapped[1]);
  CHECK(has_rule(victim.findings_with("predictions.jsonl", joined(swapped)), "R4"));
}

TEST_CASE("scores that contradict the answers are found, also where metrics.json agrees with them") {
  const Victim victim;
  std::vector<std::string> lines = lines_of(victim.text("predictions.jsonl"));
  const std::string predictions = victim.text("predictions.jsonl"), metrics = victim.text("metrics.json");
  std::string better;
  std::vector<Prediction> items;
  for (const std::string& text : lines) {
    Json line = common::parse_json(text, "line");
    line["score"] = 1.0;
    better += common::dump_line(line) + "\n";
    items.push_back(prediction_from_json(line, "line"));
  }
  support::put_file(victim.run() / "predictions.jsonl", better);
  Metrics edited_metrics = metrics_from_json(common::parse_json(metrics, "metrics.json"), "metrics.json");
  const Maybe penalty = edited_metrics.validation.fisher_loss;
  edited_metrics.validation = summarise(items, "validation");
  edited_metrics.validation.fisher_loss = penalty;
  fill_losses(edited_metrics, 0.1);
  support::put_file(victim.run() / "metrics.json", common::dump_pretty(to_json(edited_metrics)));
  victim.reseal();
  const common::Findings findings = verify_run(victim.run()).findings;
  CHECK(has_rule(findings, "R3"));
  CHECK(what_of(findings).find("follows from the answer and the references") != std::string::npos);
}

TEST_CASE("no value of history.jsonl that another one decides can be changed") {
  const Victim victim;
  const std::vector<std::string> lines = lines_of(victim.text("history.jsonl"));
  REQUIRE(lines.size() == 6);
  // What a step measured; the checkpoint of the last step names the whole file by its digest.
  const std::vector<std::string> measured = {"/audio_gradient_norm", "/gradient_norm", "/kl_gradient_norm"};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Json line = common::parse_json(lines[i], "line");
    for (const Json::json_pointer& leaf : leaves_of(line)) {
      const std::string name = leaf.to_string();
      CAPTURE(name);
      const common::Findings findings =
          victim.findings_with("history.jsonl", with_line(lines, i, edited(line, leaf)));
      if (std::find(measured.begin(), measured.end(), name) == measured.end())
        CHECK_MESSAGE(has_rule(findings, "R6"), what_of(findings));
    }
    std::vector<std::string> without = lines;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    std::string text;
    for (const std::string& one : without) text += one + "\n";
    CHECK(has_rule(victim.findings_with("history.jsonl", text), "R6"));
  }
}

TEST_CASE("no leaf of config.json and no index of subset_indices.json can be changed") {
  const Victim victim;
  const Json config = common::parse_json(victim.text("config.json"), "config.json");
  for (const Json::json_pointer& leaf : leaves_of(config)) {
    const std::string name = leaf.to_string();
    CAPTURE(name);
    CHECK_FALSE(victim.findings_with("config.json", common::dump_pretty(edited(config, leaf))).empty());
  }
  const Json indices = common::parse_json(victim.text("subset_indices.json"), "subset_indices.json");
  for (const Json::json_pointer& leaf : leaves_of(indices)) {
    const std::string name = leaf.to_string();
    CAPTURE(name);
    CHECK(has_rule(victim.findings_with("subset_indices.json", common::dump_pretty(edited(indices, leaf))),
                   "R7"));
  }
  CHECK_FALSE(victim.findings_with("subset_indices.json", "[\n  0,\n  1,\n  2,\n  3\n]").empty());
}

TEST_CASE("a file that is written in another way is found, though it says the same") {
  const Victim victim;
  for (const char* file : {"config.json", "metrics.json", "subset_indices.json"}) {
    CAPTURE(file);
    CHECK(has_rule(victim.findings_with(file, victim.text(file) + "\n"), "R1"));
    CHECK_FALSE(victim.findings_with(file, "{").empty());
    CHECK_FALSE(victim.findings_with(file, "").empty());
    CHECK_FALSE(victim.findings_with(file, "null").empty());
  }
  for (const char* file : {"predictions.jsonl", "history.jsonl"}) {
    CAPTURE(file);
    std::string spaced = victim.text(file);
    spaced.replace(spaced.find(": "), 2, ":");
    CHECK(has_rule(victim.findings_with(file, spaced), "R1"));
    CHECK_FALSE(victim.findings_with(file, "[]\n").empty());
    CHECK_FALSE(victim.findings_with(file, victim.text(file) + "\n").empty());
  }
}

TEST_CASE("a checkpoint or a pack of another run is found") {
  const Victim victim;
  const auto tensors = [](const Json& metadata) {
    const std::string header = common::dump_line({{"__metadata__", metadata}});
    std::string text(8, '\0');
    text[0] = static_cast<char>(header.size() & 0xFF);
    text[1] = static_cast<char>(header.size() >> 8);
    return text + header;
  };
  const Json config = common::parse_json(victim.text("config.json"), "config.json");
  fs::create_directories(victim.run() / "checkpoints");
  const fs::path last = victim.run() / "checkpoints/last.safetensors";
  const auto findings_with = [&](const std::string& text) {
    support::put_file(last, text);
    victim.reseal();
    return verify_run(victim.run()).findings;
  };
  const Json good = {{"config_digest", config["config_digest"]},
                     {"history_sha256", common::digest_of(victim.text("history.jsonl")).hex()}};
  CHECK(what_of(findings_with(tensors(good))) == "");
  for (const auto& member : good.items()) {
    const std::string key = member.key();
    CAPTURE(key);
    CHECK(has_rule(findings_with(tensors(edited(good, Json::json_pointer("/" + key)))), "R7"));
  }
  CHECK_FALSE(findings_with("no tensors").empty());
  CHECK_FALSE(findings_with(std::string(8, '\xFF') + "{}").empty());
  fs::remove(last);
  fs::create_directories(victim.run() / "source_pack");
  support::put_file(victim.run() / "source_pack/SHA256SUMS", "of another pack");
  victim.reseal();
  CHECK(has_rule(verify_run(victim.run()).findings, "R7"));
}
