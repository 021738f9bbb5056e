// The files of a run, as a report reads them; a byte in front tells which. What is accepted is written again.
#include "common/json.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "trainer/results/learning_curve.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  fuzz::may_refuse([&] {
    if (data[0] % 3 == 0) {
      const auto items = trainer::parse_predictions(text, "input");
      std::string again;
      for (const trainer::Prediction& item : items) again += common::dump_line(to_json(item)) + "\n";
      ENSURE(trainer::parse_predictions(again, "again").size() == items.size());
    } else if (data[0] % 3 == 2) {
      std::string again;
      for (const trainer::CurveLook& look : trainer::parse_curve(text))
        again += common::dump_line(to_json(look)) + "\n";
      std::string once_more;
      for (const trainer::CurveLook& look : trainer::parse_curve(again))
        once_more += common::dump_line(to_json(look)) + "\n";
      ENSURE(once_more == again);
    } else {
      const trainer::Metrics metrics = trainer::metrics_from_json(common::parse_json(text, "input"), "input");
      const common::Json written = to_json(metrics);
      ENSURE(to_json(trainer::metrics_from_json(written, "again")) == written);
    }
  });
  return 0;
}
