#include "manifest/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/majority.hpp"

namespace manifest {
namespace {

std::set<std::int64_t> image_ids(const VqaManifest& vqa) {
  std::set<std::int64_t> ids;
  for (const QuestionEntry& entry : vqa.entries) ids.insert(entry.image_id);
  return ids;
}

std::set<std::int64_t> question_ids(const VqaManifest& vqa) {
  std::set<std::int64_t> ids;
  for (const QuestionEntry& entry : vqa.entries) ids.insert(entry.question_id);
  return ids;
}

// Of pictures that are not called by their image_id, where the same one could go under two ids.
std::set<std::string> image_names(const VqaManifest& vqa) {
  std::set<std::string> names;
  for (const QuestionEntry& entry : vqa.entries)
    if (!question_set().image_id(entry.image_filename)) names.insert(entry.image_filename);
  return names;
}

std::set<std::string> clip_ids(const std::vector<ClipEntry>& clips) {
  std::set<std::string> ids;
  for (const ClipEntry& clip : clips) ids.insert(clip.clip_id);
  return ids;
}

// What its table calls a clip. A base's captions are of the original's data set.
std::string clip_key(const AnyManifest& any) {
  const auto* subset = std::get_if<SubsetManifest>(&any);
  return std::string((subset != nullptr ? sound_set_of(*subset) : original_sound_set()).columns.clip);
}

std::string caption_key(const AnyManifest& any) {
  const auto* subset = std::get_if<SubsetManifest>(&any);
  return std::string((subset != nullptr ? sound_set_of(*subset) : original_sound_set()).columns.caption_id);
}

// The clips whose sound, or whose caption alone, a manifest holds.
const std::vector<ClipEntry>& clips_of(const AnyManifest& any) {
  if (const auto* subset = std::get_if<SubsetManifest>(&any)) return subset->entries;
  return std::get<VqaManifest>(any).captions;
}

class Judge {
 public:
  void judge(const NamedManifest& named) {
    if (const auto* vqa = std::get_if<VqaManifest>(&named.manifest)) judge_questions(named.name, *vqa);
    const std::vector<ClipEntry>& clips = clips_of(named.manifest);
    const std::string clip = clip_key(named.manifest), caption = caption_key(named.manifest);
    for (const ClipEntry& entry : clips)
      judge_text(named.name, fmt::format("{} {}", clip, entry.clip_id), entry.caption);
    if (!caption.empty()) duplicates(named.name, caption, clips, &ClipEntry::caption_id);
    // Two captions of one clip are two samples of it in a subset, but only text among a base's captions.
    if (const auto* subset = std::get_if<SubsetManifest>(&named.manifest)) {
      duplicates(named.name, clip, clips, &ClipEntry::clip_id);
      judge_clip_names(named.name, *subset);
    }
  }

  void judge(const NamedManifest& a, const NamedManifest& b) {
    const auto* left = std::get_if<VqaManifest>(&a.manifest);
    const auto* right = std::get_if<VqaManifest>(&b.manifest);
    if (left != nullptr && right != nullptr) {
      leaks(a, b, "image_id", image_ids(*left), image_ids(*right));
      leaks(a, b, "question_id", question_ids(*left), question_ids(*right));
      leaks(a, b, "image_filename", image_names(*left), image_names(*right));
    }
    leaks(a, b, clip_key(a.manifest), clip_ids(clips_of(a.manifest)), clip_ids(clips_of(b.manifest)));
  }

  std::vector<Finding> findings;

 private:
  // Splits are kept apart by id, and sounds are found by name: the two must agree.
  void judge_clip_names(const std::string& name, const SubsetManifest& subset) {
    const SoundSet& data_set = sound_set_of(subset);
    const std::string_view clip_id = data_set.columns.clip;
    const std::string_view caption_id =
        data_set.columns.caption_id.empty() ? clip_id : data_set.columns.caption_id;
    for (const ClipEntry& clip : subset.entries)
      if (!clip_stem("/" + clip.audio_relpath).ends_with("/" + data_set.pack_stem(clip.clip_id)))
        findings.push_back({"clip name",
                            {name},
                            fmt::format("{} {}: \"{}\" is not the name of {} {}", caption_id, clip.caption_id,
                                        clip.audio_relpath, clip_id, clip.clip_id)});
  }

  // A tokenizer makes one token of such a text wherever it stands, and a prompt with a second picture of it.
  void judge_text(const std::string& name, const std::string& row, const std::string& text) {
    for (const char* token : {"<image>", "<s>", "</s>", "<pad>", "<unk>"})
      if (text.find(token) != std::string::npos)
        findings.push_back(
            {"token",
             {name},
             fmt::format("{}: \"{}\" in a text is a token of models; leave the row out", row, token)});
  }

  void judge_questions(const std::string& name, const VqaManifest& vqa) {
    duplicates(name, "question_id", vqa.entries, &QuestionEntry::question_id);
    for (const QuestionEntry& entry : vqa.entries) {
      const std::string row = fmt::format("question_id {}", entry.question_id);
      judge_text(name, row, entry.question);
      judge_text(name, row, entry.majority_answer);
      if (const std::string majority = majority_answer(entry.answers); majority != entry.majority_answer)
        findings.push_back(
            {"majority",
             {name},
             fmt::format("question_id {}: the majority_answer is \"{}\", the majority is \"{}\"",
                         entry.question_id, entry.majority_answer, majority)});
      // Splits are kept apart by image_id, and pictures are found by name: the two must agree.
      if (const auto number = question_set().image_id(entry.image_filename);
          number && *number != entry.image_id)
        findings.push_back({"image name",
                            {name},
                            fmt::format("question_id {}: \"{}\" is not the name of image_id {}",
                                        entry.question_id, entry.image_filename, entry.image_id)});
    }
  }

  template <typename Entry, typename Id>
  void duplicates(const std::string& name, const std::string& key, const std::vector<Entry>& entries,
                  Id Entry::*id) {
    std::set<Id> seen;
    for (const Entry& entry : entries)
      if (!seen.insert(entry.*id).second)
        findings.push_back({"duplicate", {name}, fmt::format("{} {} stands more than once", key, entry.*id)});
  }

  template <typename Id>
  void leaks(const NamedManifest& a, const NamedManifest& b, const std::string& key, const std::set<Id>& left,
             const std::set<Id>& right) {
    std::vector<Id> both;
    std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(both));
    for (const Id& id : both)
      findings.push_back({"leak", {a.name, b.name}, fmt::format("{} {} is in both", key, id)});
  }
};

}  // namespace

std::vector<Finding> check_manifests(const std::vector<NamedManifest>& manifests) {
  Judge judge;
  for (const NamedManifest& named : manifests) judge.judge(named);
  for (std::size_t i = 0; i < manifests.size(); ++i)
    for (std::size_t j = i + 1; j < manifests.size(); ++j) judge.judge(manifests[i], manifests[j]);
  return std::move(judge.findings);
}

}  // namespace manifest
