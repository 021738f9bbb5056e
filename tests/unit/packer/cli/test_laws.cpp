#include "packer/cli/verbs.hpp"
#include "tests/support/program_laws.hpp"

#include <doctest/doctest.h>

TEST_CASE("every verb of safe-packer refuses empty values and wrong numbers, and its help is whole") {
  support::check_laws(packer::safe_packer);
}
