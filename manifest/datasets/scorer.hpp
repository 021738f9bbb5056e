// How an answer is scored against what people wrote. trainer/results computes it; here it has its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace manifest {

enum class Scorer : std::uint8_t { captions, vqa_accuracy };

[[nodiscard]] std::string_view name_of(Scorer scorer);
// Nothing where there is none of this name.
[[nodiscard]] std::optional<Scorer> find_scorer(std::string_view name);

}  // namespace manifest
