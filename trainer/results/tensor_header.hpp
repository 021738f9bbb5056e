// What a safetensors file says of itself, read without LibTorch: the metadata of its header.
#pragma once

#include <map>
#include <string>

#include "common/sealed/folder.hpp"

namespace trainer {

// A file that is none is a format error.
[[nodiscard]] std::map<std::string, std::string> read_tensor_metadata(const common::Folder& folder,
                                                                      const std::string& path);

}  // namespace trainer
