#include "trainer/distributed/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>

#include "common/error.hpp"

namespace trainer {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const std::string& why) {
  throw common::Error(
      common::ErrorKind::usage,
      why + "; start the processes with srun or torchrun, or unset RANK and WORLD_SIZE for one");
}

// The number of NAME, least .. most; nothing where it is not set.
std::optional<int> number(const char* name, int least, int most) {
  const std::optional<std::string> text = variable(name);
  if (!text) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < least || value > most)
    refuse(fmt::format("{} is '{}', and must be a whole number from {} to {}", name, *text, least, most));
  return value;
}

constexpr int k_most = 4096;

// This process's, by the variable NAME.
int rank_of(const char* name, int size) {
  const std::optional<int> rank = number(name, 0, size - 1);
  if (!rank) refuse(fmt::format("{} processes were started and {} is not set", size, name));
  return *rank;
}

void take_meeting_place(World& world) {
  world.address = variable("MASTER_ADDR").value_or(world.address);
  if (const std::optional<int> port = number("MASTER_PORT", 1, 65535))
    world.port = static_cast<std::uint16_t>(*port);
  if (world.address.empty() || world.port == 0)
    refuse(fmt::format("WORLD_SIZE is {} and {} is not set, so the processes cannot meet", world.size,
                       world.address.empty() ? "MASTER_ADDR" : "MASTER_PORT"));
}

World world_of_torchrun(int size) {
  World world;
  world.size = size;
  world.rank = rank_of("RANK", size);
  world.local_size = number("LOCAL_WORLD_SIZE", 1, size).value_or(1);
  world.local_rank = number("LOCAL_RANK", 0, k_most).value_or(0);
  world.attempt = variable("TORCHELASTIC_RESTART_COUNT").value_or("0");
  take_meeting_place(world);
  if (variable("TORCHELASTIC_USE_AGENT_STORE") == "True")
    world.port = static_cast<std::uint16_t>(world.port == 65535 ? 65534 : world.port + 1);
  return world;
}

// A batch script sees SLURM_NTASKS too, and is one process: only a step has SLURM_STEP_NUM_TASKS.
std::optional<int> tasks_of_step() {
  if (const std::optional<int> tasks = number("SLURM_STEP_NUM_TASKS", 1, k_most)) return tasks;
  return variable("MASTER_ADDR") ? number("SLURM_NTASKS", 1, k_most) : std::nullopt;
}

World world_of_slurm(int size) {
  World world;
  world.size = size;
  world.rank = rank_of("SLURM_PROCID", size);
  world.local_rank = number("SLURM_LOCALID", 0, k_most).value_or(0);
  world.local_size = tasks_of_node(variable("SLURM_STEP_TASKS_PER_NODE").value_or("1"),
                                   number("SLURM_NODEID", 0, k_most).value_or(0));
  if (const auto nodes = variable("SLURM_STEP_NODELIST")) world.address = first_node(*nodes);
  constexpr unsigned long k_first_port = 15000, k_ports = 17000;  // below those that systems give out
  const unsigned long job = std::strtoul(variable("SLURM_JOB_ID").value_or("0").c_str(), nullptr, 10);
  const unsigned long step = std::strtoul(variable("SLURM_STEP_ID").value_or("0").c_str(), nullptr, 10);
  world.port = static_cast<std::uint16_t>(k_first_port + (job * 64 + step) % k_ports);
  world.attempt = variable("SLURM_RESTART_COUNT").value_or("0");
  take_meeting_place(world);
  return world;
}

}  // namespace

int tasks_of_node(const std::string& list, int node) {
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t times = part.find("(x");
    node -= times == std::string::npos ? 1 : std::atoi(part.c_str() + times + 2);
    if (node < 0) return std::max(std::atoi(part.c_str()), 1);
  }
  return 1;
}

std::string first_node(const std::string& list) {
  const std::size_t end = list.find_first_of("[,");
  if (end == std::string::npos || list[end] == ',') return list.substr(0, end);
  const std::size_t number_end = list.find_first_of(",-]", end);
  const std::size_t close = list.find(']', end);
  if (number_end == std::string::npos || close == std::string::npos) return list;
  const std::size_t comma = list.find(',', close);
  return list.substr(0, end) + list.substr(end + 1, number_end - end - 1) +
         list.substr(close + 1, comma == std::string::npos ? comma : comma - close - 1);
}

World world_of_environment() {
  if (const std::optional<int> size = number("WORLD_SIZE", 1, k_most))
    return *size > 1 ? world_of_torchrun(*size) : World{};
  if (const std::optional<int> size = tasks_of_step(); size && *size > 1) return world_of_slurm(*size);
  return {};
}

}  // namespace trainer
