// safe-trainer: which numbers.
#include "trainer/cli/address_space.hpp"
#include "trainer/cli/arithmetic.hpp"
#include "trainer/cli/verbs.hpp"

static void prepare(int count, char** words, char** environment) {
  trainer::require_address_space(count, words, environment);
  trainer::fix_arithmetic(count, words, environment);
}

// Before the libraries' own code runs.
[[gnu::section(".preinit_array"), gnu::used]] static void (*const k_before_libraries)(int, char**,
                                                                                      char**) = prepare;

int main(int argc, char** argv) { return trainer::safe_trainer().run(argc, argv); }
