// One run shared by several processes, as srun and torchrun start them: it gives the bytes of a run alone,
// and where one of them is lost or refused, all end.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <thread>

#include "tests/support/small_world.hpp"
#include "tests/support/start.hpp"

#include <doctest/doctest.h>

using namespace support::small_world;

namespace {

using Environment = std::vector<std::string>;

// A port that nobody has, kept by the socket where it is asked for.
struct Port {
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  int number = 0;
  Port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    number = ntohs(address.sin_port);
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() {
    if (socket >= 0) ::close(socket);
  }
  int free() {
    ::close(socket);
    socket = -1;
    return number;
  }
};

Environment as_torchrun(int rank, int size, int port) {
  return {"RANK=" + std::to_string(rank),
          "WORLD_SIZE=" + std::to_string(size),
          "LOCAL_RANK=" + std::to_string(rank),
          "LOCAL_WORLD_SIZE=" + std::to_string(size),
          "MASTER_ADDR=127.0.0.1",
          "MASTER_PORT=" + std::to_string(port)};
}

Environment as_srun(int rank, int size, int port) {
  return {"SLURM_PROCID=" + std::to_string(rank),
          "SLURM_NTASKS=" + std::to_string(size),
          "SLURM_STEP_NUM_TASKS=" + std::to_string(size),
          "SLURM_LOCALID=" + std::to_string(rank),
          "SLURM_STEP_NODELIST=localhost",
          "MASTER_PORT=" + std::to_string(port)};
}

struct Process {
  pid_t id = 0;
  fs::path out, err;
};

Process start(const Environment& environment, const std::vector<std::string>& arguments,
              const fs::path& files) {
  Process process{0, files.string() + ".out", files.string() + ".err"};
  fs::create_directories(files.parent_path());
  std::vector<std::string> command = {"env"};
  command.insert(command.end(), environment.begin(), environment.end());
  command.insert(command.end(), {k_bin + "/safe-trainer", "--quiet", "--threads", "1"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  process.id = support::start(command, process.out, process.err);
  return process;
}

support::Finished end_of(const Process& process) {
  int status = 0;
  REQUIRE(::waitpid(process.id, &status, 0) == process.id);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          support::text_of_file(process.out), support::text_of_file(process.err)};
}

std::vector<Process> start_all(int size, Environment (*as)(int, int, int), int port,
                               const std::vector<std::string>& arguments, const std::string& name) {
  std::vector<Process> all;
  for (int rank = 0; rank < size; ++rank)
    all.push_back(start(as(rank, size, port), arguments,
                        fs::path(world().root) / "processes" / (name + "_" + std::to_string(rank))));
  return all;
}

std::vector<support::Finished> run_all(int size, Environment (*as)(int, int, int),
                                       const std::vector<std::string>& arguments, const std::string& name) {
  std::vector<support::Finished> ends;
  for (const Process& process : start_all(size, as, Port().free(), arguments, name))
    ends.push_back(end_of(process));
  return ends;
}

const std::vector<std::string> k_more = {"--subset-size",
                                         "12",
                                         "--val-size",
                                         "20",
                                         "--eval-with-audio-gate",
                                         "--eval-audio-gate-comparison",
                                         "--eval-beyond-stream",
                                         "--val-batch-size",
                                         "3",
                                         "--learning-curve-every",
                                         "30",
                                         "--learning-curve-items",
                                         "7"};

void check_same_bytes(const fs::path& one, const fs::path& other) {
  for (const char* file :
       {"history.jsonl", "metrics.json", "predictions.jsonl", "subset_indices.json", "learning_curve.jsonl",
        "checkpoints/last.safetensors", "checkpoints/adapter.safetensors"}) {
    CAPTURE(file);
    CHECK(fs::exists(one / file) == fs::exists(other / file));
    if (!fs::exists(one / file)) continue;
    CHECK(support::text_of_file(one / file) == support::text_of_file(other / file));
  }
  CHECK(json_of(one / "config.json").at("config_digest") ==
        json_of(other / "config.json").at("config_digest"));
}

void wait_for_training(const std::string& out) {
  const fs::path runs = fs::path(world().root) / out;
  const std::uintmax_t before = history_bytes(runs);
  for (int i = 0; i < 6000 && history_bytes(runs) <= before; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(history_bytes(runs) > before);
}

}  // namespace

TEST_CASE(
    "two and three processes give the bytes of one, in every variant, and only the first says something") {
  const World& w = world();
  for (const std::string variant : {"no_retention", "soft_retention", "full_safe"}) {
    CAPTURE(variant);
    const std::string alone = "alone_" + variant;
    std::vector<std::string> more = k_more;
    // A step an epoch; Fisher acts from step 100 on, in the variants that have it. Rows are computed sixteen
    // at a time: 40 questions, or two batches of clips a step, are divided among the processes.
    const bool retains = variant != "no_retention";
    more.insert(more.end(),
                {"--num-epochs", retains ? "101" : "12", "--train-batch-size", retains ? "12" : "6",
                 retains ? "--retention-batch-size" : "--gradient-accumulation-steps", retains ? "40" : "2"});
    World::ok(trainer(w.run(variant, alone, more)));
    for (const int size : {2, 3}) {
      if (size == 3 && variant != "full_safe") continue;
      CAPTURE(size);
      const std::string together = "together_" + variant + std::to_string(size);
      const auto ends =
          run_all(size, size == 2 ? as_torchrun : as_srun, w.run(variant, together, more), together);
      for (std::size_t rank = 0; rank < ends.size(); ++rank) {
        CAPTURE(rank);
        CAPTURE(ends[rank].err);
        CHECK(ends[rank].code == 0);
        CHECK(ends[rank].out.empty() == (rank != 0));
        CHECK(ends[rank].err.empty());
      }
      check_same_bytes(w.only_run(together), w.only_run(alone));
      CHECK(json_of(w.only_run(together) / "config.json").at("processes") == size);
      CHECK(trainer({"verify-run", w.only_run(together)}).code == 0);
    }
  }
}

TEST_CASE("the rivals, and a null space of any kind, are shared alike") {
  const World& w = world();
  const std::map<std::string, std::vector<std::string>> kinds = {
      {"gradient",
       {"--null-space", "gradient", "--null-space-refresh", "2", "--num-epochs", "2"}},  // 4 steps
      {"all", {"--null-space", "all"}},
      {"replay", {"--replay-weight", "0.1", "--l2-sp-weight", "0.01"}}};
  for (auto [name, flags] : kinds) {
    CAPTURE(name);
    flags.insert(flags.end(), {"--fisher-weight", "0"});
    World::ok(trainer(w.run("full_safe", "alone_" + name, flags)));
    for (const auto& end : run_all(2, as_torchrun, w.run("full_safe", "together_" + name, flags), name)) {
      CAPTURE(end.err);
      CHECK(end.code == 0);
    }
    check_same_bytes(w.only_run("together_" + name), w.only_run("alone_" + name));
  }
}

TEST_CASE("evaluate is shared, and its predictions do not depend on by how many") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "several_judged")));
  const auto evaluate = [&](const std::string& out) {
    return std::vector<std::string>{"evaluate",
                                    w.only_run("several_judged"),
                                    "--pack-root",
                                    w.pack,
                                    "--base",
                                    w.base + "/vl",
                                    "--audio-encoder",
                                    w.base + "/audio",
                                    "--output-root",
                                    w.root + "/" + out,
                                    "--eval-audio-gate-comparison"};
  };
  World::ok(trainer(evaluate("several_judged_alone")));
  for (const auto& end : run_all(3, as_torchrun, evaluate("several_judged_together"), "several_judged"))
    CHECK(end.code == 0);
  for (const char* file : {"metrics.json", "predictions.jsonl"})
    CHECK(support::text_of_file(w.only_run("several_judged_together") / file) ==
          support::text_of_file(w.only_run("several_judged_alone") / file));
}

