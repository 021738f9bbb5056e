// safe-report: what finished runs say, without LibTorch.
#include "trainer/report/cli/commands.hpp"

int main(int argc, char** argv) { return trainer::safe_report().run(argc, argv); }
