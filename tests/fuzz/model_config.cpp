// The configurations of a model's folder, by the first byte: what is accepted is accepted again as it is
// written.
#include "common/json.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "trainer/formats/clap_config.hpp"
#include "trainer/formats/llava_config.hpp"
#include "trainer/formats/log_mel_config.hpp"
#include "trainer/formats/pixels_config.hpp"

namespace {

// Format errors of both directions are refusals; of what was written they are bugs.
template <typename Parse, typename Write>
void check_round_trip(const common::Json& json, const Parse& parse, const Write& write) {
  const common::Json written = write(parse(json));
  bool is_the_same = false;
  try {
    is_the_same = write(parse(written)) == written;
  } catch (const common::Error&) {  // and so it is not
  }
  ENSURE(is_the_same);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  fuzz::may_refuse([&] {
    const common::Json json = common::parse_json(fuzz::text_of(data + 1, size - 1), "config.json");
    switch (data[0] % 4) {
      case 0:
        check_round_trip(
            json,
            [](const common::Json& config) {
              auto llava = trainer::parse_llava_config(config, "config.json");
              trainer::check(llava, "config.json");
              return llava;
            },
            trainer::format_llava_config);
        break;
      case 1:
        check_round_trip(
            json,
            [](const common::Json& config) { return trainer::parse_clap_config(config, "config.json"); },
            trainer::format_clap_config);
        break;
      case 2:
        check_round_trip(
            json,
            [](const common::Json& config) { return trainer::parse_pixels_config(config, "config.json"); },
            trainer::format_pixels_config);
        break;
      default:
        (void)trainer::parse_log_mel_config(json, "config.json");
    }
  });
  return 0;
}
