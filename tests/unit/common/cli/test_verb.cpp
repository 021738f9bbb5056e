#include <cstdlib>
#include <filesystem>

#include "common/cli/program.hpp"
#include "common/error.hpp"
#include "tests/support/program_laws.hpp"

#include <doctest/doctest.h>

namespace {

// One of each kind.
struct Values {
  std::filesystem::path pack, output = "here";
  std::vector<std::filesystem::path> from, join;
  std::string form = "one";
  std::optional<common::Digest> id;
  std::int64_t seed = 42;
  double rate = 0.5;
  bool gate = true, quiet = false, json = false;
  unsigned threads = 9;
};

common::Program program_of(Values& values) {
  common::Program program("safe-test", "Test.");
  common::Verb& verb =
      program.add({"pack", "Do it", {"pack x --seed 3", "pack x --from a --from b"}, {{3, "I/O error"}}});
  verb.path("PACK,--pack,--pack-root", values.pack, "Read this").required();
  verb.path("--output,--out,-o", values.output, "Write this").from_environment("SAFE_TEST_OUTPUT");
  verb.paths("--from", values.from, "Look here");
  verb.paths("--join", values.join, "Join these").several();
  verb.choice("--form", values.form, {{"one", "the first"}, {"two", "the second"}}, "Choose");
  verb.pack_id("--expect,--pack-id", values.id, "Expect").needs("--from");
  verb.whole("--seed", values.seed, {}, "Draw");
  verb.real("--rate", values.rate, common::RealRange::positive, "Train").excludes({"--form"});
  verb.on("--gate", values.gate, "Switch on").otherwise("on");
  verb.off("--no-gate", values.gate, "Switch off");
  verb.action([&values](const common::CommonFlags& flags) {
    values.quiet = flags.quiet;
    values.json = flags.json;
    values.threads = flags.threads;
    return 0;
  });
  program.add({"unpack", "Undo it", {"unpack", "unpack --quiet"}, {}}).action([](const auto&) { return 0; });
  return program;
}

Values taken(const std::vector<std::string>& words) {
  Values values;
  (void)program_of(values).parse(words).act();
  return values;
}

std::string refused(const std::vector<std::string>& words) {
  Values values;
  return support::refusal([&] { return program_of(values); }, words);
}

}  // namespace

TEST_CASE("the laws of every program hold for one with a flag of each kind") {
  static Values values;
  support::check_laws([] { return program_of(values); });
}

TEST_CASE(
    "a flag for several takes the words up to the next flag, but for an argument that stands nowhere else") {
  using Paths = std::vector<std::filesystem::path>;
  const Paths abc = {"a", "b", "c"};
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"pack", "x", "--join", "a", "b", "c"},
           {"pack", "x", "--join", "a", "b", "--seed", "3", "--join", "c"},
           {"pack", "--join", "a", "b", "c", "x"},
           {"pack", "--join", "a", "b", "c", "x", "--quiet"},
           {"pack", "--join", "a", "b", "x", "--join", "c"},
           {"pack", "--join=a", "--join", "b", "--join", "c", "--quiet", "x"},
           {"pack", "--join", "a", "b", "c", "--", "x"},
           {"pack", "--join", "a", "b", "c", "--pack", "x"},
           {"--quiet", "pack", "--join", "a", "--join", "b", "--join", "c", "x"}}) {
    std::string line;
    for (const std::string& word : words) line += word + " ";
    CAPTURE(line);
    const Values values = taken(words);
    CHECK(values.join == abc);
    CHECK(values.pack == "x");
  }
  CHECK(taken({"pack", "--join", "a", "x"}).join == Paths{"a"});
  // Others take one.
  CHECK(refused({"pack", "x", "--from", "a", "b"}).find("unexpected argument") != std::string::npos);
  CHECK(refused({"pack", "--join", "a"}).find("PACK is missing") != std::string::npos);
}

TEST_CASE("flags come before the verb or behind it, with a space or an equals sign") {
  const Values values = taken({"--quiet", "--threads", "3", "pack", "x", "--seed=-5", "--json", "-o", "out",
                               "--from", "a", "--from=b", "--no-gate", "--gate"});
  CHECK(values.quiet);
  CHECK(values.json);
  CHECK(values.threads == 3);
  CHECK(values.pack == "x");
  CHECK(values.output == "out");
  CHECK(values.seed == -5);
  CHECK(values.from == std::vector<std::filesystem::path>{"a", "b"});
  CHECK(!values.gate);
  CHECK(taken({"pack", "--pack-root", "x", "--seed", "-7"}).seed == -7);
  CHECK(taken({"pack", "--", "-x"}).pack == "-x");
  CHECK(taken({"pack", "x"}).output == "here");
}

TEST_CASE("a variable of the environment stands in for a flag that is not given, and never for one that is") {
  ::setenv("SAFE_TEST_OUTPUT", "from there", 1);
  CHECK(taken({"pack", "x"}).output == "from there");
  CHECK(taken({"pack", "x", "--output", "out"}).output == "out");
  ::setenv("SAFE_TEST_OUTPUT", "", 1);
  CHECK(taken({"pack", "x"}).output == "here");
  ::unsetenv("SAFE_TEST_OUTPUT");
}

TEST_CASE("a value is never taken from the flag behind it, as an unset variable would have it") {
  CHECK(refused({"pack", "x", "--expect", "--seed", "3"}) == "--expect: a value is missing before --seed");
  CHECK(refused({"pack", "x", "--output="}) ==
        "--output: the value is empty; give one, or leave the flag out");
  CHECK(refused({"pack", "x", "--seed"}).starts_with("--seed: a value is missing"));
}

TEST_CASE("what is invalid is one sentence that names it") {
  CHECK(refused({}).starts_with("a verb is missing: pack, unpack"));
  CHECK(refused({"pakc", "x"}) == "unknown verb \"pakc\"; did you mean pack?");
  CHECK(refused({"pack"}).starts_with("PACK is missing"));
  CHECK(refused({"pack", "x", "y"}).starts_with("unexpected argument \"y\""));
  CHECK(refused({"pack", "x", "--sead", "3"}) == "unknown flag --sead; did you mean --seed?");
  CHECK(refused({"pack", "--sead=3"}) == "unknown flag --sead; did you mean --seed?");
  CHECK(refused({"pack", "x", "--seed", "1", "--seed", "2"}) == "--seed is given 2 times; give it once");
  CHECK(refused({"pack", "x", "--form", "tow"}) ==
        "--form: \"tow\" is not one of one, two; did you mean two?");
  CHECK(refused({"pack", "x", "--rate", "1", "--form", "one"}).find("exclude each other") !=
        std::string::npos);
  CHECK(refused({"pack", "x", "--expect", std::string(64, 'a')}) == "--expect needs --from beside it");
  CHECK(refused({"pack", "x", "--from", "a", "--expect", "abc"})
            .starts_with("--expect: \"abc\" is not a pack id"));
}

TEST_CASE("an unknown flag is named also where something required is missing") {
  CHECK(refused({"pack", "--packroot", "x"}).starts_with("unknown flag --packroot"));
}
