#include "trainer/results/run_directory.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "common/error.hpp"
#include "common/sealed/draft_file.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;
using common::Json;

constexpr std::uint64_t k_config_limit_bytes = std::uint64_t{16} << 20;

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

void remove_drafts(const fs::path& run) {
  std::vector<fs::path> drafts;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(run))
    if (entry.is_regular_file() && is_draft(entry.path())) drafts.push_back(entry.path());
  for (const fs::path& draft : drafts) fs::remove(draft);
}

bool is_run_of(const fs::path& path, const std::string& variant, const common::Digest& config_digest) {
  if (!fs::is_directory(path) || !fs::exists(path / "config.json")) return false;
  try {
    const Json config = common::read_json(path / "config.json", k_config_limit_bytes);
    return common::string_member(config, "variant", "config.json") == variant &&
           common::string_member(config, "config_digest", "config.json") == config_digest.hex();
  } catch (const Error&) {
    return false;  // somebody else's folder: not ours to resume, nor to complain about
  }
}

}  // namespace

bool is_draft(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::size_t at = name.rfind(".draft");
  return at != std::string::npos && at + 6 < name.size() &&
         name.find_first_not_of("0123456789", at + 6) == std::string::npos;
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
  for (int attempt = 0; attempt < 10000; ++attempt) {
    const fs::path path =
        output_root / (utc_stamp(now) + "_" + variant + "_" + run_id(config_digest, attempt));
    // mkdir and not create_directories: only it says whether this call made the folder.
    if (::mkdir(path.c_str(), 0777) == 0) {
      RunDirectory run(path);
      fs::create_directory(run.checkpoints());
      common::Folder::open(output_root).sync();
      return run;
    }
    if (errno != EEXIST) common::throw_errno("cannot create the run folder " + path.string());
  }
  throw Error(ErrorKind::io, "no free name for a run in " + output_root.string() + "; try again in a second");
}

RunDirectory RunDirectory::open_unfinished(const fs::path& path) {
  if (!fs::exists(path / "config.json"))
    throw Error(ErrorKind::io,
                path.string() + " is no run to resume: it has no config.json; name another folder");
  if (fs::exists(path / k_sums_name))
    throw Error(ErrorKind::usage,
                path.string() + " is finished and sealed; there is nothing to resume, start a new run");
  remove_drafts(path);
  fs::create_directories(path / "checkpoints");
  return RunDirectory(path);
}

void RunDirectory::write_json(const char* name, const Json& value) {
  ENSURE(!fs::exists(path_ / k_sums_name));
  common::write_file(path_ / name, common::dump_pretty(value));
}

void RunDirectory::write_config(const Json& config) { write_json("config.json", config); }
void RunDirectory::write_metrics(const Metrics& metrics) { write_json("metrics.json", to_json(metrics)); }
void RunDirectory::write_subset_indices(const std::vector<std::int64_t>& indices) {
  write_json("subset_indices.json", Json(indices));
}
void RunDirectory::write_timings(const Json& timings) { write_json("timings.json", timings); }

void RunDirectory::write_predictions(const std::vector<Prediction>& predictions) {
  ENSURE(!fs::exists(path_ / k_sums_name));
  std::string lines;
  for (const Prediction& prediction : predictions) lines += common::dump_line(to_json(prediction)) + "\n";
  common::write_file(path_ / "predictions.jsonl", lines);
}

std::optional<fs::path> find_run(const fs::path& output_root, const std::string& variant,
                                 const common::Digest& config_digest) {
  std::optional<fs::path> newest;
  if (!fs::is_directory(output_root)) return newest;
  for (const fs::directory_entry& entry : fs::directory_iterator(output_root)) {
    // Names begin with the time, so the last by name is the newest.
    const bool newer = !newest || newest->filename() < entry.path().filename();
    if (newer && is_run_of(entry.path(), variant, config_digest)) newest = entry.path();
  }
  return newest;
}

bool is_finished(const fs::path& run) { return fs::exists(run / k_sums_name); }

}  // namespace trainer
