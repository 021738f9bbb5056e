#include "trainer/report/media.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "common/error.hpp"
#include "common/media/thumbnail.hpp"
#include "trainer/report/html.hpp"
#include "trainer/results/prediction.hpp"
#include "trainer/samples/picture.hpp"
#include "trainer/samples/samples.hpp"

namespace trainer {
namespace {

// A page that a phone opens and a mail carries.
constexpr std::size_t k_flips_shown = 12;
constexpr std::size_t k_memorised_shown = 6;
constexpr std::size_t k_held_out_shown = 3;
constexpr std::size_t k_media_limit_bytes = std::size_t{6} << 20;
// Wider than a card of the page; a picture of COCO has 640 pixels.
constexpr int k_thumbnail_side = 320;
constexpr int k_thumbnail_quality = 80;

using Items = std::map<std::string, Prediction>;  // by id

// Of one run: the items that a page shows.
struct Shown {
  Items questions;                     // with a memorised clip as distractor
  std::map<std::string, Items> clips;  // by audio group
};

Shown read_shown(const std::filesystem::path& run) {
  Shown shown;
  for (Prediction& item : read_predictions(run / "predictions.jsonl")) {
    if (item.split != "validation") continue;
    const std::string id = item.id, condition = item.condition;
    if (item.kind == PredictionKind::audio)
      shown.clips[condition].emplace(id, std::move(item));
    else if (condition == condition::k_distractor_memorised)
      shown.questions.emplace(id, std::move(item));
  }
  return shown;
}

bool is_flip(const Prediction& item) {
  return item.base_score && *item.base_score >= k_right_from && item.score < k_right_from;
}

// In turn one of every group, the answers that went furthest from the base first; no question twice.
std::vector<std::string> choose_flips(const std::vector<Shown>& shown, std::size_t& in_all) {
  std::vector<std::vector<const Prediction*>> by_group(shown.size());
  for (std::size_t g = 0; g < shown.size(); ++g) {
    for (const auto& [id, item] : shown[g].questions)
      if (is_flip(item)) by_group[g].push_back(&item);
    in_all += by_group[g].size();
    std::stable_sort(by_group[g].begin(), by_group[g].end(), [](const Prediction* a, const Prediction* b) {
      return a->kl_to_base.value_or(0) > b->kl_to_base.value_or(0);
    });
  }
  std::vector<std::string> chosen;
  const auto longest = std::max_element(by_group.begin(), by_group.end(),
                                        [](const auto& a, const auto& b) { return a.size() < b.size(); });
  for (std::size_t i = 0; i < longest->size(); ++i)
    for (const auto& flips : by_group) {
      if (i >= flips.size() || chosen.size() == k_flips_shown) continue;
      if (std::find(chosen.begin(), chosen.end(), flips[i]->id) == chosen.end())
        chosen.push_back(flips[i]->id);
    }
  return chosen;
}

// Evenly spread over the sorted ids, so that nobody chose them by their result.
std::vector<std::string> choose_clips(const Items& items, std::size_t count) {
  std::vector<std::string> ids, chosen;
  for (const auto& [id, item] : items) ids.push_back(id);
  count = std::min(count, ids.size());
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(ids[i * ids.size() / count]);
  return chosen;
}

// Pictures, made small, and sounds of a pack as data: URLs, as long as there is room.
class MediaSource {
 public:
  explicit MediaSource(const packer::VerifiedPack& pack) : pack_(pack) {
    const PackSamples samples = read_samples(pack_);
    for (const QuestionSample& question : samples.validation)
      images_.emplace(std::to_string(question.question_id), question.image);
    for (const auto* clips : {&samples.clips, &samples.held_out})
      for (const ClipSample& clip : *clips) sounds_.emplace(clip.clip_id, clip.path);
  }

  Embedded image_of(const std::string& question_id) {
    const auto found = images_.find(question_id);
    if (found == images_.end()) return {};
    const common::Picture picture = read_picture(pack_, found->second);
    return embed(found->second, "image/jpeg",
                 common::encode_jpeg(common::scaled_down(picture, k_thumbnail_side), k_thumbnail_quality));
  }
  Embedded sound_of(const std::string& clip_id) {
    const auto found = sounds_.find(clip_id);
    // Whole, and so not read where it cannot have room.
    if (found == sounds_.end() || pack_.size(found->second) > k_media_limit_bytes - used_bytes_) return {};
    const bool is_flac = found->second.text().ends_with(".flac");
    return embed(found->second, is_flac ? "audio/flac" : "audio/wav", pack_.read(found->second));
  }

 private:
  using Paths = std::map<std::string, common::PackPath>;

