#include "common/sealed/inventory.hpp"

#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace common {
namespace {

bool is_listed(const std::vector<SumsLine>& sums, const std::string& path) {
  const auto at =
      std::lower_bound(sums.begin(), sums.end(), path,
                       [](const SumsLine& line, const std::string& p) { return line.path.text() < p; });
  return at != sums.end() && at->path.text() == path;
}

bool is_seal(const std::string& path) { return path == k_seal_name || path == k_signature_name; }

// A file that cannot be read is a finding, not the end of the report.
void check_file(const Folder& folder, const SumsLine& line, Findings& findings) {
  const std::string& path = line.path.text();
  try {
    const Digest found = digest_file(folder.open_to_read(path), folder.path_of(path), OnStop::end).digest;
    if (found != line.digest)
      findings.push_back(
          {path, "F2", "has SHA-256 " + found.hex() + ", SHA256SUMS says " + line.digest.hex()});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    findings.push_back({path, "F2", std::string("cannot be read: ") + error.what()});
  }
}

}  // namespace

Inventory take_inventory(const Folder& folder, Findings& findings, std::size_t path_limit_bytes) {
  Inventory inventory;
  const std::vector<Entry> entries = folder.walk();
  std::set<std::string> filled;  // folders with something in them
  for (const Entry& entry : entries)
    if (const std::size_t slash = entry.path.rfind('/'); slash != std::string::npos)
      filled.insert(entry.path.substr(0, slash));
  std::string too_deep;
  for (const Entry& entry : entries) {
    if (!too_deep.empty() && entry.path.starts_with(too_deep)) continue;
    if (entry.kind == EntryKind::file) {
      inventory.emplace(entry.path, entry.size);
    } else if (entry.kind != EntryKind::folder) {
      findings.push_back({entry.path, "F4",
                          std::string("is ") + name_of(entry.kind) + "; only files and folders are allowed"});
    } else if (entry.path.size() > path_limit_bytes) {
      findings.push_back(
          {entry.path, "F3", "is a folder, and the name of a pack's file cannot begin with it"});
      too_deep = entry.path + "/";
    } else if (filled.count(entry.path) == 0) {
      findings.push_back({entry.path, "F5", "is an empty folder"});
    }
  }
  return inventory;
}

void compare_names(const Inventory& inventory, const std::vector<SumsLine>& sums, Findings& findings) {
  for (const auto& [path, size] : inventory)
    if (!is_seal(path) && !is_listed(sums, path))
      findings.push_back({path, "F3", "SHA256SUMS does not list it"});
  for (const SumsLine& line : sums)
    if (inventory.count(line.path.text()) == 0) findings.push_back({line.path.text(), "F1", "is missing"});
}

std::string seal_folder(const Folder& folder, const SealForm& form) {
  Findings findings;
  const Inventory inventory = take_inventory(folder, findings, form.path_limit_bytes);
  std::vector<SumsLine> sums;
  for (const auto& [path, size] : inventory) {
    ENSURE(!is_seal(path));
    if (const std::string why = why_not_a_pack_path(path, form.path_limit_bytes); !why.empty())
      findings.push_back({path, "N1", "invalid path: " + why});
    else
      sums.push_back({PackPath(path, form.path_limit_bytes), {}});
  }
  for (const std::string& name : form.required)
    if (inventory.count(name) == 0) findings.push_back({name, "F1", "is missing"});
  sort_findings(findings);
  if (!findings.empty())
    throw_findings("cannot seal " + folder.path().string(), findings,
                   "Remove what is not part of it, or finish what is missing.");
  for (SumsLine& line : sums) {
    File file = folder.open_to_read(line.path.text());
    file.sync(folder.path_of(line.path.text()));
    line.digest = digest_file(file, folder.path_of(line.path.text())).digest;
  }
  std::sort(sums.begin(), sums.end());
  std::string text = write_sums(sums);
  folder.write(std::string(k_seal_name), text);
  return text;
}

SealCheck check_sealed_folder(const Folder& folder, const Bytes& seal, const SealForm& form,
                              unsigned threads) {
  SealCheck check;
  const Inventory inventory = take_inventory(folder, check.findings, form.path_limit_bytes);
  check.id = digest_of(seal);
  check.sums = parse_sums(text_of(seal), form.required, check.findings, form.path_limit_bytes);
  compare_names(inventory, check.sums, check.findings);
  std::vector<Findings> found(check.sums.size());
  parallel_for(check.sums.size(), threads, [&](std::size_t i) {
    if (inventory.count(check.sums[i].path.text()) == 1) check_file(folder, check.sums[i], found[i]);
  });
  for (const Findings& part : found) check.findings.insert(check.findings.end(), part.begin(), part.end());
  sort_findings(check.findings);
  return check;
}

SealBytes read_seal(const Folder& folder, Findings& findings) {
  SealBytes bytes;
  const std::string seal(k_seal_name), signature(k_signature_name);
  if (const auto there = folder.look(seal); there && there->kind == EntryKind::file) {
    if (there->size > k_seal_limit_bytes)
      findings.push_back({seal, "S1", "has more than 64 MiB"});
    else
      bytes.seal = folder.read(seal, k_seal_limit_bytes);
  }
  if (const auto there = folder.look(signature); there && there->kind == EntryKind::file) {
    if (there->size != k_signature_bytes)
      findings.push_back(
          {signature, "S7", "has " + std::to_string(there->size) + " bytes, a signature has exactly 64"});
    else
      bytes.signature = folder.read(signature, k_signature_bytes);
  }
  return bytes;
}

}  // namespace common
