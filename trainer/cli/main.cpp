// safe-trainer: which numbers.
#include "trainer/cli/verbs.hpp"

int main(int argc, char** argv) { return trainer::safe_trainer().run(argc, argv); }
