#include "manifest/datasets/data_sets.hpp"

#include <algorithm>
#include <array>

#include "common/error.hpp"
#include "manifest/datasets/audiocaps.hpp"
#include "manifest/datasets/clotho.hpp"
#include "manifest/datasets/vqa_v2.hpp"

namespace manifest {
namespace {

const std::array<const SoundSet*, 2>& all() {
  static const std::array<const SoundSet*, 2> k_all = {&audiocaps(), &clotho()};
  return k_all;
}

}  // namespace

std::span<const SoundSet* const> sound_sets() { return all(); }

const SoundSet& original_sound_set() { return *all().front(); }

const SoundSet* find_sound_set(std::string_view name) {
  const auto at =
      std::find_if(all().begin(), all().end(), [&](const SoundSet* set) { return set->name == name; });
  return at == all().end() ? nullptr : *at;
}

std::filesystem::path usual_root(std::string_view data_set) {
  return std::filesystem::path("data") / data_set;
}

const SoundSet& sound_set_of(const SubsetManifest& subset) {
  if (subset.data_set.empty()) return original_sound_set();
  if (const SoundSet* set = find_sound_set(subset.data_set)) return *set;
  throw common::Error(common::ErrorKind::mismatch, "the clips of " + subset.subset_name +
                                                       " are of the data set \"" + subset.data_set +
                                                       "\", which this program does not know (" +
                                                       names_of_sound_sets() + "); take a newer one");
}

std::string names_of_sound_sets() {
  std::string names;
  for (const SoundSet* set : all()) names.append(names.empty() ? "" : ", ").append(set->name);
  return names;
}

const QuestionSet& question_set() { return vqa_v2(); }

}  // namespace manifest
