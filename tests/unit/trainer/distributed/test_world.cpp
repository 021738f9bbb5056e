#include <cstdlib>
#include <map>

#include "common/error.hpp"
#include "trainer/distributed/world.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

const char* const k_names[] = {"RANK",
                               "WORLD_SIZE",
                               "LOCAL_RANK",
                               "LOCAL_WORLD_SIZE",
                               "MASTER_ADDR",
                               "MASTER_PORT",
                               "TORCHELASTIC_USE_AGENT_STORE",
                               "TORCHELASTIC_RESTART_COUNT",
                               "SLURM_PROCID",
                               "SLURM_NTASKS",
                               "SLURM_STEP_NUM_TASKS",
                               "SLURM_LOCALID",
                               "SLURM_NODEID",
                               "SLURM_STEP_TASKS_PER_NODE",
                               "SLURM_STEP_NODELIST",
                               "SLURM_JOB_ID",
                               "SLURM_STEP_ID",
                               "SLURM_RESTART_COUNT"};

World world_of(const std::map<std::string, std::string>& variables) {
  struct Cleared {
    Cleared() {
      for (const char* name : k_names) ::unsetenv(name);
    }
    ~Cleared() {
      for (const char* name : k_names) ::unsetenv(name);
    }
  } const cleared;
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  return world_of_environment();
}

}  // namespace

TEST_CASE("without a word in the environment, and as a batch script's own process, a run is alone") {
  CHECK(world_of({}).size == 1);
  CHECK(world_of({{"WORLD_SIZE", "1"}, {"RANK", "0"}}).size == 1);
  CHECK(world_of({{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}, {"SLURM_JOB_ID", "7"}}).size == 1);
  CHECK(world_of({{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}).size == 1);
}

TEST_CASE("torchrun's variables") {
  const World world = world_of({{"RANK", "5"},
                                {"WORLD_SIZE", "8"},
                                {"LOCAL_RANK", "1"},
                                {"LOCAL_WORLD_SIZE", "4"},
                                {"MASTER_ADDR", "node1"},
                                {"MASTER_PORT", "29501"},
                                {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                {"TORCHELASTIC_RESTART_COUNT", "2"},
                                {"SLURM_STEP_NUM_TASKS", "2"}});  // torchrun itself may be a step
  CHECK(world.rank == 5);
  CHECK(world.size == 8);
  CHECK(world.local_rank == 1);
  CHECK(world.local_size == 4);
  CHECK(world.address == "node1");
  CHECK(world.port == 29502);  // torchrun listens at 29501
  CHECK(world.attempt == "2");
}

TEST_CASE("a step of srun meets at its first node, at a port of its job") {
  const std::map<std::string, std::string> step = {{"SLURM_PROCID", "3"},
                                                   {"SLURM_NTASKS", "4"},
                                                   {"SLURM_STEP_NUM_TASKS", "4"},
                                                   {"SLURM_LOCALID", "1"},
                                                   {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"},
                                                   {"SLURM_STEP_NODELIST", "gpu[07-08]"},
                                                   {"SLURM_JOB_ID", "123456"},
                                                   {"SLURM_STEP_ID", "0"}};
  const World world = world_of(step);
  CHECK(world.rank == 3);
  CHECK(world.size == 4);
  CHECK(world.local_rank == 1);
  CHECK(world.local_size == 2);
  CHECK(world.address == "gpu07");
  CHECK(world.port >= 15000);
  CHECK(world.port < 32000);
  auto other = step;
  other["SLURM_JOB_ID"] = "123457";
  CHECK(world_of(other).port != world.port);
  other["MASTER_PORT"] = "4711";
  other["MASTER_ADDR"] = "10.0.0.1";
  CHECK(world_of(other).port == 4711);
  CHECK(world_of(other).address == "10.0.0.1");
}

TEST_CASE("the first of SLURM's nodes") {
  const std::map<std::string, std::string> lists = {{"n1", "n1"},
                                                    {"n1,n2", "n1"},
                                                    {"n[3-5,9],m", "n3"},
                                                    {"n[03-05]", "n03"},
                                                    {"n[7,9]", "n7"},
                                                    {"n[12]", "n12"},
                                                    {"n[1-2]-ib,m1", "n1-ib"},
                                                    {"a-b[001-100]", "a-b001"},
                                                    {"login,n[1-2]", "login"}};
  for (const auto& [list, first] : lists) {
    CAPTURE(list);
    CHECK(first_node(list) == first);
  }
}

TEST_CASE("how many tasks a node has") {
  CHECK(tasks_of_node("4(x2),3", 0) == 4);
  CHECK(tasks_of_node("4(x2),3", 1) == 4);
  CHECK(tasks_of_node("4(x2),3", 2) == 3);
  CHECK(tasks_of_node("1,3", 1) == 3);
  CHECK(tasks_of_node("2", 0) == 2);
  CHECK(tasks_of_node("2", 7) == 1);
}

TEST_CASE("variables that contradict each other are refused by name") {
  const auto refused = [](const std::map<std::string, std::string>& variables, const char* name) {
    CHECK_THROWS_WITH_AS((void)world_of(variables), doctest::Contains(name), common::Error);
  };
  const std::map<std::string, std::string> whole = {
      {"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}};
  for (const char* name : {"RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    auto without = whole;
    without.erase(name);
    refused(without, name);
  }
  const auto with = [&](const char* name, const char* value) {
    auto other = whole;
    other[name] = value;
    return other;
  };
  refused(with("RANK", "2"), "RANK");
  refused(with("RANK", "-1"), "RANK");
  refused(with("WORLD_SIZE", "x"), "WORLD_SIZE");
  refused(with("WORLD_SIZE", "0"), "WORLD_SIZE");
  refused(with("MASTER_PORT", "70000"), "MASTER_PORT");
  refused({{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_STEP_NODELIST", "n1"}}, "SLURM_PROCID");
}
