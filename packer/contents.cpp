#include "packer/contents.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "common/error.hpp"

namespace packer {
namespace {

using manifest::SubsetManifest;
using manifest::VqaManifest;

std::string image_path(const manifest::QuestionEntry& entry) { return "images/" + entry.image_filename; }

// Where each key was seen first; the same key in another split is a leak.
class Claims {
 public:
  Claims(const char* what, Findings& findings) : what_(what), findings_(findings) {}
  void claim(const std::string& key, const char* split) {
    const auto [it, is_new] = first_.emplace(key, split);
    if (is_new || it->second == std::string_view(split)) return;
    if (!told_.insert(key + "/" + split).second) return;
    findings_.push_back({split, "M6", std::string("shares ") + what_ + " " + key + " with " + it->second});
  }

 private:
  const char* what_;
  Findings& findings_;
  std::unordered_map<std::string, const char*> first_;
  std::set<std::string> told_;
};

const char* file_of(Role role) {
  switch (role) {
    case Role::val_manifest:
      return "val_manifest.json";
    case Role::retention_manifest:
      return "retention_manifest.json";
    case Role::base_manifest:
      return "base_manifest.json";
    case Role::audio_val_manifest:
      return "audio_val_manifest.json";
    default:
      return "manifest.json";
  }
}

void find_image_leaks(const Manifests& manifests, const DigestLookup& digest_of_file, Findings& findings) {
  Claims questions("question_id", findings), images("image_id", findings),
      bytes("the image with SHA-256", findings);
  const auto walk = [&](const std::optional<VqaManifest>& vqa, const char* split) {
    if (!vqa) return;
    for (const manifest::QuestionEntry& entry : vqa->entries) {
      questions.claim(std::to_string(entry.question_id), split);
      images.claim(std::to_string(entry.image_id), split);
      if (const auto digest = digest_of_file(image_path(entry))) bytes.claim(digest->hex(), split);
    }
  };
  walk(manifests.val, file_of(Role::val_manifest));
  walk(manifests.retention, file_of(Role::retention_manifest));
  walk(manifests.base, file_of(Role::base_manifest));
}

void find_clip_leaks(const Manifests& manifests, const DigestLookup& digest_of_file, Findings& findings) {
  Claims videos("youtube_id", findings), bytes("the clip with SHA-256", findings);
  const auto walk = [&](const std::vector<manifest::ClipEntry>& entries, const char* split) {
    for (const manifest::ClipEntry& entry : entries) {
      videos.claim(entry.youtube_id, split);
      if (const auto digest = digest_of_file(entry.audio_relpath)) bytes.claim(digest->hex(), split);
    }
  };
  if (manifests.clips) walk(manifests.clips->entries, file_of(Role::manifest));
  if (manifests.audio_val) walk(manifests.audio_val->entries, file_of(Role::audio_val_manifest));
  if (manifests.base) walk(manifests.base->captions, file_of(Role::base_manifest));
}

// Parses what is there; what does not parse is a finding.
class Reader {
 public:
  Reader(const std::map<std::string, common::Bytes>& control, Findings& findings)
      : control_(control), findings_(findings) {}
  std::optional<SubsetManifest> subset(const std::string& name) const {
    return parse(name,
                 [](std::string_view text, const std::string& n) { return manifest::parse_subset(text, n); });
  }
  std::optional<VqaManifest> vqa(const std::string& name) const {
    return parse(name,
                 [](std::string_view text, const std::string& n) { return manifest::parse_vqa(text, n); });
  }

 private:
  template <typename Parse>
  auto parse(const std::string& name, const Parse& parser) const
      -> std::optional<decltype(parser(std::string_view{}, name))> {
    const auto at = control_.find(name);
    if (at == control_.end()) return std::nullopt;
    try {
      return parser(common::text_of(at->second), name);
    } catch (const common::Error& error) {
      findings_.push_back({name, "M1", error.what()});
      return std::nullopt;
    }
  }

