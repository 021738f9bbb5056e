#include "trainer/results/json_lines.hpp"

#include <unistd.h>

#include "common/error.hpp"

namespace trainer {
JsonLines::JsonLines(const common::Folder& folder, const std::string& name)
    : path_(folder.path_of(name)), file_(folder.open_to_append(name)) {
  const std::string text = folder.read_text(name, k_lines_limit_bytes);
  const std::size_t last_end = text.rfind('\n');
  const std::size_t whole = last_end == std::string::npos ? 0 : last_end + 1;
  if (whole != text.size() && ::ftruncate(file_.descriptor(), static_cast<off_t>(whole)) != 0)
    common::throw_errno("cannot cut " + path_.string());
}

void JsonLines::append(const common::Json& record) {
  const std::string line = common::dump_line(record) + "\n";
  file_.write_all(common::view_of(line), path_);
}

common::FileDigest JsonLines::save() {
  file_.sync(path_);
  return common::digest_file(file_, path_);
}

}  // namespace trainer
