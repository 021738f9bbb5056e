// A small file that is written again: a key, a manifest, a config. The old content or the new one is there at
// every moment.
#include <filesystem>
#include <fstream>
#include <string>

#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/run_apart.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Fault;

const std::string k_old(3000, 'o'), k_new(5000, 'n');

struct Place {
  support::Scratch scratch;
  fs::path folder = scratch / "place", file = folder / "config.json";

  explicit Place(bool has_old) {
    fs::create_directories(folder);
    if (has_old) std::ofstream(file) << k_old;
  }
  [[nodiscard]] std::string content() const {
    return fs::exists(file) ? common::read_text(file, 1 << 20) : std::string("absent");
  }
  [[nodiscard]] int write(Fault fault, std::uint64_t at) const {
    return support::run_apart(folder, fault, at, [&] { common::write_file(file, k_new); });
  }
  // All but the file and its lock, which may stay.
  [[nodiscard]] int leftovers() const {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      count += name == "config.json" || name == ".config.json.lock" ? 0 : 1;
    }
    return count;
  }
};

}  // namespace

TEST_CASE("whichever system call of write_file is the last, the file is the old one or the new one") {
  for (const bool has_old : {false, true})
    for (const Fault fault :
         {Fault::killed, Fault::error, Fault::full, Fault::interrupted, Fault::cut_short}) {
      const std::string before = has_old ? k_old : "absent";
      std::uint64_t at = 0;
      for (;; ++at) {
        const Place place(has_old);
        const int code = place.write(fault, at + 1);
        CAPTURE(at);
        CAPTURE(static_cast<int>(fault));
        CAPTURE(std::string(support::count_calls().name));
        const std::string now = place.content();
        CHECK((now == before || now == k_new));
        if (code == 0) CHECK(now == k_new);
        if (code != 0 && code != support::k_killed) CHECK(place.leftovers() == 0);
        if (!support::count_calls().struck) break;
        CHECK(place.write(Fault::none, 0) == 0);
        CHECK(place.content() == k_new);
        CHECK(place.leftovers() == 0);
      }
      CHECK(at >= (fault == Fault::interrupted || fault == Fault::cut_short || fault == Fault::full ? 1 : 4));
    }
}
