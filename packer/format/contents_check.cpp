#include "packer/format/contents_check.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"

namespace packer {
namespace {

// Compares the text of a manifest with the one way to write what was read from it, while it is read.
class CanonicalText {
 public:
  explicit CanonicalText(std::string_view text) : text_(text) {
    // In a string the quotes would be escaped: the first place is that of the list, or the text is not
    // canonical.
    static constexpr std::string_view k_open = "\"entries\": [";
    const std::size_t at = text.find(k_open);
    begin_ = at_ = at == std::string_view::npos ? text.size() : at + k_open.size();
  }
  void expect(std::string_view part) {
    same_ = same_ && text_.substr(at_, part.size()) == part;
    if (same_) at_ += part.size();
  }
  // What stands before the rows is only known when all was read.
  [[nodiscard]] bool ends_with_head(std::string_view head) {
    expect(manifest::k_manifest_end);
    return same_ && at_ == text_.size() && text_.substr(0, begin_) == head;
  }

 private:
  std::string_view text_;
  std::size_t begin_ = 0, at_ = 0;
  bool same_ = true;
};

constexpr const char* k_not_canonical = "is not what the pack's manifests give";

}  // namespace

bool ContentsCheck::Paths::insert(std::optional<std::size_t> line, const std::string& path) {
  if (!line) return others_.insert(path).second;
  if (lines_.size() <= *line) lines_.resize(*line + 1);
  if (lines_[*line]) return false;
  lines_[*line] = true;
  ++count_;
  return true;
}

std::optional<std::size_t> ContentsCheck::line_of(std::string_view path) const {
  const auto at =
      std::lower_bound(sums_->begin(), sums_->end(), path,
                       [](const common::SumsLine& line, std::string_view p) { return line.path.text() < p; });
  if (at == sums_->end() || at->path.text() != path) return std::nullopt;
  return static_cast<std::size_t>(at - sums_->begin());
}

void ContentsCheck::read(const std::string& name, common::ByteView bytes,
                         const std::vector<common::SumsLine>& sums) {
  const auto role = role_of(name);
  if (!role) return;
  sums_ = &sums;
  const std::string_view text = common::text_of(bytes);
  try {
    if (*role == Role::manifest || *role == Role::audio_val_manifest)
      read_clips(*role, name, text);
    else if (*role == Role::subset_manifest)
      (void)manifest::scan_subset(text, name, [](manifest::ClipEntry&&) {});
    else if (*role == Role::val_manifest || *role == Role::retention_manifest ||
             *role == Role::base_manifest || *role == Role::unlike_manifest)
      read_questions(*role, name, text);
  } catch (const common::Error& error) {
    if (error.kind() == common::ErrorKind::interrupted) throw;
    find("M1", name, error.what());
    splits_.erase(*role);
    rows_.erase(*role);
  }
}

void ContentsCheck::read_clips(Role role, const std::string& name, std::string_view text) {
  SplitKeys& keys = splits_[role];
  keys.role = role;
  std::size_t& rows = rows_[role];
  CanonicalText canonical(text);
  common::Hasher captions;
  const manifest::SubsetManifest head = manifest::scan_subset(text, name, [&](manifest::ClipEntry&& clip) {
    const std::string& path = clip.audio_relpath;
    if (!named_by_clips_.insert(name_media(path, keys), path))
      find("N7", path, std::string("two rows name this file, one of ") + file_of(role));
    canonical.expect(manifest::row_text(clip, rows));
    captions.update(common::view_of((rows == 0 ? "" : "\n") + manifest::captions_line(clip)));
    keys.clip_ids.push_back(std::move(clip.clip_id));
    ++rows;
  });
  canonical.expect(manifest::k_list_end);
  if (!canonical.ends_with_head(manifest::head_text(head))) find("M8", name, k_not_canonical);
  if (role != Role::manifest) return;
  clips_ = head;
  captions_ = captions.finish();
}

void ContentsCheck::read_questions(Role role, const std::string& name, std::string_view text) {
  SplitKeys& keys = splits_[role];
  keys.role = role;
  std::size_t& rows = rows_[role];
  std::size_t captions = 0;
  CanonicalText canonical(text);
  const manifest::VqaManifest head = manifest::scan_vqa(
      text, name,
      [&](manifest::QuestionEntry&& entry) {
        const std::string path = image_path(entry);
        const auto line = name_media(path, keys);
        if (role == Role::val_manifest) named_by_val_.insert(line, path);
        keys.question_ids.push_back(entry.question_id);
        keys.image_ids.push_back(entry.image_id);
        canonical.expect(manifest::row_text(entry, rows++));
      },
      [&](manifest::ClipEntry&& clip) {
        if (captions == 0) {
          canonical.expect(manifest::k_list_end);
          canonical.expect(manifest::k_captions_begin);
        }
        canonical.expect(manifest::caption_text(clip, captions++));
        keys.clip_ids.push_back(std::move(clip.clip_id));
      });
  canonical.expect(manifest::k_list_end);
  if (!canonical.ends_with_head(manifest::head_text(head))) find("M8", name, k_not_canonical);
}

std::optional<std::size_t> ContentsCheck::name_media(const std::string& path, SplitKeys& keys) {
  const auto line = is_control(path) ? std::nullopt : line_of(path);
  if (line) {
    named_.insert(line, path);
    keys.media.push_back({(*sums_)[*line].digest, (*sums_)[*line].path.text()});
  } else {
    find("M2", path, std::string("a row of ") + file_of(keys.role) + " names it, SHA256SUMS does not");
  }
  return line;
}

void ContentsCheck::check_media() {
  for (std::size_t i = 0; i < sums_->size(); ++i) {
    const std::string& path = (*sums_)[i].path.text();
    if (!is_control(path) && !named_.has(i)) find("M3", path, "no manifest names it");
  }
}

// M4 and M5: what the seal says that the texts are, against what they must be.
void ContentsCheck::check_derived() {
  const auto check = [&](const char* name, const char* rule, const common::Digest& expected) {
    const auto line = line_of(name);
    if (line && (*sums_)[*line].digest != expected) find(rule, name, k_not_canonical);
  };
  if (!clips_) return;
  check("captions.jsonl", "M4", *captions_);
  if (rows_.count(Role::val_manifest) != 0)
    check("README.txt", "M5",
          common::digest_of(write_readme(*clips_, rows_of(Role::manifest), named_by_val_.size())));
}

std::size_t ContentsCheck::rows_of(Role role) const {
  // The rows of the subset that were packed are those of manifest.json.
  const auto at = rows_.find(role == Role::subset_manifest ? Role::manifest : role);
  return at == rows_.end() ? 0 : at->second;
}

// M7: the recipe accounts for every row that was asked for, and for the bytes of subset_manifest.json.
void ContentsCheck::check_recipe(const PackInfo& info) {
  const std::string where(k_info_name);
  std::map<Role, std::uint64_t> lost_of;
  for (const MissingItem& item : info.missing) ++lost_of[item.role];
  std::set<Role> inputs;
  for (const RecipeInput& input : info.inputs) {
    const std::string name = name_of(input.role);
    if (!inputs.insert(input.role).second) find("M7", where, "lists two inputs " + name);
    if (input.packed != rows_of(input.role))
      find("M7", where,
           "packed rows of " + name + ": says " + std::to_string(input.packed) + ", found " +
               std::to_string(rows_of(input.role)));
    const std::uint64_t lost = lost_of[input.role];
    if (input.asked != input.packed + lost)
      find("M7", where,
           std::to_string(input.asked) + " rows of " + name + " are not " + std::to_string(input.packed) +
               " packed and " + std::to_string(lost) + " missing");
    const auto table = line_of("subset_manifest.json");
    if (input.role == Role::subset_manifest && table && (*sums_)[*table].digest != input.digest)
      find("M7", "subset_manifest.json", "is not the table that the recipe names");
  }
  for (const common::SumsLine& line : *sums_) {
    const auto role = role_of(line.path.text());
    const bool is_input = role == Role::subset_manifest || role == Role::val_manifest ||
                          role == Role::retention_manifest || role == Role::base_manifest ||
                          role == Role::audio_val_manifest || role == Role::unlike_manifest;
    if (is_input && inputs.count(*role) == 0)
      find("M7", line.path.text(), "the recipe in pack.json has no input for it");
  }
}

void ContentsCheck::conclude(const PackInfo& info, const std::vector<common::SumsLine>& sums,
                             common::Findings& findings) {
  sums_ = &sums;
  check_media();
  check_derived();
  check_recipe(info);
  std::vector<SplitKeys> splits;
  for (const Role role : {Role::manifest, Role::audio_val_manifest, Role::val_manifest,
                          Role::retention_manifest, Role::base_manifest, Role::unlike_manifest})
    if (const auto at = splits_.find(role); at != splits_.end()) splits.push_back(std::move(at->second));
  splits_.clear();
  find_leaks(splits, findings_);
  findings.insert(findings.end(), findings_.begin(), findings_.end());
}

}  // namespace packer
