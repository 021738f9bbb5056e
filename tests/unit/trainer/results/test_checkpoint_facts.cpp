#include "trainer/results/checkpoint_facts.hpp"

#include "common/error.hpp"

#include <doctest/doctest.h>

using trainer::CheckpointFacts;

TEST_CASE("what is written of a checkpoint is read back") {
  const CheckpointFacts facts{7, "c", 1234, "h"};
  const CheckpointFacts back = trainer::parse_checkpoint_facts(trainer::format_checkpoint_facts(facts), "x");
  CHECK(back.step == 7);
  CHECK(back.config_digest == "c");
  CHECK(back.history_bytes == 1234);
  CHECK(back.history_sha256 == "h");
}

TEST_CASE("a fact that is missing, or a number that is none, is refused by its name") {
  const auto good = trainer::format_checkpoint_facts({7, "c", 1234, "h"});
  for (const auto& [key, value] : good) {
    auto metadata = good;
    metadata.erase(key);
    CHECK_THROWS_WITH_AS((void)trainer::parse_checkpoint_facts(metadata, "x"), doctest::Contains(key.c_str()),
                         common::Error);
  }
  for (const char* key : {"step", "history_bytes"})
    for (const char* bad : {"", "-1", "1.5", "7x", " 7", "99999999999999999999", "0x7"}) {
      CAPTURE(bad);
      auto metadata = good;
      metadata[key] = bad;
      CHECK_THROWS_WITH_AS((void)trainer::parse_checkpoint_facts(metadata, "x"), doctest::Contains(key),
                           common::Error);
    }
}
