// A zip that somebody else made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "packer/sources/foreign_entry.hpp"

namespace packer {

void list_zip(const std::filesystem::path& path, const EntryCall& call);

// `wanted` in ascending order of numbers, each once.
[[nodiscard]] std::unique_ptr<EntryReader> read_zip(const std::filesystem::path& path,
                                                    std::vector<WantedEntry> wanted);

}  // namespace packer
