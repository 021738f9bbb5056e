// The README's figures are those of RESULTS*.md, which a report wrote: every interval that it states is
// there.
#include <filesystem>
#include <regex>
#include <string>

#include "common/file.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_limit_bytes = 1 << 22;

std::string with_ascii_signs(std::string text) {
  const std::string minus = "\xE2\x88\x92";
  for (std::size_t at = 0; (at = text.find(minus, at)) != std::string::npos;)
    text.replace(at, minus.size(), "-");
  return text;
}

std::string page(const fs::path& path) { return with_ascii_signs(common::read_text(path, k_limit_bytes)); }

}  // namespace

TEST_CASE("every interval in the README's results stands in a file that a report wrote") {
  const fs::path folder = fs::path(SAFE_SOURCE_DIR) / "experiments/overfitting";
  std::string written;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("RESULTS")) written += page(entry.path());
  const std::string readme = page(folder / "README.md");
  const std::size_t begin = readme.find("\n## Results"),
                    end = readme.find("\n## Building the packaged subset");
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const std::string section = readme.substr(begin, end - begin);
  // "[84.3, 88.2]", "[+2.5, +6.9]", "[0.72, 1.16]"; a sign of + may be left out in a sentence.
  const std::regex interval(R"(\[([-+]?[0-9]+\.[0-9]+), ([-+]?[0-9]+\.[0-9]+)\])");
  int found = 0;
  for (auto it = std::sregex_iterator(section.begin(), section.end(), interval); it != std::sregex_iterator();
       ++it) {
    const std::string low = (*it)[1], high = (*it)[2];
    const auto bare = [](const std::string& text) { return text.front() == '+' ? text.substr(1) : text; };
    const auto has = [&](const std::string& a, const std::string& b) {
      return written.find("[" + a + ", " + b + "]") != std::string::npos;
    };
    const bool is_there = has(low, high) || has("+" + bare(low), "+" + bare(high)) ||
                          has(bare(low), bare(high)) ||
                          // of a loss that is called one: "costs 5.1 points [2.4, 7.9]"
                          has("-" + bare(high), "-" + bare(low));
    CAPTURE(it->str());
    CHECK(is_there);
    ++found;
  }
  CHECK(found > 20);
}
