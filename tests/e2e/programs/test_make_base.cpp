#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

#include "tests/support/small_world.hpp"

// make-base as a user meets it: over a base, over other files, killed, and twice at once.

using namespace support::small_world;
using support::Finished;
using support::run_process;

namespace {

std::vector<std::string> make_base(const std::string& out, const std::string& seed) {
  return {"make-base", "--pack",       world().pack, "--out",  out, "--steps",
          "10",        "--batch-size", "16",         "--seed", seed};
}

std::string command_of(const std::vector<std::string>& arguments) {
  std::string command = "'" + k_bin + "/safe-trainer' --quiet";
  for (const std::string& word : arguments) command += " " + support::quoted(word);
  return command;
}

std::string id_of(const std::string& base) { return support::text_of_file(base + "/SHA256SUMS"); }

}  // namespace

TEST_CASE("a base that is replaced is the old one until the new one is whole, and its own files alone go") {
  const World& w = world();
  const std::string base = w.root + "/replaced/base";
  World::ok(trainer(make_base(base, "1")));
  const std::string first = id_of(base);
  World::ok(run_process({"sha256sum", "--quiet", "-c", "--strict", "SHA256SUMS"}, base));
  const Finished same = trainer(make_base(base, "1"));
  World::ok(same);
  CHECK(id_of(base) == first);
  // Killed at several moments.
  for (const char* after : {"0.1", "0.4", "0.8", "1.2", "1.6", "2"}) {
    CAPTURE(after);
    (void)run_process(
        {"bash", "-c",
         command_of(make_base(base, "2")) + " & pid=$!; sleep " + after + "; kill -KILL $pid; wait $pid"});
    const bool is_old = id_of(base) == first;
    CHECK(run_process({"sha256sum", "--quiet", "-c", "--strict", "SHA256SUMS"}, base).code == 0);
    if (!is_old) break;
  }
  World::ok(trainer(make_base(base, "3")));
  CHECK(id_of(base) != first);
  // The draft of the killed ones is gone.
  CHECK(std::distance(fs::directory_iterator(w.root + "/replaced"), fs::directory_iterator()) == 1);
  const std::string third = id_of(base);
  support::put_file(base + "/notes.txt", "mine");
  const Finished refused = trainer(make_base(base, "4"));
  CHECK(refused.code == 2);
  CHECK(refused.err.find("notes.txt") != std::string::npos);
  CHECK(support::text_of_file(base + "/notes.txt") == "mine");
  CHECK(id_of(base) == third);
}

TEST_CASE("a wider base is another base, and a width that its heads cannot share is refused") {
  const World& w = world();
  const std::string base = w.root + "/wide/base";
  std::vector<std::string> wide = make_base(base, "1");
  wide.insert(wide.end(), {"--width", "128"});
  World::ok(trainer(wide));
  const common::Json config = json_of(base + "/vl/config.json").at("text_config");
  CHECK(config.at("hidden_size") == 128);
  CHECK(config.at("intermediate_size") == 296);
  World::ok(
      trainer(w.run("no_retention", "on_wide",
                    {"--num-epochs", "1", "--base", base + "/vl", "--audio-encoder", base + "/audio"})));
  wide.back() = "100";
  const Finished refused = trainer(wide);
  CHECK(refused.code == 2);
  CHECK(refused.err.find("--width is 100 and must be a multiple of 8; give 96 or 104") != std::string::npos);
}

TEST_CASE("of two that make one base at once the second is told so") {
  const World& w = world();
  const std::string base = w.root + "/two/base";
  const Finished both =
      run_process({"bash", "-c",
                   command_of(make_base(base, "1")) + " & a=$!; sleep 0.02; " +
                       command_of(make_base(base, "1")) + " & b=$!; wait $a; echo $?; wait $b; echo $?"});
  CAPTURE(both.out);
  CAPTURE(both.err);
  CHECK(both.out.find("0\n") != std::string::npos);
  CHECK((both.out.find("3\n") == std::string::npos) ==
        (both.err.find("is in use by process") == std::string::npos));
  CHECK(run_process({"sha256sum", "--quiet", "-c", "--strict", "SHA256SUMS"}, base).code == 0);
}

#endif
