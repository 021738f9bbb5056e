#include "packer/leaks/near_duplicates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "common/error.hpp"
#include "common/media/audio.hpp"
#include "common/media/image.hpp"
#include "common/parallel.hpp"
#include "manifest/format/parse.hpp"
#include "packer/leaks/picture_match.hpp"
#include "packer/leaks/sound_match.hpp"
#include "packer/leaks/vision.hpp"

namespace packer {
namespace {

// An item's mark, or why it has none.
template <typename Mark>
struct Marked {
  std::optional<Mark> mark;
  std::string why_not;
};

Marked<PictureMark> mark_picture(const Vision& vision, const LeakItem& item, common::ByteView bytes) {
  try {
    const PictureMark mark = vision.mark(common::decode_picture(bytes, item.path));
    if (is_flat(mark)) return {std::nullopt, "flat: its grey levels hardly differ"};
    return {mark, {}};
  } catch (const common::Error& error) {
    if (error.kind() != common::ErrorKind::mismatch) throw;
    return {std::nullopt, error.what()};
  }
}

Marked<SoundMark> mark_clip(const Vision& vision, const LeakItem& item, common::ByteView bytes) {
  try {
    const common::Waveform sound = common::decode_audio(bytes, item.path);
    SoundMark mark = mark_sound(vision.levels(common::to_mono(sound, k_sound_rate_hz)));
    if (mark.silent) return {std::nullopt, "silent"};
    if (mark.is_even()) return {std::nullopt, "too steady or too short: nothing in it to tell it by"};
    return {std::move(mark), {}};
  } catch (const common::Error& error) {
    if (error.kind() != common::ErrorKind::mismatch) throw;
    return {std::nullopt, error.what()};
  }
}

std::optional<Leak> compare(const PictureMark& a, const PictureMark& b) {
  const auto likeness = compare_pictures(a, b);
  if (!likeness || !likeness->is_near_duplicate()) return std::nullopt;
  return Leak{{}, {}, false, likeness->detail, 0};
}

std::optional<Leak> compare(const SoundMark& a, const SoundMark& b) {
  const auto likeness = compare_sounds(a, b);
  if (!likeness || !likeness->is_near_duplicate()) return std::nullopt;
  return Leak{{}, {}, false, likeness->errors, static_cast<double>(likeness->lag) * k_hop / k_sound_rate_hz};
}

bool may_leak(const LeakItem& a, const LeakItem& b) { return a.pack != b.pack || a.split != b.split; }

// Of one kind; sorted.
template <typename Mark, typename MarkItem>
void compare_all(const std::vector<LeakItem>& items, const LeakRequest& request, const char* kind,
                 const MarkItem& mark_item, LeakReport& report) {
  std::vector<Marked<Mark>> marked(items.size());
  {
    common::Progress progress("looking at", kind, items.size(), request.verbosity);
    common::parallel_for(items.size(), request.threads, [&](std::size_t i) {
      marked[i] = mark_item(items[i]);
      progress.add(1);
    });
  }
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!marked[i].mark) report.not_compared.push_back({items[i], marked[i].why_not});
  std::vector<std::vector<Leak>> found(items.size());
  common::parallel_for(items.size(), request.threads, [&](std::size_t i) {
    if (!marked[i].mark) return;
    for (std::size_t j = i + 1; j < items.size(); ++j) {
      if (!marked[j].mark || !may_leak(items[i], items[j])) continue;
      std::optional<Leak> leak;
      if (items[i].digest == items[j].digest)
        leak = Leak{{}, {}, true, 0, 0};
      else
        leak = compare(*marked[i].mark, *marked[j].mark);
      if (!leak) continue;
      leak->a = items[i];
      leak->b = items[j];
      found[i].push_back(*std::move(leak));
    }
  });
  for (std::vector<Leak>& leaks : found) report.leaks.insert(report.leaks.end(), leaks.begin(), leaks.end());
}

}  // namespace

std::string describe(const LeakItem& item, const std::vector<std::string>& packs) {
  return fmt::format("{}{} of {} ({})", packs.size() < 2 ? "" : packs[item.pack] + ": ", item.path,
                     file_of(item.split), item.id);
}

std::string describe(const Leak& leak, const std::vector<std::string>& packs) {
  std::string how = leak.same_bytes ? "the same bytes" : fmt::format("distance {:.3f}", leak.distance);
  if (leak.shift_s != 0) how += fmt::format(", shifted by {:.2f} s", leak.shift_s);
  return fmt::format("{}: {}: {} and {}", leak.a.is_picture() ? "picture" : "sound", how,
                     describe(leak.a, packs), describe(leak.b, packs));
}

std::vector<LeakItem> media_of(const VerifiedPack& pack, std::size_t number) {
  std::vector<LeakItem> items;
  for (const Role split : {Role::manifest, Role::audio_val_manifest, Role::val_manifest,
                           Role::retention_manifest, Role::base_manifest}) {
    const common::PackPath path(file_of(split));
    if (!pack.contains(path)) continue;
    std::set<std::string> seen;
    const auto take = [&](std::string media, std::string id) {
      if (!seen.insert(media).second) return;
      const common::Digest& digest = pack.digest(common::PackPath(media));
      items.push_back({number, split, std::move(media), std::move(id), digest});
    };
    const common::Bytes bytes = pack.read(path);
    const std::string_view text = common::text_of(bytes);
    if (split == Role::manifest || split == Role::audio_val_manifest)
      (void)manifest::scan_subset(text, path.text(), [&](manifest::ClipEntry&& clip) {
        take(std::move(clip.audio_relpath), std::move(clip.clip_id));
      });
    else
      (void)manifest::scan_vqa(
          text, path.text(),
          [&](manifest::QuestionEntry&& entry) { take(image_path(entry), std::to_string(entry.image_id)); },
          [](manifest::ClipEntry&&) {});
  }
  return items;
}

LeakReport find_near_duplicates(std::vector<LeakItem> items,
                                const std::function<common::Bytes(const LeakItem&)>& read,
                                const LeakRequest& request) {
  const auto place = [](const LeakItem& item) { return std::tie(item.pack, item.split, item.path); };
  std::sort(items.begin(), items.end(),
            [&](const LeakItem& a, const LeakItem& b) { return place(a) < place(b); });
  const auto behind = std::stable_partition(items.begin(), items.end(),
                                            [](const LeakItem& item) { return item.is_picture(); });
  const std::vector<LeakItem> pictures(items.begin(), behind), sounds(behind, items.end());
  const Vision vision = Vision::load();
  LeakReport report;
  report.pictures = pictures.size();
  report.sounds = sounds.size();
  compare_all<PictureMark>(
      pictures, request, "pictures",
      [&](const LeakItem& item) { return mark_picture(vision, item, read(item)); }, report);
  compare_all<SoundMark>(
      sounds, request, "sounds", [&](const LeakItem& item) { return mark_clip(vision, item, read(item)); },
      report);
  return report;
}

}  // namespace packer
