#include "packer/synthesize/tree_writer.hpp"

#include "common/file.hpp"

namespace packer {

namespace fs = std::filesystem;

void TreeWriter::put(const fs::path& name, common::ByteView bytes) {
  const fs::path shown = root_.path_of(name.string());
  common::File file = root_.create(name.string());
  file.write_all(bytes, shown);
  file.close(shown);
  bytes_ += bytes.size();
}

void TreeWriter::make_folder(const fs::path& name) { root_.make_folder(name.string()); }

}  // namespace packer