TEST_CASE(
    "a TERM to one process saves the run in all, and any number of them goes on with it to the same bytes") {
  const World& w = world();
  const std::vector<std::string> epochs = {"--num-epochs", "110"};  // 220 steps; Fisher acts from step 100 on
  World::ok(trainer(w.run("full_safe", "unstopped", epochs)));
  std::vector<std::string> arguments = w.run("full_safe", "stopped", epochs);
  arguments.insert(arguments.end(), {"--checkpoint-every", "0", "--resume"});
  for (const int size : {2, 3}) {
    const std::vector<Process> all = start_all(size, as_torchrun, Port().free(), arguments, "stopped");
    wait_for_training("stopped");
    ::kill(all.back().id, SIGTERM);
    for (const Process& process : all) CHECK(end_of(process).code == 75);
  }
  for (const auto& end : run_all(2, as_torchrun, arguments, "went_on")) {
    CAPTURE(end.err);
    CHECK(end.code == 0);
  }
  check_same_bytes(w.only_run("stopped"), w.only_run("unstopped"));
  CHECK(json_of(w.only_run("stopped") / "config.json").at("resumed_at_steps").size() == 2);
}

TEST_CASE("where a process is killed, whichever, the others end within a minute and name it") {
  const World& w = world();
  for (const std::size_t victim : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(victim);
    const std::string name = "killed" + std::to_string(victim);
    std::vector<Process> all =
        start_all(2, as_torchrun, Port().free(), w.run("full_safe", name, {"--num-epochs", "100000"}), name);
    wait_for_training(name);
    const auto before = std::chrono::steady_clock::now();
    ::kill(all[victim].id, SIGKILL);
    CHECK(end_of(all[victim]).code == 128 + SIGKILL);
    const support::Finished other = end_of(all[1 - victim]);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(60));
    CHECK(other.code == 3);
    CAPTURE(other.err);
    CHECK(other.err.find("rank " + std::to_string(victim)) != std::string::npos);
    CHECK(other.err.find("--resume") != std::string::npos);
  }
}

