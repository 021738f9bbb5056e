// AudioCaps' csv: what is accepted has ids in order, none twice, and names that can be files.
#include "manifest/audiocaps_table.hpp"
#include "common/path.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::may_refuse([&] {
    const auto rows = manifest::parse_audiocaps_table(fuzz::text_of(data, size), "input");
    for (const manifest::ClipEntry& row : rows) {
      ENSURE(common::why_not_a_pack_path(row.youtube_id).empty());
      ENSURE(!row.caption.empty() && (!row.start_time_s || *row.start_time_s >= 0));
    }
  });
  return 0;
}
