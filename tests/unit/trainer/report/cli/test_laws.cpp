#include "tests/support/program_laws.hpp"
#include "trainer/report/cli/commands.hpp"

#include <doctest/doctest.h>

TEST_CASE("every verb of safe-report refuses empty values and wrong numbers, and its help is whole") {
  support::check_laws(trainer::safe_report);
}
