// A hidden folder under the output root in which sources become a pack: ".source-<16 hexadecimal digits>",
// with a lock of its own. Made when it is asked for, removed at the end; what a killed run left is removed by
// the next run of the same output root.
#pragma once

#include <filesystem>
#include <memory>

#include "common/sealed/folder.hpp"

namespace trainer {

class Workplace {
 public:
  explicit Workplace(std::filesystem::path output_root);
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  [[nodiscard]] const common::Folder& folder();
  [[nodiscard]] bool is_made() const { return state_ != nullptr; }

 private:
  struct State;
  std::filesystem::path output_root_;
  std::unique_ptr<State> state_;
};

}  // namespace trainer
