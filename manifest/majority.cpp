#include "manifest/majority.hpp"

#include <unordered_map>
#include <utility>

#include "common/python_text.hpp"

namespace manifest {

std::string majority_answer(const std::vector<std::string>& answers) {
  // In order of first occurrence, which decides ties as CPython's Counter.most_common does.
  std::vector<std::pair<std::string, int>> counts;
  std::unordered_map<std::string, std::size_t> index_of;
  for (const std::string& answer : answers) {
    if (answer.empty()) continue;
    const std::string lower = common::python_lower(answer);
    const auto [found, is_new] = index_of.try_emplace(lower, counts.size());
    if (is_new) counts.emplace_back(lower, 0);
    ++counts[found->second].second;
  }
  const std::pair<std::string, int>* best = nullptr;
  for (const auto& count : counts)
    if (best == nullptr || count.second > best->second) best = &count;
  return best == nullptr ? std::string() : best->first;
}

}  // namespace manifest
