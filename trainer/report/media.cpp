#include "trainer/report/media.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "common/error.hpp"
#include "trainer/report/html.hpp"
#include "trainer/results/prediction.hpp"
#include "trainer/samples/samples.hpp"

namespace trainer {
namespace {

// A page that a phone opens and a mail carries.
constexpr std::size_t k_flips_shown = 12;
constexpr std::size_t k_memorised_shown = 6;
constexpr std::size_t k_held_out_shown = 3;
constexpr std::size_t k_media_limit_bytes = std::size_t{6} << 20;

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

// Pictures and sounds of a pack as data: URLs, as long as there is room.
class MediaSource {
 public:
  explicit MediaSource(const packer::VerifiedPack& pack) : pack_(pack) {
    const PackSamples samples = read_samples(pack_);
    for (const QuestionSample& question : samples.validation)
      images_.emplace(std::to_string(question.question_id), question.image);
    for (const auto* clips : {&samples.clips, &samples.held_out})
      for (const ClipSample& clip : *clips) sounds_.emplace(clip.clip_id, clip.path);
  }

  std::string image_of(const std::string& question_id) { return url_of(images_, question_id, "image/jpeg"); }
  std::string sound_of(const std::string& youtube_id) {
    const auto found = sounds_.find(youtube_id);
    const bool is_flac = found != sounds_.end() && found->second.text().ends_with(".flac");
    return url_of(sounds_, youtube_id, is_flac ? "audio/flac" : "audio/wav");
  }

 private:
  using Paths = std::map<std::string, common::PackPath>;

  std::string url_of(const Paths& paths, const std::string& id, const std::string& type) {
    const auto found = paths.find(id);
    if (found == paths.end()) return "";
    const common::Bytes bytes = pack_.read(found->second);
    if (used_bytes_ + bytes.size() > k_media_limit_bytes) return "";
    used_bytes_ += bytes.size();
    return "data:" + type + ";base64," + base64(bytes);
  }

  const packer::VerifiedPack& pack_;
  Paths images_, sounds_;
  std::size_t used_bytes_ = 0;
};

// Where the URL of a picture or sound comes from, by id; "" for none.
struct MediaUrls {
  std::function<std::string(const std::string&id)> image, sound;
};

std::string find_url(const std::map<std::string, std::string>& urls, const std::string& id) {
  const auto found = urls.find(id);
  return found == urls.end() ? "" : found->second;
}

FlipExample flip_example(const std::vector<Shown>& shown, const std::string& id, const MediaUrls& media) {
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
                         const MediaUrls& media) {
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

Examples choose_with(const Comparison& comparison, const MediaUrls& media) {
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
  for (const FlipExample& flip : examples.flips) examples.left_out += flip.image.empty() ? 1 : 0;
  for (const ClipExample& clip : examples.clips) examples.left_out += clip.sound.empty() ? 1 : 0;
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
  return choose_with(comparison, {[&](const std::string& id) { return find_url(media.images, id); },
                                  [&](const std::string& id) { return find_url(media.sounds, id); }});
}

}  // namespace trainer