  Embedded embed(const common::PackPath& path, const std::string& type, const common::Bytes& bytes) {
    if (bytes.size() > k_media_limit_bytes - used_bytes_) return {};
    used_bytes_ += bytes.size();
    return {"data:" + type + ";base64," + base64(bytes),
            path.text() + ", SHA-256 " + pack_.digest(path).hex()};
  }

  const packer::VerifiedPack& pack_;
  Paths images_, sounds_;
  std::size_t used_bytes_ = 0;
};

// Where a picture or sound comes from, by id.
struct MediaCalls {
  std::function<Embedded(const std::string&id)> image, sound;
};

Embedded find_embedded(const std::map<std::string, Embedded>& media, const std::string& id) {
  const auto found = media.find(id);
  return found == media.end() ? Embedded{} : found->second;
}

FlipExample flip_example(const std::vector<Shown>& shown, const std::string& id, const MediaCalls& media) {
  FlipExample flip;
  flip.id = id;
  for (std::size_t g = 0; g < shown.size(); ++g) {
    const auto found = shown[g].questions.find(id);
    if (found == shown[g].questions.end()) continue;
    const Prediction& item = found->second;
    if (flip.answers.empty()) {
      flip.question = item.question;
      flip.references = item.references;
      flip.distractor = item.distractor.value_or("");
      flip.base = {0, item.base_prediction.value_or(""), item.base_score.value_or(0)};
    }
    flip.answers.push_back({g, item.prediction, item.score});
  }
  flip.image = media.image(id);
  return flip;
}

ClipExample clip_example(const std::vector<Shown>& shown, const std::string& group, const std::string& id,
                         const MediaCalls& media) {
  ClipExample clip;
  clip.id = id;
  clip.group = group;
  for (std::size_t g = 0; g < shown.size(); ++g) {
    const auto items = shown[g].clips.find(group);
    if (items == shown[g].clips.end()) continue;
    const auto found = items->second.find(id);
    if (found == items->second.end()) continue;
    const Prediction& item = found->second;
    if (clip.captions.empty()) {
      clip.references = item.references;
      clip.base = {0, item.base_prediction.value_or(""), item.base_score.value_or(0)};
    }
    clip.captions.push_back({g, item.prediction, item.score});
  }
  clip.sound = media.sound(id);
  return clip;
}

void refuse_other_pack(const Comparison& comparison, const packer::VerifiedPack& pack) {
  for (const RunSummary& run : comparison.runs)
    if (run.pack_id != pack.id().hex())
      throw common::Error(common::ErrorKind::mismatch, "the pack " + pack.location().string() +
                                                           " has the id " + pack.id().hex() + ", but " +
                                                           run.name + " was made from " + run.pack_id +
                                                           "; name that pack, or none");
}

Examples choose_with(const Comparison& comparison, const MediaCalls& media) {
  std::vector<Shown> shown;
  for (const VariantGroup& group : comparison.groups)
    shown.push_back(read_shown(comparison.runs[group.runs.front()].path));
  Examples examples;
  for (const std::string& id : choose_flips(shown, examples.flips_in_all))
    examples.flips.push_back(flip_example(shown, id, media));
  for (const auto& [name, count] : {std::pair(condition::k_memorised, k_memorised_shown),
                                    std::pair(condition::k_held_out, k_held_out_shown)}) {
    const auto items = shown.front().clips.find(std::string(name));
    if (items == shown.front().clips.end()) continue;
    examples.clips_in_all += items->second.size();
    for (const std::string& id : choose_clips(items->second, count))
      examples.clips.push_back(clip_example(shown, std::string(name), id, media));
  }
  for (const FlipExample& flip : examples.flips) examples.left_out += flip.image.url.empty() ? 1 : 0;
  for (const ClipExample& clip : examples.clips) examples.left_out += clip.sound.url.empty() ? 1 : 0;
  examples.has_media = true;
  return examples;
}

}  // namespace

Examples choose_examples(const Comparison& comparison, const packer::VerifiedPack* pack) {
  if (pack == nullptr) {
    Examples examples = choose_examples(comparison, EmbeddedMedia{});
    examples.has_media = false;
    return examples;
  }
  refuse_other_pack(comparison, *pack);
  MediaSource source(*pack);
  return choose_with(comparison, {[&](const std::string& id) { return source.image_of(id); },
                                  [&](const std::string& id) { return source.sound_of(id); }});
}

Examples choose_examples(const Comparison& comparison, const EmbeddedMedia& media) {
  return choose_with(comparison, {[&](const std::string& id) { return find_embedded(media.images, id); },
                                  [&](const std::string& id) { return find_embedded(media.sounds, id); }});
}

}  // namespace trainer
