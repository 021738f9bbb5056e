#include "manifest/stratify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "common/error.hpp"
#include "common/random.hpp"

namespace manifest {
namespace {

using Stratum = std::pair<std::string_view, std::string_view>;  // answer_type, question_type

Stratum stratum_of(const VqaTables& tables, std::size_t index) {
  const Stratum stratum{tables.answer_type(index), tables.question_type(index)};
  if (stratum.first.empty() || stratum.second.empty())
    throw common::Error(
        common::ErrorKind::format,
        fmt::format("the annotation of question_id {} has no {}, by which --strategy stratified "
                    "chooses; name the official annotations, or choose with --strategy original",
                    tables.question_id(index), stratum.first.empty() ? "answer_type" : "question_type"));
  return stratum;
}

}  // namespace

std::vector<std::size_t> stratified_sample(const VqaTables& tables,
                                           const std::vector<std::size_t>& population, std::uint64_t count,
                                           const common::Seed& seed) {
  if (count == 0) return {};
  ENSURE(count <= population.size());
  std::map<Stratum, std::vector<std::size_t>> strata;
  for (const std::size_t index : population) strata[stratum_of(tables, index)].push_back(index);
  common::Random random(seed);
  const std::uint64_t start = random.below(population.size());
  std::vector<std::size_t> order;
  order.reserve(population.size());
  for (auto& [stratum, members] : strata) {
    random.shuffle(members);
    order.insert(order.end(), members.begin(), members.end());
  }
  std::vector<std::size_t> chosen;
  for (std::uint64_t k = 0; k < count; ++k) chosen.push_back(order[(k * order.size() + start) / count]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace manifest
