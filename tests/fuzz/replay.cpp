// A fuzz target without libFuzzer: every file of the folders that are named, then damaged copies of each,
// drawn from a fixed seed, so that a run is the same everywhere.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "common/bytes.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr int k_copies = 200;

// A few bytes changed, a part removed, repeated or cut off.
common::Bytes damaged(common::Bytes bytes, std::mt19937& random) {
  const auto at = [&] { return static_cast<std::ptrdiff_t>(random() % bytes.size()); };
  for (unsigned i = random() % 4; i > 0 && !bytes.empty(); --i)
    bytes[static_cast<std::size_t>(at())] = static_cast<std::uint8_t>(random());
  if (bytes.empty()) return bytes;
  const auto [from, to] = std::minmax({at(), at()});
  const common::Bytes part(bytes.begin() + from, bytes.begin() + to);
  switch (random() % 4) {
    case 0:
      bytes.erase(bytes.begin() + from, bytes.begin() + to);
      break;
    case 1:
      bytes.insert(bytes.begin() + at(), part.begin(), part.end());
      break;
    case 2:
      bytes.resize(static_cast<std::size_t>(to));
      break;
    default:
      break;
  }
  return bytes;
}

// Not as the programs read: some corpora hold what stands in the place of a file that was never fetched.
common::Bytes whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937 random(20240501);
  std::size_t files = 0, inputs = 0;
  const auto run = [&](const common::Bytes& bytes) {
    (void)LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++inputs;
  };
  run({});
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) continue;
    std::set<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) paths.insert(entry.path());
    for (const auto& path : paths) {
      const common::Bytes bytes = whole(path);
      run(bytes);
      for (int copy = 0; copy < k_copies; ++copy) run(damaged(bytes, random));
      ++files;
    }
  }
  std::printf("%zu files, %zu inputs\n", files, inputs);
  return files == 0 ? 1 : 0;
}
