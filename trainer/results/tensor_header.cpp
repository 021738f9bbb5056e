#include "trainer/results/tensor_header.hpp"

#include "trainer/formats/safetensors_header.hpp"

namespace trainer {

std::map<std::string, std::string> read_tensor_metadata(const common::Folder& folder,
                                                        const std::string& path) {
  const common::File file = folder.open_to_read(path);
  const std::filesystem::path name = folder.path_of(path);
  const std::uint64_t file_bytes = common::size_of(file, name);
  common::Bytes start(8);
  start.resize(file.read_at(start.data(), start.size(), 0, name));
  start.resize(8 + safetensors_json_bytes(start, file_bytes, path));
  start.resize(8 + file.read_at(start.data() + 8, start.size() - 8, 8, name));
  return parse_safetensors_header(start, file_bytes, path).metadata;
}

}  // namespace trainer
