#include "trainer/results/run_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/json.hpp"
#include "common/sealed/lock.hpp"
#include "common/sealed/sums.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/history_check.hpp"
#include "trainer/results/json_lines.hpp"
#include "trainer/results/learning_curve.hpp"
#include "trainer/results/metrics_check.hpp"
#include "trainer/results/prediction.hpp"
#include "trainer/results/prediction_check.hpp"
#include "trainer/results/tensor_header.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;
using common::Json;

// The files of a run, each read once. A file that is not written as the trainer writes it is a finding (R1).
class RunFiles {
 public:
  RunFiles(const common::Folder& run, common::Findings& findings) : run_(run), findings_(findings) {}

  Json object(const char* name) {
    Json value = json(name);
    if (!value.is_object())
      throw Error(ErrorKind::format, fmt::format("{} is not a JSON object; get the run again", name));
    return value;
  }

  Json json(const char* name) {
    const std::string text = run_.read_text(name, k_json_limit_bytes);
    Json value = common::parse_json(text, name);
    if (common::dump_pretty(value) != text) not_as_written(name);
    return value;
  }

  std::vector<Json> lines(const char* name) {
    const std::string text = run_.read_text(name, k_lines_limit_bytes);
    std::vector<Json> records;
    std::string again;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string where = fmt::format("{}: line {}", name, records.size() + 1);
      records.push_back(common::parse_json(std::string_view(text).substr(begin, end - begin), where));
      if (!records.back().is_object())
        throw Error(ErrorKind::format, where + " is not a JSON object; get the run again");
      again += common::dump_line(records.back()) + "\n";
      begin = end + 1;
    }
    if (again != text) not_as_written(name);
    return records;
  }

  // None where the run has no such file.
  std::vector<CurveLook> looks() {
    if (!run_.has_file(k_curve_file)) return {};
    const std::string text = run_.read_text(k_curve_file, k_lines_limit_bytes);
    std::vector<CurveLook> looks = parse_curve(text);
    std::string again;
    for (const CurveLook& look : looks) again += common::dump_line(to_json(look)) + "\n";
    if (again != text) not_as_written(k_curve_file);
    return looks;
  }

  std::vector<Prediction> predictions() {
    const char* name = "predictions.jsonl";
    const std::string text = run_.read_text(name, k_predictions_limit_bytes);
    std::vector<Prediction> items = parse_predictions(text, name);
    std::string again;
    for (const Prediction& item : items) again += common::dump_line(to_json(item)) + "\n";
    if (again != text) not_as_written(name);
    return items;
  }

 private:
  void not_as_written(const char* name) {
    findings_.push_back(
        {name, "R1", "is not written as this program writes it: other spaces, digits, keys or order"});
  }
  const common::Folder& run_;
  common::Findings& findings_;
};

void check_config(const Json& config, common::Findings& findings) {
  const auto find = [&](const std::string& what) { findings.push_back({"config.json", "R2", what}); };
  Json record = config;
  for (const std::string_view key : k_outside_digest) record.erase(std::string(key));
  const std::string digest = common::digest_of(common::dump_line(record)).hex(),
                    said = common::string_member(config, "config_digest", "config.json");
  if (said != digest)
    find(fmt::format("config_digest is {}; the configuration has the digest {}", said, digest));
  // Reports print them as they are.
  for (const char* key : {"pack_id", "base_digest"})
    if (!common::parse_digest(common::string_member(config, key, "config.json")))
      find(fmt::format("{} is no SHA-256: 64 hexadecimal digits in lower case", key));
  const std::string folder = common::string_member(config, "output_dir", "config.json"),
                    middle = fmt::format("_{}_", common::string_member(config, "variant", "config.json"));
  constexpr std::size_t stamp_size = 15, id_size = 6;  // yyyymmdd_HHMMSS, hexadecimal digits
  if (folder.size() != stamp_size + middle.size() + id_size ||
      folder.compare(stamp_size, middle.size(), middle) != 0)
    find(fmt::format("output_dir is \"{}\"; a run is called <UTC yyyymmdd_HHMMSS>{}<six digits>", folder,
                     middle));
}

