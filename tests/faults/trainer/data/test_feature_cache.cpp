// The cache is optional: no system call that fails in it ends a run, and what a kill leaves is no entry.
#include "trainer/data/feature_cache.hpp"

#include <cstdio>

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/run_apart.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

using support::Fault;
using trainer::FeatureCache;
namespace fs = std::filesystem;

namespace {

const common::Digest k_maker = common::digest_of("an encoder"), k_file = common::digest_of("a file");
const trainer::CacheKey k_key({1, 2, 3});

const torch::Tensor& features() {
  static const torch::Tensor k_features = torch::arange(600).to(torch::kFloat32);
  return k_features;
}

// As a run has it: look, compute, keep.
void use(const fs::path& folder) {
  const FeatureCache cache(folder, k_maker, k_key);
  if (const auto found = cache.find(k_file)) {
    ENSURE(found->equal(features()));
    return;
  }
  cache.keep(k_file, features());
}

}  // namespace

TEST_CASE("whichever system call of the cache fails, the run goes on, and an entry is whole or not there") {
  (void)features();
  for (const bool filled : {false, true})
    for (const Fault fault :
         {Fault::error, Fault::full, Fault::interrupted, Fault::cut_short, Fault::killed}) {
      std::uint64_t at = 0;
      for (;; ++at) {
        const support::Scratch scratch;
        const fs::path folder = scratch / "features";
        if (filled) use(folder);
        const int code = support::run_apart(scratch.path(), fault, at + 1, [&] { use(folder); });
        CAPTURE(at);
        CAPTURE(static_cast<int>(fault));
        CAPTURE(std::string(support::count_calls().name));
        CHECK(code == (fault == Fault::killed && support::count_calls().struck ? support::k_killed : 0));
        if (!support::count_calls().struck) break;
        use(folder);  // the next run
        const FeatureCache cache(folder, k_maker, k_key);
        REQUIRE(cache.find(k_file).has_value());
        CHECK(cache.find(k_file)->equal(features()));
        // The entry, and nothing that a kill left of it.
        for (const auto& entry : fs::directory_iterator(folder / k_maker.hex()))
          CHECK((entry.path().filename() == k_file.hex() + ".features" || filled ||
                 entry.path().extension() == ".lock"));
      }
      std::printf("feature cache%s, fault %d: %llu calls\n", filled ? " with the entry" : "",
                  static_cast<int>(fault), static_cast<unsigned long long>(at));
    }
}
