// What is wrong with the rows of one table, so that all of it is told at once: who mends a table by hand does
// not want to be sent back to it for each line.
#pragma once

#include <string>
#include <vector>

#include "common/error.hpp"

namespace manifest {

// Throws a format error: "<table>, line 12: <what>; correct the table".
[[noreturn]] void refuse_row(const std::string& table, const std::string& where, const std::string& what);

// The remedy where a table of another kind may have been named.
inline constexpr const char* k_check_the_file = "; check that it is the right file";

class RowFaults {
 public:
  explicit RowFaults(std::string table) : table_(std::move(table)) {}
  // Does something with one row; a format error of it is kept.
  template <typename Do>
  void row(const Do& act) {
    try {
      act();
    } catch (const common::Error& error) {
      if (error.kind() != common::ErrorKind::format) throw;
      add(error.what());
    }
  }
  // The same of a fault that nobody threw.
  void add(const std::string& message);
  // Throws what was kept: one fault as it was, several as a list that ends after k_told of them.
  void refuse() const;
  static constexpr std::size_t k_told = 20;

 private:
  std::string table_;
  std::vector<std::string> first_;
  std::size_t count_ = 0;
};

}  // namespace manifest