  const std::map<std::string, common::Bytes>& control_;
  Findings& findings_;
};

void check_canonical(const std::map<std::string, common::Bytes>& control, const char* name, const char* rule,
                     const std::string& expected, Findings& findings) {
  const auto at = control.find(name);
  if (at != control.end() && common::text_of(at->second) != expected)
    findings.push_back({name, rule, "does not hold the bytes that follow from the pack's manifests"});
}

// M2 and M3: rows and media files name each other.
void check_rows(const Manifests& manifests, const std::vector<SumsLine>& sums, Findings& findings) {
  std::set<std::string_view> media, named, clips_named;
  for (const SumsLine& line : sums)
    if (!is_control(line.path.text())) media.insert(line.path.text());
  const auto row = [&](const std::string& path, const char* split) {
    const auto at = media.find(path);
    if (at == media.end())
      findings.push_back({path, "M2", std::string("a row of ") + split + " names it, SHA256SUMS does not"});
    else
      named.insert(*at);
  };
  const auto clips = [&](const std::optional<SubsetManifest>& subset, Role role) {
    if (!subset) return;
    for (const manifest::ClipEntry& entry : subset->entries) {
      row(entry.audio_relpath, file_of(role));
      if (!clips_named.insert(entry.audio_relpath).second)
        findings.push_back(
            {entry.audio_relpath, "N7", std::string("two rows name it, one of ") + file_of(role)});
    }
  };
  const auto questions = [&](const std::optional<VqaManifest>& vqa, Role role) {
    if (!vqa) return;
    for (const manifest::QuestionEntry& entry : vqa->entries) row(image_path(entry), file_of(role));
  };
  clips(manifests.clips, Role::manifest);
  clips(manifests.audio_val, Role::audio_val_manifest);
  questions(manifests.val, Role::val_manifest);
  questions(manifests.retention, Role::retention_manifest);
  questions(manifests.base, Role::base_manifest);
  for (const std::string_view path : media)
    if (named.count(path) == 0) findings.push_back({std::string(path), "M3", "no manifest names it"});
}

std::size_t rows_of(const Manifests& manifests, Role role) {
  const auto count = [](const auto& part) { return part ? part->entries.size() : 0; };
  switch (role) {
    case Role::subset_manifest:
      return count(manifests.clips);
    case Role::audio_val_manifest:
      return count(manifests.audio_val);
    case Role::val_manifest:
      return count(manifests.val);
    case Role::retention_manifest:
      return count(manifests.retention);
    case Role::base_manifest:
      return count(manifests.base);
    default:
      return 0;
  }
}

// M7: the recipe accounts for every row that was asked for, and for the bytes of subset_manifest.json.
void check_recipe(const Manifests& manifests, const PackInfo& info, const std::vector<SumsLine>& sums,
                  Findings& findings) {
  const std::string where(k_info_name);
  std::set<Role> inputs;
  for (const RecipeInput& input : info.inputs) {
    const std::string name = name_of(input.role);
    if (!inputs.insert(input.role).second) findings.push_back({where, "M7", "lists two inputs " + name});
    if (input.packed != rows_of(manifests, input.role))
      findings.push_back({where, "M7",
                          "packed rows of " + name + ": says " + std::to_string(input.packed) + ", found " +
                              std::to_string(rows_of(manifests, input.role))});
    const auto lost = static_cast<std::uint64_t>(
        std::count_if(info.missing.begin(), info.missing.end(),
                      [&](const MissingItem& item) { return item.role == input.role; }));
    if (input.asked != input.packed + lost)
      findings.push_back({where, "M7",
                          std::to_string(input.asked) + " rows of " + name + " are not " +
                              std::to_string(input.packed) + " packed and " + std::to_string(lost) +
                              " missing"});
    for (const SumsLine& line : sums)
      if (input.role == Role::subset_manifest && line.path.text() == "subset_manifest.json" &&
          line.digest != input.digest)
        findings.push_back({"subset_manifest.json", "M7", "is not the table that the recipe names"});
  }
  for (const SumsLine& line : sums) {
    const auto role = role_of(line.path.text());
    const bool is_input = role == Role::subset_manifest || role == Role::val_manifest ||
                          role == Role::retention_manifest || role == Role::base_manifest ||
                          role == Role::audio_val_manifest;
    if (is_input && inputs.count(*role) == 0)
      findings.push_back({line.path.text(), "M7", "the recipe in pack.json has no input for it"});
  }
}

}  // namespace

void find_leaks(const Manifests& manifests, const DigestLookup& digest_of_file, Findings& findings) {
  find_image_leaks(manifests, digest_of_file, findings);
  find_clip_leaks(manifests, digest_of_file, findings);
}

std::string write_readme(const SubsetManifest& clips, std::size_t image_count) {
  return "Subset: " + clips.subset_name + "\nSource dataset: " + clips.source_dataset +
         "\nTotal clips packaged: " + std::to_string(clips.entries.size()) +
         "\nValidation images copied: " + std::to_string(image_count) + "\n";
}

void check_manifests(const std::map<std::string, common::Bytes>& control, const PackInfo& info,
                     const std::vector<SumsLine>& sums, Findings& findings) {
  const Reader reader(control, findings);
  const Manifests manifests{reader.subset("manifest.json"),           reader.subset("subset_manifest.json"),
                            reader.subset("audio_val_manifest.json"), reader.vqa("val_manifest.json"),
                            reader.vqa("retention_manifest.json"),    reader.vqa("base_manifest.json")};
  check_rows(manifests, sums, findings);
  if (manifests.clips) {
    check_canonical(control, "manifest.json", "M8", manifest::write_subset(*manifests.clips), findings);
    check_canonical(control, "captions.jsonl", "M4", manifest::write_captions_jsonl(*manifests.clips),
                    findings);
  }
  if (manifests.clips && manifests.val)
    check_canonical(control, "README.txt", "M5", write_readme(*manifests.clips, count_images(*manifests.val)),
                    findings);
  if (manifests.val)
    check_canonical(control, "val_manifest.json", "M8", manifest::write_vqa(*manifests.val), findings);
  if (manifests.retention)
    check_canonical(control, "retention_manifest.json", "M8", manifest::write_vqa(*manifests.retention),
                    findings);
  if (manifests.base)
    check_canonical(control, "base_manifest.json", "M8", manifest::write_vqa(*manifests.base), findings);
  if (manifests.audio_val)
    check_canonical(control, "audio_val_manifest.json", "M8", manifest::write_subset(*manifests.audio_val),
                    findings);
  check_recipe(manifests, info, sums, findings);
  std::unordered_map<std::string_view, const common::Digest*> digests;
  for (const SumsLine& line : sums) digests.emplace(line.path.text(), &line.digest);
  find_leaks(
      manifests,
      [&](const std::string& path) -> std::optional<common::Digest> {
        const auto at = digests.find(path);
        if (at == digests.end()) return std::nullopt;
        return *at->second;
      },
      findings);
}

std::size_t count_images(const VqaManifest& vqa) {
  std::set<std::string_view> names;
  for (const manifest::QuestionEntry& entry : vqa.entries) names.insert(entry.image_filename);
  return names.size();
}

}  // namespace packer
