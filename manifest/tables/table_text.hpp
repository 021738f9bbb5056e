// The text of a table, whatever it is kept in: UTF-8 with or without a byte order mark, UTF-16 with one, and
// any of them in gzip. What is a table in a binary form is called by its name, with the lines of Python that
// make a CSV of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/bytes.hpp"

namespace manifest {

// AudioCaps' largest table has 8 MB.
inline constexpr std::uint64_t k_table_limit_bytes = std::uint64_t{256} << 20;

// What bytes mean that are no UTF-8. Some tables are written in Windows' Western code page.
enum class OtherBytes { refuse_later, windows_1252 };

// Always without a byte order mark. `name` begins every error message.
[[nodiscard]] std::string table_text(common::ByteView bytes, const std::string& name,
                                     OtherBytes other = OtherBytes::refuse_later);
[[nodiscard]] std::string read_table_text(const std::filesystem::path& path,
                                          OtherBytes other = OtherBytes::refuse_later);

}  // namespace manifest
