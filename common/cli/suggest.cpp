#include "common/cli/suggest.hpp"

#include <algorithm>

namespace common {
namespace {

std::string plain(std::string name) {
  for (char& c : name) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

// Letters to insert, delete, replace or swap with their neighbours (Damerau and Levenshtein's, restricted).
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> apart(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) apart[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) apart[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      apart[i][j] = std::min({apart[i - 1][j - 1] + other, apart[i - 1][j] + 1, apart[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        apart[i][j] = std::min(apart[i][j], apart[i - 2][j - 2] + 1);
    }
  return apart[a.size()][b.size()];
}

}  // namespace

std::string nearest(const std::string& typed, const std::vector<std::string>& names) {
  const std::string wanted = plain(typed);
  // A third of the letters may be wrong: more is another word.
  std::size_t least = wanted.size() / 3 + 1;
  std::string best;
  for (const std::string& name : names) {
    const std::size_t apart = distance(wanted, plain(name));
    if (apart >= least) continue;
    least = apart;
    best = name;
  }
  if (!best.empty() || wanted.size() < 5) return best;
  // A beginning that only one name has.
  for (const std::string& name : names)
    if (plain(name).starts_with(wanted)) {
      if (!best.empty()) return {};
      best = name;
    }
  return best;
}

std::string suggestion(const std::string& typed, const std::vector<std::string>& names) {
  const std::string name = nearest(typed, names);
  return name.empty() ? std::string() : "; did you mean " + name + "?";
}

}  // namespace common
