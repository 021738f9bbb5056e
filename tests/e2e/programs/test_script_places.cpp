// scripts/overfitting_test.sh: sweeps, several processes, and the pack on the node's own disk.
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/job_cluster.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Cluster;
using support::count;
using support::put_program;

TEST_CASE("SWEEP runs the runs of a sweep file, one a task") {
  const Cluster cluster;
  CHECK(cluster.run({"SWEEP=s.json"}).code == 0);
  CHECK(count(cluster.calls(), "sweep s.json --task 0 --output-root ") == 1);
  CHECK(count(cluster.calls(), "sweep s.json --task 1 --output-root ") == 1);
  CHECK(count(cluster.calls(), "--pack-root") == 0);  // the file may name one, or several
  const Cluster other;
  CHECK(other.run({"SWEEP=s.json", "SLURM_ARRAY_TASK_ID=1", "BASE=llava"}).code == 0);
  CHECK(count(other.calls(), "--task 1 ") == 1);
  CHECK(count(other.calls(), "--task 0 ") == 0);
  CHECK(count(other.calls(), "--base llava ") == 1);
  CHECK(other.run({"SWEEP=s.json", "SLURM_ARRAY_TASK_ID=2"}).code == 2);
}

TEST_CASE("a sweep takes the pack that is named for all of it, and refuses variables that do not change it") {
  const Cluster cluster;
  fs::remove_all(cluster.scratch / "experiments");
  CHECK(cluster.run({"SWEEP=s.json", "DATA_ROOT=somewhere"}).code == 0);  // the default pack is not asked for
  CHECK(count(cluster.calls(), "--data-path somewhere ") == 2);
  CHECK(count(cluster.calls(), "--pack-root") == 0);
  fs::create_directories(cluster.scratch / "other");
  CHECK(cluster.run({"SWEEP=s.json", "PACK_ROOT=other"}).code == 0);
  CHECK(count(cluster.calls(), "--pack-root other ") == 2);
  CHECK(cluster.run({"SWEEP=s.json", "PACK_ROOT=nowhere"}).code == 3);
  const std::string before = cluster.calls();
  for (const char* variable : {"NUM_EPOCHS=3", "SEEDS=1 2", "SEED=1", "VARIANTS=full_safe", "TRAIN_BS=8"}) {
    const support::Finished done = cluster.run({"SWEEP=s.json", variable});
    const std::string name = std::string(variable).substr(0, std::string(variable).find('='));
    CHECK(done.code == 2);
    CHECK(done.err.find(name + " does not change a sweep") != std::string::npos);
  }
  const support::Finished staged = cluster.run({"SWEEP=s.json", "STAGE=st"});
  CHECK(staged.code == 2);
  CHECK(staged.err.find("PACK_ROOT") != std::string::npos);
  CHECK(count(cluster.calls(), "--task") == count(before, "--task"));
}

TEST_CASE("several processes get the TERM through their step, also where SLURM does not answer at first") {
  const Cluster cluster;
  put_program(cluster.scratch / "bin/srun",
              "if [[ $* == *listen* ]]; then until [[ -e holds ]]; do sleep 0.01; done; exit 143; fi\n"
              "for word; do [[ $word != --job-name=* ]] || echo ${word#*=} > step; done\n"
              "echo $$ > process\ntrap 'echo stopped >> calls; exit 75' TERM\n"
              "touch holds\nfor ((;;)); do sleep 0.01; done\n");
  put_program(cluster.scratch / "bin/squeue",
              "echo squeue \"$@\" >> calls\nif [[ $* != *--steps* ]]; then echo RUNNING; exit; fi\n"
              "if [[ ! -e asked ]]; then touch asked; exit 1; fi\n"
              "echo 13.0 safe-trainer-0-1\necho 12.1 $(cat step)\n");
  put_program(cluster.scratch / "bin/scancel",
              "echo scancel \"$@\" >> calls\n[[ ${@: -1} != 12.1 ]] || kill -TERM $(cat process)\n");
  const support::Finished done =
      cluster.run({"SLURM_JOB_ID=12", "SLURM_NTASKS=2", "SLURM_ARRAY_JOB_ID=10", "SLURM_ARRAY_TASK_ID=1"});
  CHECK_MESSAGE(done.code == 75, done.err);
  CHECK(count(cluster.calls(), "scancel --signal=TERM 12.1\n") == 1);
  CHECK(count(cluster.calls(), "scancel") == 1);
  CHECK(count(cluster.calls(), "stopped\n") == 1);
  CHECK(count(cluster.calls(), "scontrol requeue 10_1\n") == 1);
  CHECK(done.err.find("was stopped and has saved") != std::string::npos);
}

