#include "trainer/report/tensorboard.hpp"

#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"

#include <doctest/doctest.h>

using namespace trainer;

TEST_CASE("CRC-32C is that of RFC 3720") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xE3069283U);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43U);
}

TEST_CASE("an event file is whole records, one a step and two beside them, and the same every time") {
  const support::Scratch scratch;
  const RunSummary run = read_run(support::make_run(scratch.path(), {.steps = 5}));
  const std::string file = event_file(run);
  int records = 0;
  for (std::size_t at = 0; at < file.size(); ++records) {
    REQUIRE(at + 12 <= file.size());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.data()) + at;
    at += 12 + common::load_le64(bytes) + 4;
    REQUIRE(at <= file.size());
  }
  CHECK(records == 7);
  CHECK(event_file(run) == file);
  CHECK(file.find("train/kl_loss") != std::string::npos);
  CHECK(file.find("validation/vl_base_accuracy") != std::string::npos);
  write_event_files({run}, scratch / "boards");
  CHECK(support::text_of_file(scratch / "boards/" / run.name / "events.out.tfevents.0.safe") == file);
}
