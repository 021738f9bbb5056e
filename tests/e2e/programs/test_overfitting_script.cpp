// scripts/overfitting_test.sh: which variants it starts, with which flags, and what it makes of their exit
// codes.
#include <filesystem>

#include "tests/support/job_cluster.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Cluster;
using support::count;
using support::put_program;

TEST_CASE("in plain bash the helper runs the three variants in order, on the pack in its place") {
  const Cluster cluster;
  const support::Finished done = cluster.run({});
  CHECK_MESSAGE(done.code == 0, done.err);
  const std::string calls = cluster.calls();
  const std::size_t first = calls.find("run --variant no_retention "),
                    second = calls.find("run --variant soft_retention "),
                    third = calls.find("run --variant full_safe ");
  CHECK(first == 0);
  CHECK(first < second);
  CHECK(second < third);
  CHECK(third != std::string::npos);
  const std::string root = fs::canonical(cluster.scratch.path()).string() + "/experiments/overfitting/";
  // Nothing else: what is not set has the defaults of safe-trainer run.
  CHECK(count(calls, "--pack-root " + root + "data_pack --output-root " + root +
                         "runs --eval-with-audio-gate --eval-audio-gate-comparison \n") == 3);
  CHECK(count(calls, "--resume") == 0);
  CHECK(count(calls, "--debug-logging") == 0);
  CHECK(count(calls, "srun") == 0);
}

TEST_CASE("the helper's environment and arguments reach the trainer") {
  const Cluster cluster;
  const fs::path elsewhere = cluster.scratch / "else where";
  fs::create_directories(elsewhere);
  put_program(elsewhere / "trainer", "printf '[%s]' \"$@\" >> calls\n");
  const support::Finished done = cluster.run(
      {"SAFE_TRAINER=" + (elsewhere / "trainer").string(), "PACK_ROOT=" + elsewhere.string(), "NUM_EPOCHS=3",
       "DEBUG_LOGGING=1", "MODEL_CONFIG=full", "BASE=llava", "AUDIO_ENCODER=clap"},
      {"--threads", "2"});
  CHECK_MESSAGE(done.code == 0, done.err);
  for (const std::string& part :
       {"[--pack-root][" + elsewhere.string() + "]", std::string("[--num-epochs][3]"),
        std::string(
            "[--model-config][full][--base][llava][--audio-encoder][clap][--debug-logging][--threads][2]")}) {
    CAPTURE(part);
    CHECK(count(cluster.calls(), part) == 3);
  }
}

TEST_CASE("DATA_ROOT is the pack where it is one, as in the original, and else holds the sources") {
  const Cluster cluster;
  const fs::path pack = cluster.scratch / "my_pack";
  fs::create_directories(pack);
  support::put_file(pack / "SHA256SUMS", "");
  CHECK(cluster.run({"DATA_ROOT=" + pack.string()}).code == 0);
  CHECK(count(cluster.calls(), "--pack-root " + pack.string() + " ") == 3);
  const Cluster other;
  CHECK(other.run({"DATA_ROOT=" + other.scratch.path().string()}).code == 0);
  CHECK(count(other.calls(), "--data-path " + other.scratch.path().string() + " ") == 3);
  CHECK(count(other.calls(), "overfitting/data_pack ") == 3);
}

TEST_CASE("the helper asks SLURM for no GPU, which the environment may") {
  const std::string script = support::text_of_file(SAFE_SOURCE_DIR "/scripts/overfitting_test.sh");
  CHECK(count(script, "#SBATCH --gres") == 0);
  CHECK(count(script, "SBATCH_GRES=gpu:1 sbatch") == 1);
}

TEST_CASE("a variant that fails does not stop the others, and is named at the end") {
  const Cluster cluster;
  cluster.set("no_retention", "1");
  cluster.set("full_safe", "3");
  const support::Finished done = cluster.run({});
  CHECK(done.code == 1);
  CHECK(count(cluster.calls(), "run --variant") == 3);
  CHECK(done.err.find("failed: no_retention (exit code 1), full_safe (exit code 3)") != std::string::npos);
  CHECK(done.err.find("done:") == std::string::npos);
}

TEST_CASE("a variant that was asked to stop ends the helper with 75") {
  const Cluster cluster;
  cluster.set("soft_retention", "75");
  const support::Finished done = cluster.run({});
  CHECK(done.code == 75);
  CHECK(count(cluster.calls(), "run --variant") == 2);
  CHECK(done.err.find("--resume") != std::string::npos);
}

TEST_CASE("a TERM to the helper reaches the trainer, whose exit code is waited for") {
  const Cluster cluster;
  cluster.set("wait", "");
  CHECK(cluster.run({}).code == 75);
}