std::int64_t count_clips(const Json& indices, common::Findings& findings) {
  const auto find = [&](const std::string& what) { findings.push_back({"subset_indices.json", "R7", what}); };
  if (!indices.is_array()) {
    find("is not a list of indices");
    return 0;
  }
  std::int64_t last = -1;
  for (const Json& index : indices) {
    if (!index.is_number_integer() || index.get<std::int64_t>() <= last) {
      find(fmt::format("{} follows {}; indices are whole numbers, each above the one before",
                       common::dump_line(index), last));
      break;
    }
    last = index.get<std::int64_t>();
  }
  return static_cast<std::int64_t>(indices.size());
}

// A run is trained on the first clips of the pack's table; an evaluation may be of another pack.
void check_subset(const Json& indices, const Json& config, common::Findings& findings) {
  const auto find = [&](const std::string& what) { findings.push_back({"subset_indices.json", "R7", what}); };
  if (config.contains("evaluated_run") || !indices.is_array()) return;
  const auto size = static_cast<std::int64_t>(indices.size());
  const std::int64_t asked = common::integer_member(config, "subset_size", "config.json");
  if (asked > 0 && size > asked)
    find(fmt::format("lists {} clips, and subset_size in config.json is {}", size, asked));
  if (size > 0 && indices.back() != size - 1)
    find(fmt::format("ends with {}; a run is trained on the first clips, 0 to {}",
                     common::dump_line(indices.back()), size - 1));
}

PredictionContext context_of(const Json& config, const Json& metrics, std::int64_t clips) {
  PredictionContext context;
  context.seed = common::integer_member(config, "seed", "config.json");
  context.trained_clips = clips;
  for (const char* key : {"max_eval_batches", "max_audio_eval_batches"}) {
    const auto found = config.find(key);
    context.clips_limited =
        context.clips_limited || (found != config.end() && found->is_number_integer() && *found != 0);
  }
  context.beyond_stream = config.contains(k_beyond_stream) && config.at(k_beyond_stream) == k_asked;
  if (const auto sweep = config.find("eval_audio_gate_comparison");
      sweep != config.end() && sweep->is_boolean())
    context.every_gate = sweep->get<bool>();
  const auto equal = metrics.find("bit_equal_without_audio");
  if (equal != metrics.end() && equal->is_boolean()) context.equal_without_audio = equal->get<bool>();
  return context;
}

void check_own_pack(const common::Folder& run, const Json& config, common::Findings& findings) {
  const std::string seal = fmt::format("source_pack/{}", common::k_seal_name);
  if (!run.has_file(seal)) return;
  const std::string id = common::digest_of(run.read(seal, common::k_seal_limit_bytes)).hex(),
                    said = common::string_member(config, "pack_id", "config.json");
  if (id != said)
    findings.push_back(
        {seal, "R7", fmt::format("is of the pack {}; config.json names the pack {}", id, said)});
}

// Each checkpoint names its configuration, and the last one the history of all steps.
void check_checkpoints(const common::Folder& run, const Json& config, common::Findings& findings) {
  const std::string configuration = common::string_member(config, "config_digest", "config.json"),
                    history = run.digest_of("history.jsonl").digest.hex();
  for (const common::Entry& entry : run.walk()) {
    if (entry.kind != common::EntryKind::file || !entry.path.starts_with("checkpoints/")) continue;
    const std::map<std::string, std::string> metadata = read_tensor_metadata(run, entry.path);
    const auto require = [&](const char* key, const std::string& expected, const char* what) {
      const auto found = metadata.find(key);
      const std::string said = found == metadata.end() ? "none" : found->second;
      if (said != expected)
        findings.push_back({entry.path, "R7", fmt::format("has {} {}; {} {}", key, said, what, expected)});
    };
    require("config_digest", configuration, "config.json has");
    if (metadata.contains("history_sha256")) require("history_sha256", history, "history.jsonl has");
  }
}

void note_rest(const common::Folder& run, const Json& config, RunCheck& check) {
  const auto note = [&](const char* what) { check.not_derived.emplace_back(what); };
  note(
      "predictions.jsonl: what was answered, kl_to_base, nll and base_nll are the models'; safe-trainer "
      "evaluate computes them again");
  check.of_pack =
      "predictions.jsonl: ids, questions and references are the pack's; name it with --pack to compare them";
  if (run.has_file(k_curve_file))
    note("learning_curve.jsonl: what was answered and kl_to_base are the models' while they were trained");
  if (!config.contains("evaluated_run"))
    note("history.jsonl: losses and gradient norms are of the steps; training again shows them");
  note("config.json: when and by which build, device and libraries it was run is what the run says");
  if (run.has_file("timings.json")) note("timings.json: durations are of the machine");
}

