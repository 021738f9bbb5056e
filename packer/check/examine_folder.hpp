// Examines a pack that lies as a folder.
#pragma once

#include <filesystem>

#include "common/sealed/folder.hpp"
#include "packer/check/examine.hpp"

namespace packer {

[[nodiscard]] Examination examine_folder(const std::filesystem::path& root, const ExamineRequest& request);
[[nodiscard]] Examination examine_folder(const common::Folder& root, const ExamineRequest& request);

}  // namespace packer
