#include "packer/check/show.hpp"

#include <algorithm>

namespace packer {
namespace {

void add_clip(const FileInfo& file, PackSummary& summary) {
  const ClipFacts& clip = *file.clip;
  const std::string& path = file.path.text();
  const std::size_t first = path.find('/') + 1;
  SplitSummary& split = summary.splits[path.substr(first, path.find('/', first) - first)];
  const double hours = static_cast<double>(clip.frames) / clip.rate_hz / 3600;
  split.clips += 1;
  split.hours += hours;
  summary.clips += 1;
  summary.hours += hours;
  summary.rates_hz[clip.rate_hz] += 1;
  summary.channels[clip.channels] += 1;
  summary.made[name_of_making(clip.making)] += 1;
}

void add_image(const ImageFacts& image, PackSummary& summary) {
  const bool is_first = summary.images++ == 0;
  ImageFacts& low = summary.smallest;
  ImageFacts& high = summary.largest;
  low = is_first ? image : ImageFacts{std::min(low.width, image.width), std::min(low.height, image.height)};
  high = ImageFacts{std::max(high.width, image.width), std::max(high.height, image.height)};
}

}  // namespace

PackSummary summarise(const Outline& outline) {
  PackSummary summary;
  for (const PackFile& file : outline.examination.files) summary.bytes += file.bytes;
  for (const FileInfo& file : outline.examination.info->files) {
    if (file.clip) add_clip(file, summary);
    if (file.image) add_image(*file.image, summary);
  }
  summary.remarks = remark_on_clips(*outline.examination.info, outline.examination.sums);
  remark_on_cuts(*outline.examination.info, summary.remarks);
  return summary;
}

}  // namespace packer
