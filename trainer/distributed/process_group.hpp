// The processes of one run, one a GPU or some cores of a CPU, which share its work and hold the same adapter:
// c10d with Gloo. A run alone is a group of one, for which everything here costs nothing. Collective calls
// are made by all of them, in one order, from one thread each; where one is gone the others end
// (heartbeat.hpp).
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "trainer/distributed/world.hpp"

namespace trainer {

class ProcessGroup {
 public:
  ProcessGroup();  // alone
  // Waits for all of them. A usage error where this program was built without Gloo.
  explicit ProcessGroup(const World& world);
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  [[nodiscard]] int rank() const { return world_.rank; }
  [[nodiscard]] int size() const { return world_.size; }
  [[nodiscard]] int local_size() const { return world_.local_size; }  // on this machine
  [[nodiscard]] bool is_alone() const { return world_.size == 1; }
  [[nodiscard]] bool is_first() const { return world_.rank == 0; }
  // Whether this process does piece 0, 1, ... of something that is divided among all.
  [[nodiscard]] bool takes(std::size_t piece) const {
    return piece % static_cast<std::size_t>(world_.size) == static_cast<std::size_t>(world_.rank);
  }

  // Element by element over all processes, in fp64, in one exchange where it is not large; tensors of the
  // shapes of `like`. What is undefined everywhere stays so, and elsewhere counts as 0. Results are on the
  // device of `like`.
  void sum(std::vector<torch::Tensor>& tensors, const std::vector<torch::Tensor>& like,
           std::vector<double>& numbers) const;
  void sum(std::vector<torch::Tensor>& tensors, const std::vector<torch::Tensor>& like) const;
  void sum(std::vector<double>& numbers) const;
  // What `owner` has, on the CPU; undefined tensors stay so.
  [[nodiscard]] std::vector<torch::Tensor> broadcast(const std::vector<torch::Tensor>& tensors,
                                                     int owner) const;
  // What each of them has, by rank.
  [[nodiscard]] std::vector<std::string> gather(const std::string& text) const;
  [[nodiscard]] std::string broadcast(const std::string& text, int owner) const;
  [[nodiscard]] bool any(bool mine) const;
  [[nodiscard]] std::int64_t least(std::int64_t mine) const;
  void wait_for_all() const;
  // A mismatch error that names the ranks whose `value` is another than that of rank 0.
  void require_same(const std::string& what, const std::string& value) const;

  // The last call of a process: all is done, or it ends with an exit code that all of them shall have.
  void finish();
  void fail(int code);

 private:
  struct State;
  World world_;
  std::unique_ptr<State> state_;  // null: alone
};

}  // namespace trainer
