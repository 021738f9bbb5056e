#include "trainer/results/tensor_header.hpp"

#include <array>

#include "common/error.hpp"
#include "common/json.hpp"

namespace trainer {
namespace {

constexpr std::uint64_t k_header_limit_bytes = std::uint64_t{100} << 20;  // of the format's own reader

[[noreturn]] void refuse(const std::string& path) {
  throw common::Error(common::ErrorKind::format,
                      path + " has no safetensors header; get the run again, or make it again");
}

}  // namespace

std::map<std::string, std::string> read_tensor_metadata(const common::Folder& folder,
                                                        const std::string& path) {
  const common::File file = folder.open_to_read(path);
  const std::filesystem::path name = folder.path_of(path);
  std::array<std::uint8_t, 8> length{};
  if (file.read_at(length.data(), length.size(), 0, name) != length.size()) refuse(path);
  std::uint64_t size = 0;
  for (std::size_t i = length.size(); i-- > 0;) size = size << 8 | length[i];
  if (size > k_header_limit_bytes || size > common::size_of(file, name)) refuse(path);
  common::Bytes header(static_cast<std::size_t>(size));
  if (file.read_at(header.data(), header.size(), length.size(), name) != header.size()) refuse(path);
  const common::Json json = common::parse_json(common::text_of(header), path);
  std::map<std::string, std::string> metadata;
  const auto found = json.find("__metadata__");
  if (found == json.end()) return metadata;
  for (const auto& [key, value] : found->items())
    if (value.is_string()) metadata[key] = value.get<std::string>();
  return metadata;
}

}  // namespace trainer
