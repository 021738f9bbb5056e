#include "common/cli/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/cli/help.hpp"
#include "common/cli/suggest.hpp"
#include "common/error.hpp"
#include "common/program.hpp"
#include "common/shell.hpp"
#include "common/terminal.hpp"

namespace common {
namespace {

bool is_help(const std::string& word) { return word == "--help" || word == "-h"; }

// Where the verb stands: behind flags that every verb takes. One behind the last word where there is none.
std::size_t verb_place(const std::vector<std::string>& words, const Verb& any) {
  std::size_t at = 0;
  for (; at < words.size() && words[at].starts_with('-'); ++at)
    for (const Flag& flag : any.common())
      if (words[at] == flag.name() && flag.kind() != Flag::Kind::on_off) ++at;
  return std::min(at, words.size());
}

}  // namespace

Program::Program(std::string name, std::string about) : name_(std::move(name)), about_(std::move(about)) {}

Verb& Program::add(VerbText text) {
  return *verbs_.emplace_back(std::make_unique<Verb>(std::move(text), name_));
}

Verb& Program::parse(const std::vector<std::string>& words) {
  const std::size_t place = verb_place(words, *verbs_.front());
  std::vector<std::string> names;
  for (const auto& verb : verbs_) names.push_back(verb->about().name);
  if (place == words.size())
    throw Error(ErrorKind::usage,
                fmt::format("a verb is missing: {}; see {} --help", fmt::join(names, ", "), name_));
  const auto found = std::find(names.begin(), names.end(), words[place]);
  if (found == names.end()) {
    const std::string meant = suggestion(words[place], names);
    throw Error(
        ErrorKind::usage,
        fmt::format("unknown verb \"{}\"{}", words[place],
                    meant.empty() ? fmt::format("; the verbs are {}", fmt::join(names, ", ")) : meant));
  }
  std::vector<std::string> rest = words;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(place));
  Verb& verb = *verbs_[static_cast<std::size_t>(found - names.begin())];
  verb.parse(rest);
  return verb;
}

int Program::run(const std::vector<std::string>& words) {
  const std::size_t place = verb_place(words, *verbs_.front());
  const auto end = std::find(words.begin(), words.end(), "--");
  const auto verbs_end = words.begin() + static_cast<std::ptrdiff_t>(place);
  if (std::find(words.begin(), verbs_end, "--version") != verbs_end) {
    fmt::print("{} {}\n", name_, SAFE_VERSION);
    return 0;
  }
  if (std::any_of(words.begin(), end, is_help)) {
    for (const auto& verb : verbs_)
      if (place < words.size() && verb->about().name == words[place]) {
        fmt::print("{}", help_of(name_, *verb));
        return 0;
      }
    fmt::print("{}", help_of(name_, about_, verbs_));
    return 0;
  }
  return parse(words).act();
}

int Program::run(int argc, const char* const* argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  return run_program(name_.c_str(), [&] { return run(words); });
}

void say(const CommonFlags& flags, const std::string& line) {
  if (!flags.quiet) print_line(stderr, line);
}

void say_next(const CommonFlags& flags, const std::vector<std::string>& command) {
  say(flags, "next: " + shell_command(command));
}

}  // namespace common
