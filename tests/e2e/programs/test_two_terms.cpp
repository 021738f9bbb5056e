// One request to stop, by whichever signal, that reaches a job twice: the shell and the trainer are signalled
// together, and the shell passes it on.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "tests/support/small_world.hpp"

#include <doctest/doctest.h>

using namespace support::small_world;

namespace {

constexpr std::array k_signals = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

// The job script with one variant, in a process group of its own.
pid_t start_job(const std::vector<std::string>& environment) {
  std::vector<std::string> command = {"env"};
  command.insert(command.end(), environment.begin(), environment.end());
  for (const char* word : {"bash", SAFE_SOURCE_DIR "/scripts/overfitting_test.sh", "--resume", "--quiet",
                           "--train-batch-size", "2", "--checkpoint-every", "0", "--val-size", "2"})
    command.emplace_back(word);
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::setpgid(0, 0);
  for (const int signal : k_signals) ::signal(signal, SIG_DFL);  // also where the tests run under nohup
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (int descriptor = 0; descriptor < 3; ++descriptor) ::dup2(nowhere, descriptor);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

}  // namespace

TEST_CASE(
    "a TERM, HUP, USR1 or USR2 to the job's shell and to the trainer together ends in a saved run, in twenty "
    "of "
    "twenty tries") {
  const World& w = world();
  const fs::path runs = fs::path(w.root) / "two_terms";
  for (int attempt = 0; attempt < 20; ++attempt) {
    CAPTURE(attempt);
    const std::uintmax_t before = history_bytes(runs);
    const pid_t job =
        start_job({"SAFE_TRAINER=" + k_bin + "/safe-trainer", "PACK_ROOT=" + w.pack,
                   "OUTPUT_ROOT=" + runs.string(), "BASE=" + w.base + "/vl",
                   "AUDIO_ENCODER=" + w.base + "/audio", "SLURM_ARRAY_TASK_ID=0", "NUM_EPOCHS=100000"});
    REQUIRE(job > 0);
    // In training: the history grows.
    for (int i = 0; i < 6000 && history_bytes(runs) <= before; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const int signal = k_signals[static_cast<std::size_t>(attempt) % k_signals.size()];
    ::kill(-job, signal);
    std::this_thread::sleep_for(std::chrono::milliseconds(attempt));
    ::kill(-job, signal);
    int status = 0;
    REQUIRE(::waitpid(job, &status, 0) == job);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 75);
    const fs::path run = w.only_run("two_terms");
    CHECK(fs::exists(run / "checkpoints/last.safetensors"));
    for (const auto& entry : fs::recursive_directory_iterator(run)) {
      CAPTURE(entry.path());
      CHECK(entry.path().filename().string().find(".draft") == std::string::npos);
    }
  }
}
