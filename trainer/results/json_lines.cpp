#include "trainer/results/json_lines.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "common/error.hpp"

namespace trainer {
namespace {

constexpr std::uint64_t k_lines_limit_bytes = std::uint64_t{4} << 30;

void cut(const common::File& file, std::uint64_t size, const std::filesystem::path& name) {
  if (::ftruncate(file.descriptor(), static_cast<off_t>(size)) != 0)
    common::throw_errno("cannot cut " + name.string());
}

}  // namespace

JsonLines::JsonLines(std::filesystem::path path) : path_(std::move(path)) {
  file_ = common::File(
      ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (!file_.is_open()) common::throw_errno("cannot open " + path_.string());
  const std::string text = common::read_text(path_, k_lines_limit_bytes);
  const std::size_t last_end = text.rfind('\n');
  const std::size_t whole = last_end == std::string::npos ? 0 : last_end + 1;
  if (whole != text.size()) cut(file_, whole, path_);
}

void JsonLines::append(const common::Json& record) {
  const std::string line = common::dump_line(record) + "\n";
  file_.write_all(common::view_of(line), path_);
}

void JsonLines::truncate_after(const char* key, std::int64_t last) {
  const std::string text = common::read_text(path_, k_lines_limit_bytes);
  std::size_t begin = 0;
  for (std::int64_t number = 1; begin < text.size(); ++number) {
    const std::size_t end = text.find('\n', begin);
    ENSURE(end != std::string::npos);
    const std::string where = path_.string() + ": line " + std::to_string(number);
    const common::Json record = common::parse_json(std::string_view(text).substr(begin, end - begin), where);
    if (common::integer_member(record, key, where) > last) break;
    begin = end + 1;
  }
  cut(file_, begin, path_);
  sync();
}

void JsonLines::clear() { cut(file_, 0, path_); }

void JsonLines::sync() { file_.sync(path_); }

}  // namespace trainer
