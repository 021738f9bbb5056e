// Choosing questions so that a few hundred stand for all: each kind of question and answer as often as it is
// there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/seed.hpp"
#include "manifest/tables/vqa_tables.hpp"

namespace manifest {

// Systematic sampling over strata (Madow 1949): the population in the order of answer_type, question_type
// and, within these, of CPython's shuffle; of it the floor((k * size + start) / count)-th for k = 0 ... count
// - 1, with start = randrange(size) drawn first. Every question is as likely as any other, so a mean over the
// sample is an unbiased estimate; every stratum, answer type and run of question types gets what is due to
// it, rounded down or up. (Quotas rounded by largest remainders would never show a stratum that is due less
// than half a question.) `population` holds indices into `tables`, ascending; so does the result. A question
// without one of the two types is a format error.
[[nodiscard]] std::vector<std::size_t> stratified_sample(const VqaTables& tables,
                                                         const std::vector<std::size_t>& population,
                                                         std::uint64_t count, const common::Seed& seed);

}  // namespace manifest
