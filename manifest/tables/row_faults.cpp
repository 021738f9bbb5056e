#include "manifest/tables/row_faults.hpp"

namespace manifest {
namespace {

constexpr const char* k_remedy = "; correct the table";

}  // namespace

void refuse_row(const std::string& table, const std::string& where, const std::string& what) {
  throw common::Error(common::ErrorKind::format, table + ", " + where + ": " + what + k_remedy);
}

void RowFaults::add(const std::string& message) {
  if (++count_ <= k_told) first_.push_back(message);
}

void RowFaults::refuse() const {
  if (count_ == 0) return;
  if (count_ == 1) throw common::Error(common::ErrorKind::format, first_.front());
  std::string list = table_ + ": " + std::to_string(count_) + " rows are broken:";
  for (std::string_view line : first_) {
    for (const std::string& before : {table_ + ", ", table_ + ": "})
      if (line.starts_with(before)) line.remove_prefix(before.size());
    for (const std::string_view behind : {k_remedy, k_check_the_file})
      if (line.ends_with(behind)) line.remove_suffix(behind.size());
    list.append("\n  ").append(line);
  }
  if (count_ > first_.size()) list += "\n  and " + std::to_string(count_ - first_.size()) + " more";
  throw common::Error(common::ErrorKind::format, list + "\nCorrect the table.");
}

}  // namespace manifest
