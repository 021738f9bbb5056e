// The folder of a model that the user names: a folder, a repository of the Hugging Face hub's cache
// (models--ORG--NAME), or an id ORG/NAME that is looked for in that cache. Nothing is fetched, ever.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace trainer {

// Where the hub's cache may be, as its own programs look: $HF_HUB_CACHE, $HF_HOME/hub,
// ~/.cache/huggingface/hub.
[[nodiscard]] std::vector<std::filesystem::path> hub_caches();

// ORG/NAME of a snapshot's folder in such a cache; empty for another folder.
[[nodiscard]] std::string hub_id_of(const std::filesystem::path& snapshot);

// ORG/NAME that is no folder here and in none of `caches` is an io error with the command that downloads it;
// so is a repository of which there is no snapshot. Any other path comes back as it is, whether it is there
// or not.
[[nodiscard]] std::filesystem::path find_model(const std::filesystem::path& named,
                                               const std::vector<std::filesystem::path>& caches);

}  // namespace trainer
