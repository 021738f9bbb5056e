#include "manifest/datasets/scorer.hpp"

namespace manifest {

std::string_view name_of(Scorer scorer) { return scorer == Scorer::captions ? "captions" : "vqa_accuracy"; }

std::optional<Scorer> find_scorer(std::string_view name) {
  for (const Scorer scorer : {Scorer::captions, Scorer::vqa_accuracy})
    if (name == name_of(scorer)) return scorer;
  return std::nullopt;
}

}  // namespace manifest
