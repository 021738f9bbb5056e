// safe-trainer: which numbers.
#include "trainer/cli/address_space.hpp"
#include "trainer/cli/verbs.hpp"

// Before the libraries' own code runs.
[[gnu::section(".preinit_array"),
  gnu::used]] static void (*const k_before_libraries)(int, char**, char**) = trainer::require_address_space;

int main(int argc, char** argv) { return trainer::safe_trainer().run(argc, argv); }
