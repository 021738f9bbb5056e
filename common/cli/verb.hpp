// A verb of a program: its name, what it does, two examples, the exit codes that it has, and its flags. Every
// program declares its verbs with this and nothing else, so that all of them read numbers, refuse empty
// values and show defaults in one way.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/cli/number.hpp"
#include "common/digest.hpp"
#include "common/progress.hpp"

namespace common {

// Flags that every verb of every program takes, before or behind the verb.
struct CommonFlags {
  unsigned threads = 0;
  bool quiet = false;
  bool json = false;
  [[nodiscard]] Verbosity verbosity() const { return quiet ? Verbosity::quiet : Verbosity::normal; }
};

// One value of a flag that has few, and what it means.
struct Choice {
  std::string value;
  std::string means;
};

// A flag, or an argument that needs none ("PACK", which --pack may also name). Setters return the flag
// itself, to be chained.
class Flag {
 public:
  enum class Kind { value, repeatable, on_off };
  using Take = std::function<void(const std::string& flag, const std::string& text)>;

  Flag(std::vector<std::string> names, Kind kind, std::string value_name, std::string help, Take take);

  Flag& required();
  // What stands behind "default:" in --help; without it, the value that the program starts with, or "none".
  Flag& otherwise(std::string text);
  // Read where the flag is not given and the variable is neither absent nor empty.
  Flag& from_environment(std::string variable);
  // Usage errors: both given; this one given without `other`.
  Flag& excludes(std::vector<std::string> others);
  Flag& needs(std::string other);
  Flag& choices(std::vector<Choice> choices);
  // Each time it is given it takes all words behind it up to the next flag, as a shell's pattern gives them.
  // A required argument that is given nowhere else is the last of them.
  Flag& several();

  // The name in messages: the argument's, or the first long one.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool is_argument() const { return !name_.starts_with('-'); }
  [[nodiscard]] bool is_required() const { return required_; }
  [[nodiscard]] bool takes_several() const { return several_; }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const std::string& value_name() const { return value_name_; }
  [[nodiscard]] const std::string& help() const { return help_; }
  [[nodiscard]] const std::string& default_text() const { return default_; }
  [[nodiscard]] const std::string& variable() const { return variable_; }
  [[nodiscard]] const std::vector<Choice>& all_choices() const { return choices_; }
  [[nodiscard]] const std::vector<std::string>& excluded() const { return excluded_; }
  [[nodiscard]] const std::string& needed() const { return needed_; }

  // Takes one value as it was typed; a usage error where it is empty or does not fit.
  void take(const std::string& text) const;

 private:
  std::string name_;
  std::vector<std::string> names_;
  Kind kind_;
  std::string value_name_, help_, default_, variable_, needed_;
  bool required_ = false, several_ = false;
  std::vector<std::string> excluded_;
  std::vector<Choice> choices_;
  Take take_;
};

struct ExitCode {
  int code = 0;
  std::string when;
};

struct VerbText {
  std::string name;
  std::string does;                   // "Check every byte of a pack, without extracting it"
  std::vector<std::string> examples;  // what is typed behind the program's name; the verb comes first
  std::vector<ExitCode> exit_codes;   // beside 0 and 2, which every verb has
};

class Verb {
 public:
  using Action = std::function<int(const CommonFlags& flags)>;

  // `program` is named where a message says how to get help.
  explicit Verb(VerbText text, const std::string& program = {});
  Verb(const Verb&) = delete;
  Verb& operator=(const Verb&) = delete;

  // `names`: "--output,-o", or "PACK,--pack" for an argument. `to` holds the default and outlives the verb.
  Flag& text(const std::string& names, std::string& to, const std::string& help);
  Flag& text(const std::string& names, std::optional<std::string>& to, const std::string& help);
  Flag& texts(const std::string& names, std::vector<std::string>& to, const std::string& help);
  Flag& path(const std::string& names, std::filesystem::path& to, const std::string& help);
  Flag& path(const std::string& names, std::optional<std::filesystem::path>& to, const std::string& help);
  Flag& paths(const std::string& names, std::vector<std::filesystem::path>& to, const std::string& help);
  Flag& pack_id(const std::string& names, std::optional<Digest>& to, const std::string& help);
  Flag& choice(const std::string& names, std::string& to, std::vector<Choice> choices,
               const std::string& help);
  Flag& real(const std::string& names, double& to, RealRange range, const std::string& help);
  Flag& real(const std::string& names, std::optional<double>& to, RealRange range, const std::string& help);
  template <typename T>
  Flag& whole(const std::string& names, T& to, const WholeRange& range, const std::string& help) {
    static_assert(std::is_integral_v<T>);
    return add_whole(names, range, help, [&to](std::int64_t value) { to = static_cast<T>(value); })
        .otherwise(std::to_string(to));
  }
  template <typename T>
  Flag& whole(const std::string& names, std::optional<T>& to, const WholeRange& range,
              const std::string& help) {
    static_assert(std::is_integral_v<T>);
    return add_whole(names, range, help, [&to](std::int64_t value) { to = static_cast<T>(value); });
  }
  Flag& on(const std::string& names, bool& to, const std::string& help);
  Flag& off(const std::string& names, bool& to, const std::string& help);
  // A value of another kind: `take` parses it, and throws a usage error that names the flag.
  Flag& value(const std::string& names, const std::string& value_name, const std::string& help,
              Flag::Take take);

  // What the verb does once its flags are taken; gives the exit code.
  void action(Action action) { action_ = std::move(action); }
  [[nodiscard]] int act() const { return action_(common_flags_); }

  // Takes the words behind the verb. Everything that is wrong with them is a usage error.
  void parse(const std::vector<std::string>& words);

  [[nodiscard]] const VerbText& about() const { return text_; }
  // "safe-packer verify".
  [[nodiscard]] const std::string& command() const { return command_; }
  // The verb's own, and --threads, --quiet and --json, which every verb has.
  [[nodiscard]] const std::deque<Flag>& flags() const { return flags_; }
  [[nodiscard]] const std::deque<Flag>& common() const { return common_; }

 private:
  Flag& add(const std::string& names, Flag::Kind kind, const std::string& value_name, const std::string& help,
            Flag::Take take);
  Flag& add_whole(const std::string& names, const WholeRange& range, const std::string& help,
                  std::function<void(std::int64_t)> take);

  VerbText text_;
  std::string command_;
  CommonFlags common_flags_;
  std::deque<Flag> flags_, common_;  // whose addresses stay
  Action action_;
};

}  // namespace common
