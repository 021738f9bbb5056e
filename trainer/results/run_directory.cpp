#include "trainer/results/run_directory.hpp"

#include <algorithm>
#include <ctime>

#include "common/error.hpp"
#include "common/sealed/lock.hpp"
#include "trainer/results/config_keys.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;
using common::Folder;
using common::Json;

constexpr std::uint64_t k_config_limit_bytes = std::uint64_t{16} << 20;
constexpr const char* k_history_name = "history.jsonl";

std::string utc_stamp(std::chrono::system_clock::time_point now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  ENSURE(::gmtime_r(&seconds, &parts) != nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d_%H%M%S", &parts);
  return text;
}

void check_variant(const std::string& variant) {
  const bool legal = !variant.empty() && std::all_of(variant.begin(), variant.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (!legal || variant.size() > 60)
    throw Error(
        ErrorKind::usage,
        "the variant \"" + variant + "\" cannot name a run folder; use letters, digits, _ and -, at most 60");
}

std::string run_id(const common::Digest& config_digest, int attempt) {
  if (attempt == 0) return config_digest.hex().substr(0, 6);
  return common::digest_of(config_digest.hex() + "/" + std::to_string(attempt)).hex().substr(0, 6);
}

Json read_config_in(const Folder& run) {
  return common::parse_json(run.read_text(k_config_name, k_config_limit_bytes),
                            run.path_of(k_config_name).string());
}

void remove_drafts(const Folder& run) {
  for (const common::Entry& entry : run.walk())
    if (entry.kind == common::EntryKind::file && is_draft(entry.path)) run.remove(entry.path);
}

bool is_run_of(const Folder& run, const std::string& variant, const common::Digest& config_digest) {
  if (!run.has_file(k_config_name)) return false;
  try {
    const Json config = read_config_in(run);
    return common::string_member(config, "variant", k_config_name) == variant &&
           common::string_member(config, "config_digest", k_config_name) == config_digest.hex();
  } catch (const Error&) {
    return false;  // somebody else's folder: not ours to resume, nor to complain about
  }
}

bool is_sealed(const Folder& run) { return run.has_file(std::string(k_sums_name)); }

void refuse_sealed(const Folder& run) {
  if (is_sealed(run))
    throw Error(ErrorKind::io, run.path_of(std::string(k_sums_name)).string() +
                                   " was put there while the run was written; remove it and resume the run");
}

}  // namespace

struct RunDirectory::State {
  Folder root;
  common::Lock lock;
  Folder folder;

  State(Folder output_root, const std::string& name)
      : root(std::move(output_root)), lock(root, name), folder(root.subfolder(name)) {}
};

RunDirectory::RunDirectory(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunDirectory::~RunDirectory() = default;
RunDirectory::RunDirectory(RunDirectory&&) noexcept = default;
RunDirectory& RunDirectory::operator=(RunDirectory&&) noexcept = default;

bool is_draft(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.size() > 7 && name.starts_with('.') && name.ends_with(".draft");
}

RunDirectory RunDirectory::create(const fs::path& output_root, const std::string& variant,
                                  const common::Digest& config_digest,
                                  std::chrono::system_clock::time_point now) {
  check_variant(variant);
  std::error_code failure;
  fs::create_directories(output_root, failure);
  if (failure)
    throw Error(ErrorKind::io, "cannot create the folder " + output_root.string() + ": " + failure.message() +
                                   "; choose another --output-root");
  Folder root = Folder::open(output_root);
  for (int attempt = 0; attempt < 10000; ++attempt) {
    const std::string name = utc_stamp(now) + "_" + variant + "_" + run_id(config_digest, attempt);
    if (!root.make_new_folder(name)) continue;
    // Nobody resumes a folder without a config.json, so the lock is free.
    RunDirectory run(std::make_unique<State>(std::move(root), name));
    run.folder().make_folder("checkpoints");
    run.state_->root.sync();
    return run;
  }
  throw Error(ErrorKind::io, "no free name for a run in " + output_root.string() + "; try again in a second");
}

std::optional<RunDirectory> RunDirectory::open_unfinished(const fs::path& path) {
  const fs::path whole = path.has_filename() ? path : path.parent_path();
  auto state = std::make_unique<State>(Folder::open(whole.parent_path()), whole.filename().string());
  const Folder& folder = state->folder;
  if (!folder.has_file(k_config_name))
    throw Error(ErrorKind::io,
                path.string() + " is no run to resume: it has no config.json; name another folder");
  if (is_sealed(folder)) return std::nullopt;
  remove_drafts(folder);
  folder.make_folder("checkpoints");
  return RunDirectory(std::move(state));
}

const Folder& RunDirectory::folder() const { return state_->folder; }

Json RunDirectory::read_config() const { return read_config_in(folder()); }

void RunDirectory::write_json(const char* name, const Json& value) {
  refuse_sealed(folder());
  folder().write(name, common::dump_pretty(value));
}

void RunDirectory::write_config(const Json& config) { write_json(k_config_name, config); }
void RunDirectory::write_metrics(const Metrics& metrics) { write_json("metrics.json", to_json(metrics)); }
void RunDirectory::write_subset_indices(const std::vector<std::int64_t>& indices) {
  write_json("subset_indices.json", Json(indices));
}
void RunDirectory::write_timings(const Json& timings) { write_json("timings.json", timings); }

void RunDirectory::write_predictions(const std::vector<Prediction>& predictions) {
  refuse_sealed(folder());
  std::string lines;
  for (const Prediction& prediction : predictions) lines += common::dump_line(to_json(prediction)) + "\n";
  folder().write("predictions.jsonl", lines);
}

JsonLines RunDirectory::history() const { return {folder(), k_history_name}; }

std::string RunDirectory::read_history() const {
  if (!folder().look(k_history_name)) return "";
  return folder().read_text(k_history_name, k_lines_limit_bytes);
}

void RunDirectory::cut_history(std::uint64_t bytes) {
  refuse_sealed(folder());
  const std::string text = read_history();
  if (text.size() < bytes)
    throw Error(ErrorKind::io, folder().path_of(k_history_name).string() + " has " +
                                   std::to_string(text.size()) + " bytes where " + std::to_string(bytes) +
                                   " were saved; start again without --resume");
  if (text.size() > bytes) folder().write(k_history_name, std::string_view(text).substr(0, bytes));
}

namespace {

// Whether nobody writes the run.
bool is_free(const Folder& root, const std::string& name) {
  try {
    const common::Lock lock(root, name);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::optional<fs::path> find_run(const fs::path& output_root, const std::string& variant,
                                 const common::Digest& config_digest) {
  if (!fs::is_directory(output_root)) return std::nullopt;
  const Folder root = Folder::open(output_root);
  const std::vector<common::Entry> entries = root.walk(1);
  // Names begin with the time, so the last by name is the newest.
  std::vector<std::string> found;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    if (entry->kind == common::EntryKind::folder &&
        is_run_of(root.subfolder(entry->path), variant, config_digest))
      found.push_back(entry->path);
  if (found.empty()) return std::nullopt;
  const auto chosen = std::find_if(found.begin(), found.end(), [&](const std::string& name) {
    return found.size() == 1 || is_sealed(root.subfolder(name)) || is_free(root, name);
  });
  return output_root / (chosen == found.end() ? found.front() : *chosen);
}

bool is_finished(const fs::path& run) { return is_sealed(Folder::open(run)); }

}  // namespace trainer
