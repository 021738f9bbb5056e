#include "packer/leaks/near_duplicates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "common/error.hpp"
#include "common/media/audio.hpp"
#include "common/media/image.hpp"
#include "common/parallel.hpp"
#include "manifest/format/parse.hpp"
#include "packer/leaks/picture_pairs.hpp"
#include "packer/leaks/sound_pairs.hpp"
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
    if (mark.has_too_little())
      return {std::nullopt, "too short or too steady: too little happens in it to tell it by"};
    return {std::move(mark), {}};
  } catch (const common::Error& error) {
    if (error.kind() != common::ErrorKind::mismatch) throw;
    return {std::nullopt, error.what()};
  }
}

Leak leak_of(const PicturePair& pair) { return {{}, {}, false, pair.likeness.detail, 0}; }

Leak leak_of(const SoundPair& pair) {
  const double shift_s = static_cast<double>(pair.likeness.lag) * k_hop / k_sound_rate_hz;
  return {{}, {}, false, pair.likeness.errors, shift_s};
}

using Places = std::pair<std::size_t, std::size_t>;  // in the items; the first is the smaller

// Equal bytes need no look, and what was not compared may have them too.
std::map<Places, Leak> equal_bytes(const std::vector<LeakItem>& items,
                                   const std::vector<std::uint32_t>& groups) {
  std::map<common::Digest, std::vector<std::size_t>> of_digest;
  for (std::size_t i = 0; i < items.size(); ++i) of_digest[items[i].digest].push_back(i);
  std::map<Places, Leak> leaks;
  for (const auto& [digest, places] : of_digest)
    for (std::size_t x = 0; x < places.size(); ++x)
      for (std::size_t y = x + 1; y < places.size(); ++y)
        if (groups[places[x]] != groups[places[y]])
          leaks.emplace(Places{places[x], places[y]}, Leak{{}, {}, true, 0, 0});
  return leaks;
}

// A number for each pack and split: items of one are not compared with each other.
std::vector<std::uint32_t> groups_of(const std::vector<LeakItem>& items) {
  std::map<std::pair<std::size_t, Role>, std::uint32_t> numbers;
  std::vector<std::uint32_t> groups;
  groups.reserve(items.size());
  for (const LeakItem& item : items)
    groups.push_back(
        numbers.emplace(std::pair(item.pack, item.split), static_cast<std::uint32_t>(numbers.size()))
            .first->second);
  return groups;
}

template <typename Mark, typename MarkItem>
std::vector<Marked<Mark>> mark_all(const std::vector<LeakItem>& items, const LeakRequest& request,
                                   const char* kind, const MarkItem& mark_item) {
  std::vector<Marked<Mark>> marked(items.size());
  common::Progress progress("looking at", kind, items.size(), request.verbosity);
  common::parallel_for(items.size(), request.threads, [&](std::size_t i) {
    marked[i] = mark_item(items[i]);
    progress.add(1);
  });
  return marked;
}

// Of one kind; sorted. `find_pairs` takes marks and their groups.
template <typename Mark, typename MarkItem, typename FindPairs>
std::size_t compare_all(const std::vector<LeakItem>& items, const LeakRequest& request, const char* kind,
                        const MarkItem& mark_item, const FindPairs& find_pairs, LeakReport& report) {
  std::vector<Marked<Mark>> marked = mark_all<Mark>(items, request, kind, mark_item);
  const std::vector<std::uint32_t> groups = groups_of(items);
  std::map<Places, Leak> leaks = equal_bytes(items, groups);
  std::vector<Mark> marks;
  std::vector<std::uint32_t> groups_of_marks;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!marked[i].mark) {
      report.not_compared.push_back({items[i], marked[i].why_not});
      continue;
    }
    marks.push_back(*std::move(marked[i].mark));
    groups_of_marks.push_back(groups[i]);
    places.push_back(i);
  }
  marked = {};
  for (const auto& pair : find_pairs(marks, groups_of_marks, request.threads))
    leaks.emplace(Places{places[pair.a], places[pair.b]}, leak_of(pair));
  for (auto& [at, leak] : leaks) {
    leak.a = items[at.first];
    leak.b = items[at.second];
    report.leaks.push_back(std::move(leak));
  }
  return marks.size();
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
                           Role::retention_manifest, Role::base_manifest, Role::unlike_manifest}) {
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
  report.pictures = compare_all<PictureMark>(
      pictures, request, "pictures",
      [&](const LeakItem& item) { return mark_picture(vision, item, read(item)); }, find_picture_pairs,
      report);
  report.sounds = compare_all<SoundMark>(
      sounds, request, "sounds", [&](const LeakItem& item) { return mark_clip(vision, item, read(item)); },
      find_sound_pairs, report);
  return report;
}

}  // namespace packer
