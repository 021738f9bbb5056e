// AudioCaps' tables; a byte in front tells the form. What is accepted has ids, names that can be files, and
// captions.
#include "manifest/tables/clip_table.hpp"
#include "common/path.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto form = static_cast<manifest::TableForm>(data[0] % 3);
  fuzz::may_refuse([&] {
    const auto rows = manifest::parse_clip_table(fuzz::text_of(data + 1, size - 1), "input", form);
    for (const manifest::ClipEntry& row : rows) {
      ENSURE(common::why_not_a_pack_path(row.clip_id).empty());
      ENSURE(!row.caption_id.empty() && !row.caption.empty() &&
             (!row.start_time_s || *row.start_time_s >= 0));
      for (const std::string& caption : row.captions) ENSURE(!caption.empty());
    }
  });
  return 0;
}
