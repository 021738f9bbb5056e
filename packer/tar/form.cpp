#include "packer/tar/form.hpp"

#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/unfetched.hpp"

namespace packer {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

std::optional<Form> form_of_suffix(const fs::path& path) {
  const std::string name = path.filename().string();
  const auto ends = [&](std::string_view suffix) {
    return name.size() > suffix.size() && name.ends_with(suffix);
  };
  if (ends(".tar")) return Form::tar;
  if (ends(".tgz") || ends(".tar.gz")) return Form::tgz;
  if (ends(".tar.zst")) return Form::tar_zst;
  return std::nullopt;
}

Form form_of(const fs::path& path) {
  if (path == "-") return Form::standard_input;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::none)
    throw Error(ErrorKind::io, "cannot look at " + path.string() + ": " + error.message());
  if (status.type() == fs::file_type::not_found) {
    if (const std::string why = common::why_unfetched(path); !why.empty())
      throw Error(ErrorKind::io, path.string() + " " + why);
    throw Error(ErrorKind::io, path.string() + " does not exist; name the folder or archive of a pack");
  }
  if (status.type() == fs::file_type::directory) return Form::folder;
  if (const auto form = form_of_suffix(path)) return *form;
  // "latest", a link to a .tar, says it by what it leads to.
  const fs::path whole = fs::canonical(path, error);
  if (const auto form = error ? std::nullopt : form_of_suffix(whole)) return *form;
  throw Error(
      ErrorKind::usage,
      path.string() + " is neither a folder nor a .tar, .tar.zst, .tgz or .tar.gz; name one of these");
}

}  // namespace packer
