#include "packer/leaks/near_duplicates.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "common/error.hpp"
#include "common/media/image.hpp"
#include "common/parallel.hpp"
#include "manifest/format/parse.hpp"
#include "packer/leaks/picture_match.hpp"
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

bool may_leak(const LeakItem& a, const LeakItem& b) { return a.pack != b.pack || a.split != b.split; }

}  // namespace

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
  items.erase(
      std::remove_if(items.begin(), items.end(), [](const LeakItem& item) { return !item.is_picture(); }),
      items.end());
  std::sort(items.begin(), items.end(),
            [&](const LeakItem& a, const LeakItem& b) { return place(a) < place(b); });
  const Vision vision = Vision::load();
  std::vector<Marked<PictureMark>> marked(items.size());
  {
    common::Progress progress("looking at", "files", items.size(), request.verbosity);
    common::parallel_for(items.size(), request.threads, [&](std::size_t i) {
      marked[i] = mark_picture(vision, items[i], read(items[i]));
      progress.add(1);
    });
  }
  LeakReport report;
  report.pictures = items.size();
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!marked[i].mark) report.not_compared.push_back({items[i], marked[i].why_not});
  std::vector<std::vector<Leak>> found(items.size());
  common::parallel_for(items.size(), request.threads, [&](std::size_t i) {
    if (!marked[i].mark) return;
    for (std::size_t j = i + 1; j < items.size(); ++j) {
      if (!marked[j].mark || !may_leak(items[i], items[j])) continue;
      if (items[i].digest == items[j].digest) {
        found[i].push_back({items[i], items[j], true, 0});
        continue;
      }
      const auto likeness = compare_pictures(*marked[i].mark, *marked[j].mark);
      if (likeness && likeness->is_near_duplicate())
        found[i].push_back({items[i], items[j], false, likeness->detail});
    }
  });
  for (std::vector<Leak>& leaks : found) report.leaks.insert(report.leaks.end(), leaks.begin(), leaks.end());
  return report;
}

}  // namespace packer
