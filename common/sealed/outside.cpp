#include "common/sealed/outside.hpp"

#include "common/error.hpp"
#include "common/sealed/sums.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

// Many people keep a SHA256SUMS beside their downloads; what a pack or a run has besides tells them apart.
bool is_sealed(const fs::path& folder) {
  std::error_code none;
  return fs::is_regular_file(folder / k_seal_name, none) &&
         (fs::is_regular_file(folder / "pack.json", none) ||
          fs::is_regular_file(folder / "metrics.json", none));
}

}  // namespace

void require_outside_of_sealed(const fs::path& target) {
  std::error_code failure;
  const fs::path whole = fs::weakly_canonical(fs::absolute(target), failure);
  if (failure) return;  // whoever opens it says what is wrong
  for (fs::path folder = whole.parent_path(); folder != folder.parent_path(); folder = folder.parent_path())
    if (is_sealed(folder))
      throw Error(ErrorKind::usage, target.string() + " lies inside " + folder.string() +
                                        ", which is sealed: with one more file it would not verify; name a "
                                        "place outside");
}

}  // namespace common