TEST_CASE("where two of three are killed the third says so") {
  const World& w = world();
  std::vector<Process> all =
      start_all(3, as_torchrun, Port().free(), w.run("full_safe", "two_killed", {"--num-epochs", "100000"}),
                "two_killed");
  wait_for_training("two_killed");
  ::kill(all[1].id, SIGKILL);
  ::kill(all[0].id, SIGKILL);
  const support::Finished left = end_of(all[2]);
  CHECK(left.code == 3);
  CHECK(left.err.find("rank 0") != std::string::npos);
  for (const std::size_t victim : {std::size_t{0}, std::size_t{1}})
    CHECK(end_of(all[victim]).code == 128 + SIGKILL);
}

TEST_CASE("what one of three refuses is said once, and all end with its code") {
  const World& w = world();
  const int port = Port().free();
  std::vector<Process> all;
  for (int rank = 0; rank < 3; ++rank)
    all.push_back(start(as_torchrun(rank, 3, port),
                        rank == 2 ? w.run("no_retention", "one_refuses", {"--pack-id", std::string(64, '0')})
                                  : w.run("no_retention", "one_refuses"),
                        fs::path(w.root) / "processes" / ("refuses_" + std::to_string(rank))));
  int said = 0;
  for (const Process& process : all) {
    const support::Finished end = end_of(process);
    CAPTURE(end.err);
    CHECK(end.code == 1);
    if (end.err.find("safe-trainer: ") != std::string::npos) ++said;
  }
  CHECK(said == 1);
  CHECK(has_no_file(fs::path(w.root) / "one_refuses"));
}

TEST_CASE("a process of another run at the same port is sent away, and the run goes on") {
  const World& w = world();
  const int port = Port().free();
  const std::vector<std::string> arguments = w.run("full_safe", "crowded", {"--num-epochs", "100000"});
  const std::vector<Process> all = start_all(2, as_torchrun, port, arguments, "crowded");
  wait_for_training("crowded");
  const support::Finished stray =
      end_of(start(as_torchrun(1, 2, port), arguments, fs::path(w.root) / "processes" / "stray"));
  CHECK(stray.code == 3);
  CAPTURE(stray.err);
  CHECK(stray.err.find("MASTER_PORT") != std::string::npos);
  wait_for_training("crowded");
  ::kill(all.front().id, SIGTERM);
  for (const Process& process : all) CHECK(end_of(process).code == 75);
}

TEST_CASE("processes that cannot work together end with one message") {
  const World& w = world();
  const Port taken;
  REQUIRE(::listen(taken.socket, 1) == 0);
  const auto refused = [&](const Environment& environment, const std::vector<std::string>& arguments) {
    return end_of(start(environment, arguments, fs::path(w.root) / "processes" / "refused"));
  };
  const support::Finished busy = refused(as_torchrun(0, 2, taken.number), w.run("no_retention", "busy"));
  CHECK(busy.code == 3);
  CHECK(busy.err.find("MASTER_PORT") != std::string::npos);
  CHECK_FALSE(fs::exists(fs::path(w.root) / "busy"));
  CHECK(refused({"WORLD_SIZE=2"}, w.run("no_retention", "busy")).code == 2);
  CHECK(refused({"WORLD_SIZE=2", "RANK=2", "MASTER_ADDR=localhost", "MASTER_PORT=1"},
                w.run("no_retention", "busy"))
            .code == 2);
  CHECK(refused({"WORLD_SIZE=2", "RANK=0", "MASTER_ADDR=localhost", "MASTER_PORT=1"},
                {"make-base", "--pack", w.pack, "--out", w.root + "/other_base"})
            .code == 2);

  // Of two configurations, and of one that all of them refuse.
  const int port = Port().free();
  const Process first = start(as_torchrun(0, 2, port), w.run("no_retention", "two_kinds"),
                              fs::path(w.root) / "processes" / "kinds_0");
  const Process second = start(as_torchrun(1, 2, port), w.run("no_retention", "two_kinds", {"--seed", "7"}),
                               fs::path(w.root) / "processes" / "kinds_1");
  const support::Finished said = end_of(first);
  CHECK(said.code == 1);
  CHECK(said.err.find("rank 1") != std::string::npos);
  CHECK(end_of(second).code == 1);
  CHECK(has_no_file(fs::path(w.root) / "two_kinds"));
  const auto ends =
      run_all(2, as_torchrun, w.run("no_retention", "several_nowhere", {"--pack-root", w.root + "/no_pack"}),
              "several_nowhere");
  CHECK(ends[0].code == 3);
  CHECK(ends[1].code == 3);
  CHECK(ends[0].err.find("no_pack") != std::string::npos);
  CHECK(ends[1].err.empty());
}
