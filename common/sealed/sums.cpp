#include "common/sealed/sums.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/program.hpp"
#include "common/sealed/finding_limit.hpp"

namespace common {
namespace {

constexpr std::size_t k_hex_digits = 2 * Digest::k_size;
constexpr std::size_t k_lines_between_stops = 4096;

void check_required(const std::vector<SumsLine>& lines, std::span<const std::string> required,
                    Findings& findings) {
  for (const std::string& name : required) {
    const PackPath path(name);
    const auto at = std::lower_bound(lines.begin(), lines.end(), path,
                                     [](const SumsLine& line, const PackPath& p) { return line.path < p; });
    if (at == lines.end() || at->path != path)
      findings.push_back({name, "S5", "is required, and SHA256SUMS does not list it"});
  }
}

}  // namespace

std::string write_sums(const std::vector<SumsLine>& lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ENSURE(i == 0 || lines[i - 1].path < lines[i].path);
    text += lines[i].digest.hex() + "  " + lines[i].path.text() + "\n";
  }
  return text;
}

std::vector<SumsLine> parse_sums(std::string_view text, std::span<const std::string> required,
                                 Findings& findings, std::size_t path_limit_bytes) {
  std::vector<SumsLine> lines;
  const std::string seal(k_seal_name);
  LimitedFindings limited(findings);
  const auto bad = [&](std::size_t number, const char* rule, const std::string& what) {
    limited.add(seal, rule, "line " + std::to_string(number) + ": " + what);
  };
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size() && !limited.is_full();) {
    ++number;
    if (number % k_lines_between_stops == 0) throw_if_stop_requested();
    if (number > k_file_count_limit) {
      bad(number, "S6", "more than 500000 files");
      break;
    }
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) bad(number, "S2", "the last line does not end with a line feed");
    const std::string_view line = text.substr(at, end == std::string_view::npos ? end : end - at);
    at = end == std::string_view::npos ? text.size() : end + 1;
    if (line.size() < k_hex_digits + 3 || line.substr(k_hex_digits, 2) != "  ") {
      bad(number, "S2", "is not 64 hexadecimal digits, two spaces and a path");
      continue;
    }
    const auto digest = parse_digest(line.substr(0, k_hex_digits));
    if (!digest) {
      bad(number, "S2", "does not begin with 64 lower-case hexadecimal digits");
      continue;
    }
    const std::string_view name = line.substr(k_hex_digits + 2);
    if (const std::string why = why_not_a_pack_path(name, path_limit_bytes); !why.empty()) {
      bad(number, "N1", "invalid path: " + why);
      continue;
    }
    if (name == k_seal_name || name == k_signature_name) {
      bad(number, "S4", "lists " + std::string(name) + ", which no seal can hold");
      continue;
    }
    SumsLine parsed{PackPath(name, path_limit_bytes), *digest};
    if (!lines.empty() && !(lines.back().path < parsed.path))
      bad(number, "S3", std::string(name) + " is not in the order of path bytes");
    lines.push_back(std::move(parsed));
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end(),
                          [](const SumsLine& a, const SumsLine& b) { return a.path == b.path; }),
              lines.end());
  if (number == 0) findings.push_back({seal, "S1", "is empty"});
  check_required(lines, required, findings);
  return lines;
}

}  // namespace common
