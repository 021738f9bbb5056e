#include "trainer/model/memory.hpp"

#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

namespace {

constexpr const char* k_step = "0::/system.slice/slurmstepd.scope/job_7/step_batch/user/task_0\n";

void put(const fs::path& folder, const std::string& name, const std::string& text) {
  fs::create_directories(folder);
  support::put_file(folder / name, text);
}

void limit(const fs::path& folder, const std::string& most, const std::string& used,
           const std::string& stat = "anon 1\ninactive_file 0\n") {
  put(folder, "memory.max", most + "\n");
  put(folder, "memory.current", used + "\n");
  put(folder, "memory.stat", stat);
}

}  // namespace

TEST_CASE("a job's limit holds for the processes that are several groups below it") {
  const support::Scratch scratch;
  const fs::path job = scratch / "system.slice/slurmstepd.scope/job_7";
  CHECK_FALSE(group_memory(k_step, scratch.path()));
  limit(job / "step_batch/user/task_0", "max", "900");
  CHECK_FALSE(group_memory(k_step, scratch.path()));
  limit(job, "4000", "1500");
  CHECK(group_memory(k_step, scratch.path())->free == 2500);
  CHECK(group_memory(k_step, scratch.path())->total == 4000);
  // The least of several, wherever it is; what others of the job use is gone for all.
  limit(job / "step_batch", "3000", "1000");
  CHECK(group_memory(k_step, scratch.path())->free == 2000);
  CHECK(group_memory(k_step, scratch.path())->total == 3000);
  limit(job, "4000", "3900");
  CHECK(group_memory(k_step, scratch.path())->free == 100);
  limit(job, "4000", "5000");
  CHECK(group_memory(k_step, scratch.path())->free == 0);
}

TEST_CASE("pages of files that nobody has used lately are free") {
  const support::Scratch scratch;
  limit(scratch / "job", "4000", "3900", "anon 400\ninactive_file 3000\nactive_file 500\n");
  CHECK(group_memory("0::/job\n", scratch.path())->free == 3100);
}

TEST_CASE("control groups of version 1 are read too, and one without a limit has none") {
  const support::Scratch scratch;
  const std::string membership = "12:cpuset:/slurm/job_7\n4:memory:/slurm/job_7/step_0\n1:name=systemd:/\n";
  const fs::path job = scratch / "memory/slurm/job_7";
  const auto put_limit = [](const fs::path& folder, const std::string& most) {
    put(folder, "memory.limit_in_bytes", most + "\n");
    put(folder, "memory.usage_in_bytes", "1000\n");
    put(folder, "memory.stat", "total_inactive_file 200\n");
  };
  put_limit(job / "step_0", "9223372036854771712");  // that is none
  CHECK_FALSE(group_memory(membership, scratch.path()));
  put_limit(job, "5000");
  CHECK(group_memory(membership, scratch.path())->free == 4200);
}

TEST_CASE("a membership that is none, or of the root, finds no limit") {
  const support::Scratch scratch;
  for (const char* membership : {"", "nonsense", "0::", "0::/\n", "0::/../..\n", ":::\n"}) {
    CAPTURE(membership);
    CHECK_FALSE(group_memory(membership, scratch.path()));
  }
}
