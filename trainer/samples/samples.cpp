#include "trainer/samples/samples.hpp"

#include <map>
#include <set>

#include "common/error.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/select.hpp"

namespace trainer {
namespace {

std::string text_file(const packer::VerifiedPack& pack, const char* name) {
  return std::string(common::text_of(pack.read(common::PackPath(name))));
}

std::vector<ClipSample> clips_of(const manifest::SubsetManifest& table) {
  const manifest::SoundSet& data_set = manifest::sound_set_of(table);
  std::vector<ClipSample> clips;
  for (const manifest::ClipEntry& entry : table.entries) {
    ClipSample clip{entry.clip_id,
                    {entry.caption},
                    common::PackPath(entry.audio_relpath),
                    std::string(data_set.prompt),
                    data_set.scorer};
    for (const std::string& caption : entry.captions)
      if (caption != entry.caption) clip.captions.push_back(caption);
    clips.push_back(std::move(clip));
  }
  return clips;
}

std::vector<QuestionSample> questions_of(const manifest::VqaManifest& table) {
  std::vector<QuestionSample> questions;
  for (const manifest::QuestionEntry& entry : table.entries)
    questions.push_back({entry.question_id, entry.image_id, entry.question, entry.answers,
                         entry.majority_answer,
                         common::PackPath(manifest::image_path(entry.image_filename))});
  return questions;
}

[[noreturn]] void leak(const std::string& what, const std::string& first, const std::string& second) {
  throw common::Error(common::ErrorKind::mismatch,
                      "the pack leaks: " + what + " is in " + first + " and in " + second +
                          "; make the manifests again with --exclude and build the pack from them");
}

// Adds `keys` of one split to `owner`, refusing a key that another split has.
class LeakCheck {
 public:
  void add(const std::string& key, const std::string& split) {
    const auto [found, fresh] = owner_.emplace(key, split);
    if (!fresh && found->second != split) leak(key, found->second, split);
  }

 private:
  std::map<std::string, std::string> owner_;
};

void refuse_leaks(const packer::VerifiedPack& pack, const PackSamples& samples) {
  std::map<std::string, std::string> digest_by_path;
  for (const packer::PackFile& file : pack.files()) digest_by_path[file.path.text()] = file.digest.hex();
  LeakCheck check;
  const auto add_questions = [&](const std::vector<QuestionSample>& questions, const std::string& split) {
    for (const QuestionSample& question : questions) {
      check.add("question_id " + std::to_string(question.question_id), split);
      check.add("image_id " + std::to_string(question.image_id), split);
      check.add("the picture with digest " + digest_by_path[question.image.text()], split);
    }
  };
  const auto add_clips = [&](const std::vector<ClipSample>& clips, const std::string& split) {
    for (const ClipSample& clip : clips) {
      check.add("the clip " + clip.clip_id, split);
      check.add("the sound with digest " + digest_by_path[clip.path.text()], split);
    }
  };
  add_questions(samples.validation, "val_manifest.json");
  add_questions(samples.retention, "retention_manifest.json");
  add_questions(samples.base, "base_manifest.json");
  add_questions(samples.unlike, "unlike_manifest.json");
  add_clips(samples.clips, "manifest.json");
  add_clips(samples.held_out, "audio_val_manifest.json");
}

}  // namespace

PackSamples read_samples(const packer::VerifiedPack& pack) {
  PackSamples samples;
  const auto has = [&](const char* name) { return pack.contains(common::PackPath(name)); };
  const auto questions = [&](const char* name) {
    return has(name) ? questions_of(manifest::parse_vqa(text_file(pack, name), name))
                     : std::vector<QuestionSample>{};
  };
  const auto clips = [&](const char* name) { return manifest::parse_subset(text_file(pack, name), name); };
  const manifest::SubsetManifest learnt = clips("manifest.json");
  samples.clips = clips_of(learnt);
  samples.base_question = manifest::sound_set_of(learnt).prompt;
  if (has("audio_val_manifest.json")) samples.held_out = clips_of(clips("audio_val_manifest.json"));
  samples.validation = questions("val_manifest.json");
  samples.retention = questions("retention_manifest.json");
  if (has("base_manifest.json")) {
    const manifest::VqaManifest base =
        manifest::parse_vqa(text_file(pack, "base_manifest.json"), "base_manifest.json");
    samples.base = questions_of(base);
    for (const manifest::ClipEntry& entry : base.captions) samples.base_captions.push_back(entry.caption);
  }
  samples.unlike = questions("unlike_manifest.json");
  refuse_leaks(pack, samples);
  return samples;
}

void require_other_words(const PackSamples& samples) {
  std::set<std::string> asked;
  for (const QuestionSample& question : samples.retention)
    asked.insert(manifest::words_of(question.question));
  for (const QuestionSample& question : samples.unlike)
    if (asked.count(manifest::words_of(question.question)) != 0)
      throw common::Error(common::ErrorKind::mismatch,
                          "question " + std::to_string(question.question_id) +
                              " of unlike_manifest.json, \"" + question.question +
                              "\", is asked in the same words in retention_manifest.json; make the manifest "
                              "again (safe-manifest "
                              "unlike) and build the pack with it");
}

}  // namespace trainer