TEST_CASE(
    "STAGE copies the pack once, in a folder of the user's own, and again where the copy has lost files") {
  const Cluster cluster;
  const std::vector<std::string> staged = {"STAGE=$TMPDIR/st", "TMPDIR=" + cluster.scratch.path().string(),
                                           "VARIANTS=full_safe"};
  const std::string copy =
      cluster.scratch.path().string() + "/st/safe-packs-" + std::to_string(::getuid()) + "/safe-pack-abc";
  for (const std::string verdict : {"0", "0", "1"}) {
    cluster.set("verify", verdict);
    const support::Finished done = cluster.run(staged);
    CHECK_MESSAGE(done.code == 0, done.err);
    CHECK(count(cluster.calls(), "extract - --dest " + copy + " --expect abc\n") == (verdict == "0" ? 1 : 2));
  }
  CHECK(count(cluster.calls(), "--pack-root " + copy + " ") == 3);
  CHECK(count(cluster.calls(), "--pack-id abc ") == 3);
  cluster.set("verify", "0");
  CHECK(cluster.run({staged[0], staged[1], "SWEEP=s.json", "PACK_ROOT=experiments/overfitting/data_pack"})
            .code == 0);
  CHECK(count(cluster.calls(), "--pack-root " + copy + " ") == 5);
  CHECK(count(cluster.calls(), "--pack-id abc ") == 5);
}

TEST_CASE("a TERM while the pack is copied brings the job back at once") {
  const Cluster cluster;
  cluster.set("slow", "");
  cluster.set("term", "");
  cluster.set("state", "RUNNING\n");
  const support::Finished done =
      cluster.run({"STAGE=" + (cluster.scratch / "st").string(), "SLURM_JOB_ID=12"});
  CHECK(done.code == 75);
  CHECK(done.err.find("stopped while the pack was copied") != std::string::npos);
  // The packer ends too, and does not hold the lock. Whoever adopted it may not have collected it yet.
  const std::string status =
      "/proc/" + std::to_string(std::stoi(support::text_of_file(cluster.scratch / "packer"))) + "/status";
  const auto is_alive = [&] {
    return fs::exists(status) && support::text_of_file(status).find("State:\tZ") == std::string::npos;
  };
  for (int i = 0; i < 1000 && is_alive(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK_FALSE(is_alive());
  CHECK(count(cluster.calls(), "scontrol requeue 12\n") == 1);
  CHECK(count(cluster.calls(), "run --variant") == 0);
}

TEST_CASE(
    "a pack that cannot be copied ends the job with a last line, and one whose packer is killed comes back") {
  const Cluster cluster;
  const std::vector<std::string> job = {"STAGE=" + (cluster.scratch / "st").string(), "SLURM_JOB_ID=12"};
  cluster.set("state", "RUNNING\n");
  cluster.set("extract", "3");
  const support::Finished failed = cluster.run(job);
  CHECK(failed.code == 3);
  CHECK(failed.err.find("cannot copy ") != std::string::npos);
  CHECK(count(cluster.calls(), "scontrol") == 0);
  cluster.set("verify", "1");
  cluster.set("extract", "137");
  CHECK(cluster.run(job).code == 75);
  CHECK(cluster.run(job).code == 75);
  CHECK(cluster.run(job).code == 137);
  CHECK(count(cluster.calls(), "scontrol requeue 12\n") == 2);
}
