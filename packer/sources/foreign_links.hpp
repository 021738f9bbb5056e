// Links inside of an archive: one of a git-annex tree or a Hugging Face cache consists of them.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "packer/sources/foreign_entry.hpp"

namespace packer {

// By name without "./".
using ForeignEntries = std::unordered_map<std::string, ForeignEntry>;

// "./audio/x.wav", as `tar c .` writes it, is audio/x.wav.
[[nodiscard]] std::string without_dot(std::string name);

// Makes of each link the file of the same archive that it leads to, also by way of other links; where it
// leads to none, why_not says where. `list` lists the archive once more: for what is not among `entries`.
void follow_links(ForeignEntries& entries, const std::function<void(const EntryCall&)>& list);

}  // namespace packer
