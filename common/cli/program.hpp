// A program: its name, what it is for, and its verbs. It finds the verb that was typed, prints help and
// version, and turns every failure into one sentence and an exit code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/cli/verb.hpp"

namespace common {

class Program {
 public:
  Program(std::string name, std::string about);

  // A new verb, to be given its flags and its action.
  Verb& add(VerbText text);

  // Takes all words behind the program's name; gives the verb that they name, its flags taken. A usage error
  // for anything else.
  Verb& parse(const std::vector<std::string>& words);

  // The whole program: the exit code.
  int run(int argc, const char* const* argv);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Verb>>& verbs() const { return verbs_; }

 private:
  int run(const std::vector<std::string>& words);

  std::string name_, about_;
  std::vector<std::unique_ptr<Verb>> verbs_;
};

// What a verb says on standard error once it is done, unless --quiet: "next: <command>", each word quoted as
// a shell needs it.
void say_next(const CommonFlags& flags, const std::vector<std::string>& command);
// A line on standard error, unless --quiet.
void say(const CommonFlags& flags, const std::string& line);

}  // namespace common
