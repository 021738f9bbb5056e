// A base that is replaced: whichever system call fails, or is the last, the old base is there or the new one
// is, whole.
#include "trainer/base/base_folder.hpp"

#include <cstdio>
#include <fstream>

#include "common/error.hpp"
#include "common/sealed/inventory.hpp"
#include "tests/support/process.hpp"
#include "tests/support/run_apart.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Fault;

common::Bytes bytes(char c) { return common::Bytes(2000, static_cast<std::uint8_t>(c)); }

// What make-base writes, with other bytes for another `mark`.
void make(const fs::path& out, char mark) {
  common::Draft draft(out, trainer::base_replaceable());
  draft.remove_all_but([](const std::string&) { return false; });
  trainer::put_model(draft, "vl", {{"config.json", bytes(mark)}, {"model.safetensors", bytes(mark)}});
  trainer::put_model(draft, "audio", {{"config.json", bytes(mark)}});
  trainer::publish_base(draft, {{"mark", std::string(1, mark)}});
}

// Of a base that is whole; "" where there is none; "damaged" otherwise.
std::string mark_of(const fs::path& out) {
  if (!fs::exists(out)) return "";
  const auto record = trainer::read_base_record(out, 1);
  if (!record) return "damaged";
  return record->at("mark").get<std::string>();
}

struct Place {
  support::Scratch scratch;
  fs::path folder = scratch / "place", out = folder / "base";

  explicit Place(bool has_old) {
    fs::create_directories(folder);
    if (has_old) make(out, 'o');
  }
  [[nodiscard]] bool has_leftovers() const {
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path() != out) return true;
    return false;
  }
};

}  // namespace

TEST_CASE("whichever system call of make-base is the last, the old base or the new one is there, whole") {
  for (const bool has_old : {false, true})
    for (const Fault fault :
         {Fault::killed, Fault::error, Fault::full, Fault::interrupted, Fault::cut_short}) {
      std::uint64_t at = 0, refused = 0;
      for (;; ++at) {
        const Place place(has_old);
        const int code = support::run_apart(place.folder, fault, at + 1, [&] { make(place.out, 'n'); });
        const support::CallCount calls = support::count_calls();
        CAPTURE(at);
        CAPTURE(static_cast<int>(fault));
        CAPTURE(std::string(calls.name));
        const std::string mark = mark_of(place.out);
        // Where two names cannot be exchanged the place is empty for a moment; the next run fills it again.
        CHECK((mark == "n" || mark == (has_old ? "o" : "")));
        if (code == 0) CHECK(mark == "n");
        // An old base that could not be removed behind the new one is removed by the next run.
        if (code != 0 && code != support::k_killed && mark != "n") CHECK_FALSE(place.has_leftovers());
        refused += code != 0 ? 1 : 0;
        if (!calls.struck) break;
        CHECK(support::run_apart(place.folder, Fault::none, 0, [&] { make(place.out, 'n'); }) == 0);
        CHECK(mark_of(place.out) == "n");
        CHECK_FALSE(place.has_leftovers());
      }
      std::printf("make-base%s, fault %d: %llu calls, %llu refused\n", has_old ? " over an old one" : "",
                  static_cast<int>(fault), static_cast<unsigned long long>(at),
                  static_cast<unsigned long long>(refused));
      CHECK(at > 5);
    }
}

TEST_CASE("only a base is replaced, and nothing that is not its own is deleted") {
  const auto refused = [](const fs::path& out, const std::string& because) {
    try {
      make(out, 'n');
      return false;
    } catch (const common::Error& error) {
      CAPTURE(std::string(error.what()));
      CHECK(error.kind() == common::ErrorKind::usage);
      return std::string(error.what()).find(because) != std::string::npos;
    }
  };
  const Place place(true);
  for (const std::string name : {"notes.txt", "vl/lora.safetensors", "audio/deep/notes"}) {
    CAPTURE(name);
    fs::create_directories((place.out / name).parent_path());
    support::put_file(place.out / name, "mine");
    CHECK(refused(place.out, "no part of a base"));
    CHECK(support::text_of_file(place.out / name) == "mine");
    CHECK(support::text_of_file(place.out / "vl/config.json") == std::string(2000, 'o'));
    fs::remove_all(place.out / (name.starts_with("audio") ? "audio/deep" : name));
  }
  support::put_file(place.folder / "other", "mine");
  CHECK(refused(place.folder, "neither empty nor a base"));
  CHECK_FALSE(fs::exists(place.folder / ".base.draft"));
  make(place.out, 'n');
  CHECK(mark_of(place.out) == "n");
}

TEST_CASE("a base with a changed, missing or added byte is not taken for the same base, and is replaced") {
  for (const char* damage : {"change", "remove", "truncate"}) {
    CAPTURE(damage);
    const Place place(true);
    const fs::path file = place.out / "vl/model.safetensors";
    if (std::string(damage) == "change") support::put_file(file, std::string(1999, 'o') + "x");
    if (std::string(damage) == "remove") fs::remove(file);
    if (std::string(damage) == "truncate") fs::resize_file(file, 1999);
    CHECK(mark_of(place.out) == "damaged");
    make(place.out, 'n');
    CHECK(mark_of(place.out) == "n");
  }
}

TEST_CASE("a base is checked with sha256sum") {
  const Place place(true);
  CHECK(support::run_process({"sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"}, place.out).code == 0);
}