void check_contents(const common::Folder& run, RunCheck& check) {
  RunFiles files(run, check.findings);
  const Json config = files.object("config.json"), metrics = files.object("metrics.json"),
             indices = files.json("subset_indices.json");
  if (run.has_file("timings.json")) (void)files.object("timings.json");
  const std::vector<Json> history = files.lines("history.jsonl");
  const std::vector<Prediction> predictions = files.predictions();
  check_config(config, check.findings);
  const std::int64_t clips = count_clips(indices, check.findings);
  check_subset(indices, config, check.findings);
  check_predictions(predictions, context_of(config, metrics, clips), check.findings);
  check_metrics(metrics, {config, predictions, history}, check.findings, check.not_derived);
  check_history(history, config, clips, check.findings);
  if (run.has_file(k_curve_file) != config.contains(k_learning_curve))
    check.findings.push_back({k_curve_file, "R10",
                              config.contains(k_learning_curve)
                                  ? "is missing; config.json asks for it"
                                  : "is there, and config.json does not ask for it"});
  check_curve(files.looks(), config, static_cast<std::int64_t>(history.size()), predictions, check.findings);
  check_own_pack(run, config, check.findings);
  check_checkpoints(run, config, check.findings);
  note_rest(run, config, check);
}

}  // namespace

RunCheck verify_run(const fs::path& path, const std::optional<fs::path>& trusted_key) {
  if (!fs::is_directory(path))
    throw Error(ErrorKind::io, path.string() + " is not a folder; name a run directory");
  std::optional<common::PublicKey> key;
  if (trusted_key) key = common::read_trusted_key(*trusted_key, path);
  const common::Folder run = common::Folder::open(path);
  const RunSealCheck seal = check_run_seal(run, key);
  RunCheck check{seal.findings, seal.digest, seal.signature, {}, {}};
  // What follows from damaged files is no news.
  if (!check.findings.empty()) return check;
  try {
    check_contents(run, check);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::format) throw;
    check.findings.push_back({"", "R1", error.what()});
  } catch (const Json::exception& error) {
    check.findings.push_back({"", "R1", fmt::format("a value is of another type: {}", error.what())});
  }
  common::sort_findings(check.findings);
  return check;
}

RunSigning sign_run(const fs::path& run, const fs::path& key_file) {
  const common::SecretKey key = common::read_signing_key(key_file, run);
  const fs::path whole = fs::canonical(run);
  const std::string name = whole.filename().string();
  const common::Folder parent = common::Folder::open(whole.parent_path());
  const common::Lock lock(parent, name);
  const common::Folder folder = parent.subfolder(name);
  const RunCheck check = verify_run(whole);
  refuse_findings(run, check.findings);
  const common::Bytes seal = folder.read(std::string(common::k_seal_name), common::k_seal_limit_bytes);
  if (common::digest_of(seal) != check.digest)
    throw Error(ErrorKind::mismatch, run.string() + " changed while it was verified; sign it again");
  return {check.digest, common::write_signature(parent, name, folder, seal, key)};
}

std::string remedy_for(const common::Finding& finding) {
  if (finding.rule == "E2")
    return "Do not use it; get the run, and the public key, from the people you trust";
  if (finding.rule == "R9") return "Name the pack that the run was made from, or get the run again";
  if (finding.rule == "R8") return "Make the report again from its runs (safe-report report)";
  if (finding.rule.starts_with("R"))
    return "The run was changed after it was made and sealed again; get it again, or train it again";
  return "Get the run again from where it was made, or train it again";
}

std::string text_of(RunSignature signature) {
  switch (signature) {
    case RunSignature::absent:
      return "The run is not signed: this finds damage, and not somebody who wants to deceive.";
    case RunSignature::not_checked:
      return "The run is signed, and the signature was not checked; name the key with --trust KEY.pub.pem.";
    case RunSignature::good:
      return "The run is signed by the owner of the key.";
    case RunSignature::refused:
      return "The run is not signed by the owner of the key.";
  }
  return "";
}

void refuse_findings(const fs::path& run, const common::Findings& findings) {
  if (findings.empty()) return;
  common::throw_findings(run.string() + " does not verify", findings,
                         common::kind_of(findings) == ErrorKind::signature
                             ? "Do not use it. Get the run, and the public key, from the people you trust."
                             : "Leave the run out, get it again, or make it again.");
}

}  // namespace trainer
