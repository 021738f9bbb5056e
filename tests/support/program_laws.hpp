// What holds for the command line of every program. The flags are asked of the program itself, so that a new
// one is judged without being listed here. `make` gives a fresh program: values once taken stay.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/cli/help.hpp"
#include "common/cli/program.hpp"
#include "common/error.hpp"

namespace support {

// What is said of a command line that is refused, and nothing where it is taken.
template <typename Make>
std::string refusal(Make make, const std::vector<std::string>& words) {
  common::Program program = make();
  try {
    (void)program.parse(words);
  } catch (const common::Error& error) {
    CHECK(common::exit_code(error.kind()) == 2);
    return error.what();
  }
  return {};
}

inline std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

template <typename Make>
void check_empty_values(Make make) {
  const common::Program program = make();
  for (const auto& verb : program.verbs())
    for (const std::deque<common::Flag>* flags : {&verb->flags(), &verb->common()})
      for (const common::Flag& flag : *flags) {
        if (flag.kind() == common::Flag::Kind::on_off) continue;
        for (const std::string& name : flag.names()) {
          const bool is_argument = !name.starts_with('-');
          std::vector<std::vector<std::string>> lines = {{verb->about().name}};
          if (is_argument) {
            // Arguments before this one, so that the empty word is this one's.
            for (const common::Flag& other : verb->flags()) {
              if (&other == &flag) break;
              if (other.is_argument()) lines[0].push_back("x");
            }
            lines[0].push_back("");
          } else {
            lines[0].insert(lines[0].end(), {name, ""});
            if (name.starts_with("--")) lines.push_back({verb->about().name, name + "="});
          }
          for (const std::vector<std::string>& words : lines) {
            const std::string said = refusal(make, words);
            CAPTURE(verb->about().name);
            CAPTURE(name);
            CAPTURE(said);
            CHECK(said.find("the value is empty") != std::string::npos);
            CHECK(std::any_of(flag.names().begin(), flag.names().end(),
                              [&](const std::string& one) { return said.starts_with(one + ":"); }));
          }
        }
      }
}

inline void check_flag_text(const common::Flag& flag) {
  CAPTURE(flag.name());
  REQUIRE(!flag.help().empty());
  CHECK((flag.help()[0] >= 'A' || flag.help().find(": ") != std::string::npos));
  CHECK_FALSE(flag.help().ends_with('.'));
  const std::string shown = common::help_of(flag);
  CHECK((shown.find("(default: ") != std::string::npos) != flag.is_required());
  CHECK(!flag.default_text().empty());
  for (const common::Choice& choice : flag.all_choices()) {
    CAPTURE(choice.value);
    CHECK(!choice.means.empty());
    CHECK(shown.find(choice.value + ": ") != std::string::npos);
  }
}

// One idea has one set of names in every verb.
inline void check_names(const common::Verb& verb) {
  const std::vector<std::set<std::string>> ideas = {{"--pack", "--pack-root"},
                                                    {"--expect", "--pack-id"},
                                                    {"--trust", "--require-signature"},
                                                    {"--output", "--out", "-o"}};
  std::set<std::string> seen;
  for (const std::deque<common::Flag>* flags : {&verb.flags(), &verb.common()})
    for (const common::Flag& flag : *flags) {
      const std::set<std::string> names(flag.names().begin(), flag.names().end());
      for (const std::string& name : names) {
        CAPTURE(name);
        CHECK(seen.insert(name).second);
      }
      for (const std::set<std::string>& idea : ideas) {
        const auto has = [&](const std::string& name) { return names.count(name) == 1; };
        CAPTURE(flag.name());
        if (std::any_of(idea.begin(), idea.end(), has)) CHECK(std::all_of(idea.begin(), idea.end(), has));
      }
    }
}

template <typename Make>
void check_help(Make make) {
  const common::Program program = make();
  for (const auto& verb : program.verbs()) {
    const common::VerbText& about = verb->about();
    CAPTURE(about.name);
    CHECK((about.does[0] >= 'A' && about.does[0] <= 'Z'));
    for (const common::Flag& flag : verb->flags()) check_flag_text(flag);
    check_names(*verb);
    CHECK(about.examples.size() == 2);
    for (const std::string& example : about.examples) {
      CHECK(words_of(example).front() == about.name);
      CHECK(refusal(make, words_of(example)) == "");
    }
    std::set<int> codes;
    for (const common::ExitCode& exit : about.exit_codes) CHECK(codes.insert(exit.code).second);
    const std::string help = common::help_of(program.name(), *verb);
    for (const char* part : {"--quiet", "--json", "--threads N", "Examples:", "Exit codes:"})
      CHECK(help.find(part) != std::string::npos);
    CHECK((help.find("\n  75 ") != std::string::npos) == (codes.count(75) == 1));
    CHECK((help.find("\n  4 ") != std::string::npos) == (codes.count(4) == 1));
  }
}

// A flag with a letter wrong, and one that takes a number with texts that are none.
template <typename Make>
void check_mistakes(Make make) {
  const common::Program program = make();
  for (const auto& verb : program.verbs()) {
    const std::string& name = verb->about().name;
    CAPTURE(name);
    CHECK(refusal(make, {name + "x"}).find("did you mean " + name) != std::string::npos);
    for (const common::Flag& flag : verb->flags()) {
      CAPTURE(flag.name());
      if (flag.name().size() < 5 || flag.is_argument()) continue;
      std::string typed = flag.name();
      if (const std::size_t at = typed.find('-', 2); at != std::string::npos)
        typed[at] = '_';
      else
        typed += "x";
      CHECK(refusal(make, {name, typed, "1"}) ==
            "unknown flag " + typed + "; did you mean " + flag.name() + "?");
      if (flag.value_name() != "N" && flag.value_name() != "NUMBER") continue;
      for (const char* text : {"many", "1,5", "0x10", " 1", "1 ", "--", "nan", "1e", "+1"})
        CHECK(refusal(make, {name, flag.name(), text}).starts_with(flag.name() + ": "));
      if (flag.value_name() == "NUMBER")
        for (const char* text : {"inf", "-inf", "1e999", "-0.5"})
          CHECK(refusal(make, {name, flag.name(), text}).starts_with(flag.name() + ": "));
      else
        for (const char* text : {"1e3", "1.5"})
          CHECK(refusal(make, {name, flag.name(), text}).starts_with(flag.name() + ": "));
    }
  }
}

template <typename Make>
void check_laws(Make make) {
  check_empty_values(make);
  check_help(make);
  check_mistakes(make);
}

}  // namespace support
