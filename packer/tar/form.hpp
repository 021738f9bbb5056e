// In which form a pack lies somewhere.
#pragma once

#include <filesystem>
#include <optional>

namespace packer {

enum class Form { folder, tar, tgz, tar_zst, standard_input };

// From what is there and from the suffix; an unknown suffix is a usage error, an absent path an io error.
[[nodiscard]] Form form_of(const std::filesystem::path& path);
// From the suffix alone.
[[nodiscard]] std::optional<Form> form_of_suffix(const std::filesystem::path& path);

}  // namespace packer
