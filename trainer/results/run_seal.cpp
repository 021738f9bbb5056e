#include <algorithm>
#include <map>
#include <set>

#include "common/error.hpp"
#include "common/sealed/draft_file.hpp"
#include "trainer/results/run_directory.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

constexpr std::uint64_t k_sums_limit_bytes = std::uint64_t{16} << 20;
constexpr const char* k_required[] = {"config.json", "history.jsonl", "metrics.json", "predictions.jsonl",
                                      "subset_indices.json"};

struct Listing {
  std::set<std::string> files;             // every regular file but SHA256SUMS, by name inside the run
  std::map<std::string, std::string> odd;  // name -> why it cannot be part of a run
};

// sha256sum escapes a backslash and a line break, in a way that older ones read differently.
bool is_plain(const std::string& name) {
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return c == '\\' || (c >= 0 && c < 0x20) || c == 0x7F; });
}

Listing list_run(const fs::path& run) {
  Listing listing;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(run)) {
    const std::string name = entry.path().lexically_relative(run).generic_string();
    if (entry.is_symlink()) {
      listing.odd[name] = "is a symlink, which names no bytes";
    } else if (entry.is_directory()) {
      continue;
    } else if (!entry.is_regular_file()) {
      listing.odd[name] = "is not a regular file";
    } else if (!is_plain(name)) {
      listing.odd[name] = "has a name with a backslash or a control character";
    } else if (is_draft(entry.path())) {
      listing.odd[name] = "is an unfinished write";
    } else if (name != k_sums_name) {
      listing.files.insert(name);
    }
  }
  return listing;
}

struct Sums {
  std::map<std::string, common::Digest> digests;
  std::vector<RunFinding> findings;
};

Sums parse_sums(const std::string& text) {
  Sums sums;
  std::string last;
  std::size_t number = 0;
  const auto find = [&](const std::string& what) {
    sums.findings.push_back({std::string(k_sums_name), "line " + std::to_string(number) + " " + what});
  };
  for (std::size_t begin = 0; begin < text.size();) {
    ++number;
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const auto digest = common::parse_digest(std::string_view(line).substr(0, 64));
    const std::string name = line.size() > 66 ? line.substr(66) : "";
    if (!digest || line.compare(64, 2, "  ") != 0 || name.empty())
      find("is not \"<64 hex digits>  <path>\"");
    else if (name <= last)
      find("is out of order or is there twice");
    else if (end == text.size())
      find("has no end");
    else
      sums.digests.emplace(last = name, *digest);
  }
  return sums;
}

// A run is read once at a time and is small; a file that cannot be read is a finding, not the end of the
// report.
std::string why_not(const fs::path& file, const common::Digest& wanted) {
  try {
    const common::Digest found = common::digest_file(file).digest;
    if (found == wanted) return "";
    return "has changed: SHA-256 " + found.hex() + " where " + wanted.hex() + " was sealed";
  } catch (const Error& error) {
    return std::string("cannot be read: ") + error.what();
  }
}

}  // namespace

common::Digest seal_run(const fs::path& run) {
  const Listing listing = list_run(run);
  for (const auto& [name, why] : listing.odd)
    throw Error(ErrorKind::mismatch, "cannot seal " + run.string() + ": " + name + " " + why + "; remove it");
  for (const char* name : k_required)
    if (!listing.files.contains(name))
      throw Error(ErrorKind::mismatch, "cannot seal " + run.string() + ": it has no " + name +
                                           "; let the run finish, or resume it");
  ENSURE(!fs::exists(run / k_sums_name));
  std::string sums;
  for (const std::string& name : listing.files) {
    common::File file = common::open_to_read(run / name);
    file.sync(run / name);
    sums += common::digest_file(run / name).digest.hex() + "  " + name + "\n";
  }
  common::write_file(run / k_sums_name, sums);
  return common::digest_of(sums);
}

std::vector<RunFinding> verify_run(const fs::path& run) {
  if (!fs::is_directory(run))
    throw Error(ErrorKind::io, run.string() + " is not a folder; name a run directory");
  if (!fs::exists(run / k_sums_name)) return {{"", "has no SHA256SUMS: it was never finished"}};
  const Sums sums = parse_sums(common::read_text(run / k_sums_name, k_sums_limit_bytes));
  const Listing listing = list_run(run);
  std::vector<RunFinding> findings = sums.findings;
  for (const char* name : k_required)
    if (!sums.digests.contains(name)) findings.push_back({name, "is not among what was sealed"});
  for (const auto& [name, why] : listing.odd) findings.push_back({name, why});
  for (const std::string& name : listing.files)
    if (!sums.digests.contains(name)) findings.push_back({name, "was added after sealing"});
  for (const auto& [name, digest] : sums.digests) {
    const std::string why = listing.files.contains(name) ? why_not(run / name, digest) : "is missing";
    if (!why.empty()) findings.push_back({name, why});
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const RunFinding& a, const RunFinding& b) { return a.path < b.path; });
  return findings;
}

}  // namespace trainer
