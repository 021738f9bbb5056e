#ifdef SAFE_TRAINER
#include <string>

#include "tests/support/process.hpp"

#include <doctest/doctest.h>

TEST_CASE("under any limit on address space, the trainer works or ends with a sentence and code 3") {
  const support::Scratch scratch;
  int refused = 0, worked = 0;
  for (int mib = 512; worked == 0 && mib < (1 << 20); mib += mib / 4) {
    CAPTURE(mib);
    const support::Finished finished = support::run_process(
        {"bash", "-c",
         "ulimit -v " + std::to_string(mib * 1024) + "; exec timeout 60 " SAFE_BIN "/safe-trainer --version"},
        scratch.path());
    // Too little to load the libraries at all: the loader's own sentence, and its code.
    if (finished.code == 127) continue;
    worked += finished.code == 0 ? 1 : 0;
    if (finished.code == 0) continue;
    CHECK(finished.code == 3);
    CHECK(finished.err.find("safe-trainer: out of memory: the limit on address space (ulimit -v) is " +
                            std::to_string(mib) + " MiB") == 0);
    ++refused;
  }
  CHECK(refused > 0);
  CHECK(worked == 1);
}
#endif