TEST_CASE("an array task runs its variant, into the array's folder") {
  const char* variants[] = {"no_retention", "soft_retention", "full_safe"};
  for (int task = 0; task < 3; ++task) {
    const Cluster cluster;
    const support::Finished done =
        cluster.run({"SLURM_JOB_ID=12", "SLURM_ARRAY_JOB_ID=10", "SLURM_CPUS_PER_TASK=8",
                     "SLURM_ARRAY_TASK_ID=" + std::to_string(task)});
    CHECK_MESSAGE(done.code == 0, done.err);
    const std::string calls = cluster.calls();
    CHECK(count(calls, "run --variant " + std::string(variants[task]) + " ") == 1);
    CHECK(count(calls, "run --variant") == 1);
    CHECK(calls.find("runs/10 ") != std::string::npos);
  }
}

TEST_CASE("a TERM to the job's steps reaches the trainer, also before it has anything to save") {
  for (const char* code : {"75", "130"}) {
    const Cluster cluster;
    cluster.set("hold", code);
    cluster.set("term", "");
    cluster.set("state", "RUNNING\n");
    CHECK(cluster.run({"SLURM_JOB_ID=12"}).code == 75);
    CHECK(count(cluster.calls(), "srun --ntasks=1 --overlap ") == 1);
    CHECK(count(cluster.calls(), "scontrol requeue 12\n") == 1);
  }
}

TEST_CASE("a trainer that is killed after its job was stopped has not been killed by itself") {
  const Cluster cluster;
  cluster.set("hold", "137");
  cluster.set("term", "");
  cluster.set("state", "RUNNING\n");
  for (std::size_t stop = 1; stop <= 4; ++stop) {
    const support::Finished done = cluster.run({"SLURM_JOB_ID=12"});
    CHECK(done.code == 75);
    CHECK(done.err.find("was stopped before it could save") != std::string::npos);
    CHECK(count(cluster.calls(), "scontrol requeue 12\n") == stop);
  }
}

TEST_CASE("a job whose steps hear no signal says so, and why") {
  const Cluster cluster;
  cluster.set("deaf", "srun: error: no step\n");
  const support::Finished done = cluster.run({"SLURM_JOB_ID=12"});
  CHECK(done.code == 0);
  CHECK(count(done.err, "no longer hears scancel --signal") == 1);
  CHECK(done.err.find("exit code 1: srun: error: no step\n") != std::string::npos);
  const Cluster other;
  CHECK(count(other.run({"SLURM_JOB_ID=12"}).err, "no longer hears scancel --signal") == 0);
}

TEST_CASE("a controller that does not answer is asked again, and the log says where that did not help") {
  const Cluster cluster;
  cluster.set("no_retention", "75");
  cluster.set("state", "");
  const support::Finished done = cluster.run({"SLURM_JOB_ID=12"});
  CHECK(done.code == 75);
  CHECK(done.err.find("SLURM did not requeue job 12 (squeue says: nothing)") != std::string::npos);
  CHECK(count(cluster.calls(), "squeue") == 5);
  CHECK(count(cluster.calls(), "scontrol") == 0);
  put_program(cluster.scratch / "bin/squeue", "[[ -e asked ]] && echo RUNNING || touch asked\n");
  CHECK(cluster.run({"SLURM_JOB_ID=12"}).code == 75);
  CHECK(count(cluster.calls(), "scontrol requeue 12\n") == 1);
}

TEST_CASE("a stopped job requeues itself while it runs, and not while it is cancelled") {
  const Cluster cluster;
  const std::vector<std::string> job = {"SLURM_JOB_ID=12", "SLURM_ARRAY_JOB_ID=10", "SLURM_ARRAY_TASK_ID=2"};
  cluster.set("full_safe", "75");
  cluster.set("state", "RUNNING\n");
  CHECK(cluster.run(job).code == 75);
  // The number of an array's last task is that of the array, and would bring all of them back.
  CHECK(count(cluster.calls(), "scontrol requeue 10_2\n") == 1);
  cluster.set("state", "SIGNALING\n");
  CHECK(cluster.run(job).code == 75);
  CHECK(count(cluster.calls(), "scontrol requeue 10_2\n") == 2);
  const std::size_t before = cluster.calls().size();
  cluster.set("state", "COMPLETING\n");
  CHECK(cluster.run(job).code == 75);
  CHECK(cluster.calls().find("scontrol", before) == std::string::npos);
  CHECK(cluster.run(job).err.find("job 10_2 is COMPLETING, so it is not requeued") != std::string::npos);
}

TEST_CASE("a job that SLURM started again resumes") {
  const Cluster cluster;
  CHECK(cluster.run({"SLURM_JOB_ID=12", "SLURM_ARRAY_TASK_ID=0", "SLURM_RESTART_COUNT=1"}).code == 0);
  CHECK(cluster.calls().find(" --resume ") != std::string::npos);
}

TEST_CASE("without a pack, a trainer or a variant for the task the helper says so and starts nothing") {
  const Cluster cluster;
  CHECK(cluster.run({"PACK_ROOT=nowhere"}).code == 3);
  CHECK(cluster.run({"PACK_ROOT=nowhere"}).err.find("nowhere") != std::string::npos);
  CHECK(cluster.run({"SAFE_TRAINER=nowhere/trainer"}).code == 3);
  CHECK(cluster.run({"SLURM_ARRAY_TASK_ID=3"}).code == 2);
  CHECK(cluster.calls().empty());
}

