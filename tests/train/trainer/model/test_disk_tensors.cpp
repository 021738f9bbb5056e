#include "trainer/model/disk_tensors.hpp"

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/tensors.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::noise;

TEST_CASE("what is kept on the disk is what was given, and leaves no file behind") {
  const support::Scratch scratch;
  std::vector<torch::Tensor> given, kept;
  {
    const DiskTensors disk(scratch / "features");
    for (std::int64_t i = 0; i < 4; ++i) {
      given.push_back(noise({300, 100 + i}, i).to(i % 2 == 0 ? torch::kFloat32 : torch::kBFloat16));
      kept.push_back(disk.keep(given.back()));
    }
    CHECK(disk.bytes() >= 2 * 300 * 100 * 4);
    CHECK(std::filesystem::is_empty(scratch / "features"));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    CHECK(kept[i].equal(given[i]));
    CHECK((kept[i].scalar_type() == given[i].scalar_type()));
  }
  kept[0].zero_();  // its own copy of the pages
  CHECK(kept[2].equal(given[2]));
}

TEST_CASE("small tensors, and those of no folder, stay in memory") {
  const support::Scratch scratch;
  const DiskTensors disk(scratch.path()), none;
  const torch::Tensor small = noise({4, 4}, 1), large = noise({300, 300}, 2);
  CHECK(disk.keep(small).equal(small));
  CHECK(disk.bytes() == 0);
  CHECK(none.keep(large).equal(large));
  CHECK(none.bytes() == 0);
}

TEST_CASE("a folder that cannot be had is an error that names it") {
  const support::Scratch scratch;
  support::put_file(scratch / "file", std::string("no folder"));
  const DiskTensors disk(scratch / "file");
  CHECK_THROWS_WITH_AS((void)disk.keep(noise({300, 300}, 2)),
                       doctest::Contains((scratch / "file").string().c_str()), common::Error);
}
