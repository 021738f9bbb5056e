// Who takes part in a run: the processes that srun or torchrun started, as their environment variables say.
#pragma once

#include <cstdint>
#include <string>

namespace trainer {

struct World {
  int rank = 0, size = 1;              // of all processes
  int local_rank = 0, local_size = 1;  // of those on this machine
  std::string address;                 // of the machine of rank 0
  std::uint16_t port = 0;              // at which all meet
  std::string attempt = "0";           // torchrun and SLURM begin again under another number
};

// RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun sets them; else
// those of a step that srun started (SLURM_PROCID, SLURM_STEP_NUM_TASKS or SLURM_NTASKS, SLURM_LOCALID),
// where MASTER_ADDR is the first node of the step and MASTER_PORT follows from the job's number unless they
// are set. Where torchrun listens at MASTER_PORT itself it is the port after that, since what it speaks there
// differs between its versions. Alone where there is neither. A usage error where they contradict each other.
[[nodiscard]] World world_of_environment();

// How many tasks the node of that number has, of a list as SLURM writes it: "4(x2),3". 1 where it does not
// say.
[[nodiscard]] int tasks_of_node(const std::string& list, int node);

// The first of a list of nodes as SLURM writes it: "n[03-05,9],login" -> "n03".
[[nodiscard]] std::string first_node(const std::string& list);

}  // namespace trainer