TEST_CASE("a job outside an array requeues itself by its own number") {
  const Cluster cluster;
  cluster.set("no_retention", "75");
  cluster.set("state", "RUNNING\n");
  CHECK(cluster.run({"SLURM_JOB_ID=12"}).code == 75);
  CHECK(cluster.calls().find("scontrol requeue 12\n") != std::string::npos);
}

TEST_CASE(
    "a task whose trainer is killed comes back until that was three times in a row with nothing saved in "
    "between") {
  const Cluster cluster;
  const std::vector<std::string> job = {"SLURM_JOB_ID=12", "SLURM_ARRAY_JOB_ID=10", "SLURM_ARRAY_TASK_ID=0"};
  cluster.set("no_retention", "137");
  cluster.set("state", "RUNNING\n");
  // Its own run, and one of another task, which saves all the time.
  const fs::path runs = cluster.scratch / "experiments/overfitting/runs/10";
  for (const char* variant : {"no_retention", "full_safe"}) {
    fs::create_directories(runs / variant / "checkpoints");
    support::put_file(runs / variant / "config.json",
                      "{\n  \"variant\": \"" + std::string(variant) + "\",\n  \"seed\": 42,\n");
  }
  cluster.set("save", (runs / "no_retention/checkpoints/last.safetensors").string());
  std::size_t requeued = 0;
  const auto comes_back = [&] {
    CHECK(cluster.run(job).code == 75);
    CHECK(count(cluster.calls(), "scontrol requeue 10_0\n") == ++requeued);
  };
  for (int kill = 1; kill <= 4; ++kill) comes_back();
  cluster.set("save", (runs / "full_safe/checkpoints/last.safetensors").string());
  comes_back();
  support::put_file(runs / "no_retention/evaluation.jsonl", "{}\n");  // answers count as saved
  comes_back();
  comes_back();
  cluster.set("no_retention",
              "75");  // stopped in between, with nothing to save: on a slow node that is chance
  comes_back();
  cluster.set("no_retention", "137");
  for (int kill = 1; kill <= 2; ++kill) comes_back();
  const support::Finished done = cluster.run(job);
  CHECK(done.code == 1);
  CHECK(done.err.find("killed; out of memory?") != std::string::npos);
  CHECK(count(cluster.calls(), "scontrol requeue") == requeued);
}

TEST_CASE("a task of a sweep knows its run by name and seed") {
  const Cluster cluster;
  const fs::path run = cluster.scratch / "experiments/overfitting/runs/10/one";
  fs::create_directories(run);
  for (const bool own : {true, false}) {
    CAPTURE(own);
    support::put_file(run / "config.json", std::string("{\n  \"variant\": \"full_safe\",\n  \"seed\": ") +
                                               (own ? "2" : "1") + ",\n  \"name\": \"KL, harder\",\n");
    cluster.set("save", (run / "last.safetensors").string());
    put_program(cluster.scratch / "bin/safe-trainer",
                "if [[ $* == *--list ]]; then echo '0 1 \"plain\"'; echo '1 2 \"KL, harder\"'; exit; fi\n"
                "date +%N > \"$(cat codes/save)\"\nexit 137\n");
    cluster.set("state", "RUNNING\n");
    int code = 0;
    for (int kill = 1; kill <= 3; ++kill)
      code =
          cluster.run({"SWEEP=s.json", "SLURM_JOB_ID=12", "SLURM_ARRAY_JOB_ID=10", "SLURM_ARRAY_TASK_ID=1"})
              .code;
    CHECK(code == (own ? 75 : 1));
    fs::remove(cluster.scratch / "experiments/overfitting/runs/10/.killed-10_1");
  }
}

TEST_CASE("outside SLURM a trainer that is killed is a run that failed") {
  const Cluster cluster;
  cluster.set("soft_retention", "137");
  const support::Finished done = cluster.run({});
  CHECK(done.code == 1);
  CHECK(count(cluster.calls(), "run --variant") == 3);
}

TEST_CASE("VARIANTS and SEEDS make one run each, and an array has one task a run") {
  const Cluster cluster;
  CHECK(cluster.run({"VARIANTS=full_safe no_retention", "SEEDS=7 8"}).code == 0);
  const std::string calls = cluster.calls();
  for (const char* part : {"--variant full_safe ", "--variant no_retention "}) CHECK(count(calls, part) == 2);
  for (const char* part : {"--seed 7 ", "--seed 8 "}) CHECK(count(calls, part) == 2);
  const Cluster other;
  CHECK(other.run({"SEEDS=7 8", "SLURM_ARRAY_TASK_ID=4"}).code == 0);
  CHECK(count(other.calls(), "run --variant soft_retention ") == 1);
  CHECK(count(other.calls(), "--seed 8 ") == 1);
  CHECK(count(other.calls(), "run --variant") == 1);
  const support::Finished none = other.run({"SEEDS=7 8", "SLURM_ARRAY_TASK_ID=6"});
  CHECK(none.code == 2);
  CHECK(none.err.find("--array=0-5") != std::string::npos);
}
