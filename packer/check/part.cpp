#include "packer/check/part.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "common/error.hpp"
#include "packer/format/names.hpp"

namespace packer {
namespace {

// A file is opened in the time in which this many bytes are hashed.
constexpr std::uint64_t k_open_cost_bytes = 32 << 10;

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint64_t slurm_number(const char* variable) {
  const char* text = std::getenv(variable);
  const std::optional<std::uint64_t> value = text == nullptr ? std::nullopt : whole_number(text);
  if (!value)
    throw common::Error(common::ErrorKind::usage,
                        std::string("--part auto takes its number from SLURM, and ") + variable +
                            (text == nullptr ? " is not set" : std::string(" is \"") + text + "\"") +
                            "; start it with srun, or give --part I/N");
  return *value;
}

// The k-th of `count` bounds between 0 and `total`, without overflow.
std::uint64_t bound(std::uint64_t total, std::uint64_t k, std::uint64_t count) {
  return total / count * k + total % count * k / count;
}

}  // namespace

std::string describe(Part part) { return std::to_string(part.number) + "/" + std::to_string(part.count); }

Part parse_part(std::string_view text) {
  Part part;
  if (text == "auto") {
    part = {slurm_number("SLURM_PROCID") + 1, slurm_number("SLURM_NTASKS")};
  } else {
    const std::size_t slash = text.find('/');
    const auto number = whole_number(text.substr(0, slash));
    const auto count = slash == std::string_view::npos ? std::nullopt : whole_number(text.substr(slash + 1));
    if (!number || !count)
      throw common::Error(common::ErrorKind::usage,
                          "--part takes I/N such as 2/4, or auto, not \"" + std::string(text) + "\"");
    part = {*number, *count};
  }
  if (part.number < 1 || part.number > part.count || part.count > k_part_limit)
    throw common::Error(common::ErrorKind::usage,
                        "--part " + describe(part) +
                            ": parts are counted from 1/N to N/N, and N is at most " +
                            std::to_string(k_part_limit));
  return part;
}

Share share_of(const std::vector<PackFile>& files, Part part) {
  const auto cost = [](const PackFile& file) {
    return is_control(file.path.text()) ? 0 : std::min(file.bytes, k_file_limit_bytes) + k_open_cost_bytes;
  };
  std::uint64_t total = 0;
  for (const PackFile& file : files) total += cost(file);
  const std::uint64_t from = bound(total, part.number - 1, part.count);
  const std::uint64_t to = part.number == part.count ? UINT64_MAX : bound(total, part.number, part.count);
  Share share{files.size(), files.size()};
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (before >= from && before < to) {
      share.begin = std::min(share.begin, i);
      share.end = i + 1;
      if (!is_control(files[i].path.text())) {
        ++share.files;
        share.bytes += files[i].bytes;
      }
    }
    before += cost(files[i]);
  }
  return share;
}

}  // namespace packer
