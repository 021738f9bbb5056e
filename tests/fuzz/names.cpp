// Names: the first line is the pack's, each other line a path of it.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "packer/format/names.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

void check_path(std::string_view text) {
  ENSURE(text.size() <= common::PackPath::k_limit_bytes && !text.starts_with('/') && !text.ends_with('/'));
  ENSURE(text.find("..") == std::string_view::npos || text.find("/..") == std::string_view::npos);
  ENSURE(text.find("//") == std::string_view::npos && text.find("/.") == std::string_view::npos);
  for (const char c : text) ENSURE(c > ' ' && c < 0x7f && c != '\\');
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  const auto line = [&] {
    const std::string_view first = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), first.size() + 1));
    return first;
  };
  const std::string pack(line());
  if (packer::why_not_a_pack_name(pack).empty()) {
    check_path(pack);
    ENSURE(pack.find('/') == std::string::npos && pack[0] != '-');
  }
  std::vector<common::PackPath> paths;
  while (!text.empty()) {
    const std::string_view name = line();
    const bool legal = common::why_not_a_pack_path(name).empty();
    fuzz::may_refuse([&] {
      paths.emplace_back(name);
      ENSURE(legal);
      check_path(name);
    });
    if (packer::role_of(name)) ENSURE(std::strcmp(packer::name_of(*packer::role_of(name)), "") != 0);
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  common::Findings findings;
  packer::check_names(pack, paths, findings);
  return 0;
}
