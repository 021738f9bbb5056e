#include "common/cli/verb.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "common/cli/suggest.hpp"
#include "common/error.hpp"

namespace common {
namespace {

constexpr WholeRange k_thread_range = {0, 4096};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::usage, message); }

std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

std::string shown(const std::filesystem::path& path) { return path.empty() ? "none" : path.string(); }

// Of "--output=x" the value must not be empty: CLI11 would take the next word instead.
void refuse_empty_behind_equals(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return;
    if (word.starts_with("--") && word.size() > 3 && word.find('=') == word.size() - 1)
      refuse(word.substr(0, word.size() - 1) + ": the value is empty; give one, or leave the flag out");
  }
}

bool is_plain(const std::string& word) { return !word.starts_with('-') || word == "-"; }

// "--join a b c" as "--join a --join b --join c".
struct SpreadWords {
  std::vector<std::string> words;
  std::size_t last_name = 0;  // place of the name before the last of several; 0: there are none
};

SpreadWords spread(const std::deque<Flag>& flags, const std::vector<std::string>& words) {
  SpreadWords spread;
  const auto takes_several = [&](const std::string& word) {
    return std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) {
      return flag.takes_several() && std::count(flag.names().begin(), flag.names().end(), word) > 0;
    });
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    spread.words.push_back(words[i]);
    if (words[i] == "--") {
      spread.words.insert(spread.words.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                          words.end());
      break;
    }
    if (!takes_several(words[i]) || i + 1 == words.size() || !is_plain(words[i + 1])) continue;
    const std::string name = words[i];
    spread.words.push_back(words[++i]);
    while (i + 1 < words.size() && is_plain(words[i + 1])) {
      spread.last_name = spread.words.size();
      spread.words.insert(spread.words.end(), {name, words[++i]});
    }
  }
  return spread;
}

// What CLI11 finds in the words of one command line, by flag.
class Words {
 public:
  Words(const Verb& verb, const std::vector<std::string>& words) : verb_(verb) {
    app_.set_help_flag();
    app_.allow_extras();
    for (const std::deque<Flag>* flags : {&verb.flags(), &verb.common()})
      for (const Flag& flag : *flags) add(flag);
    std::vector<std::string> backwards(words.rbegin(), words.rend());  // as CLI11 takes them
    try {
      app_.parse(std::move(backwards));
    } catch (const CLI::ArgumentMismatch&) {
      refuse_unknown();
      refuse(words.empty() ? "a value is missing" : words.back() + ": a value is missing behind it" + help());
    } catch (const CLI::ParseError& error) {
      refuse(error.what() + help());
    }
  }

  [[nodiscard]] std::vector<std::string> of(const Flag& flag) const {
    const CLI::Option& option = *options_.at(&flag);
    if (option.count() == 0) return {};
    if (flag.kind() == Flag::Kind::on_off) return {"on"};
    return option.results();
  }

  void refuse_unknown() const {
    std::vector<std::string> extras = app_.remaining();
    extras.erase(std::remove(extras.begin(), extras.end(), "--"), extras.end());
    if (extras.empty()) return;
    const std::string word = extras.front().substr(0, extras.front().find('='));
    if (!word.starts_with('-') || word == "-")
      refuse(fmt::format("unexpected argument \"{}\"{}", extras.front(), help()));
    std::vector<std::string> names;
    for (const auto& option : options_)
      for (const std::string& name : option.first->names())
        if (name.starts_with("--")) names.push_back(name);
    std::sort(names.begin(), names.end());
    const std::string meant = suggestion(word, names);
    refuse("unknown flag " + word + (meant.empty() ? help() : meant));
  }

 private:
  void add(const Flag& flag) {
    std::string names;
    for (const std::string& name : flag.names()) names += (names.empty() ? "" : ",") + name;
    if (flag.kind() == Flag::Kind::on_off) {
      options_[&flag] = app_.add_flag(names);
      return;
    }
    CLI::Option* option = app_.add_option(names, [](const CLI::results_t&) { return true; });
    const bool takes_rest = flag.is_argument() && flag.kind() == Flag::Kind::repeatable;
    option->expected(1, takes_rest ? CLI::detail::expected_max_vector_size : 1);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    option->allow_extra_args(takes_rest);
    options_[&flag] = option;
  }

  [[nodiscard]] std::string help() const { return "; see " + verb_.command() + " --help"; }

  const Verb& verb_;
  CLI::App app_;
  std::map<const Flag*, CLI::Option*> options_;
};

}  // namespace

Flag::Flag(std::vector<std::string> names, Kind kind, std::string value_name, std::string help, Take take)
    : names_(std::move(names)),
      kind_(kind),
      value_name_(std::move(value_name)),
      help_(std::move(help)),
      default_("none"),
      take_(std::move(take)) {
  const auto first = [&](const auto& is_wanted) {
    const auto found = std::find_if(names_.begin(), names_.end(), is_wanted);
    return found == names_.end() ? std::string() : *found;
  };
  name_ = first([](const std::string& name) { return !name.starts_with('-'); });
  if (name_.empty()) name_ = first([](const std::string& name) { return name.starts_with("--"); });
  if (name_.empty()) name_ = names_.front();
}

Flag& Flag::required() {
  required_ = true;
  return *this;
}
Flag& Flag::otherwise(std::string text) {
  default_ = std::move(text);
  return *this;
}
Flag& Flag::from_environment(std::string variable) {
  variable_ = std::move(variable);
  return *this;
}
Flag& Flag::excludes(std::vector<std::string> others) {
  excluded_ = std::move(others);
  return *this;
}
Flag& Flag::needs(std::string other) {
  needed_ = std::move(other);
  return *this;
}
Flag& Flag::several() {
  several_ = true;
  return *this;
}
Flag& Flag::choices(std::vector<Choice> choices) {
  choices_ = std::move(choices);
  return *this;
}

void Flag::take(const std::string& text) const {
  if (text.empty())
    refuse(name_ + ": the value is empty; give one" +
           (required_       ? ""
            : is_argument() ? ", or leave it out"
                            : ", or leave the flag out"));
  if (!choices_.empty()) {
    std::vector<std::string> values;
    for (const Choice& choice : choices_) values.push_back(choice.value);
    if (std::find(values.begin(), values.end(), text) == values.end())
      refuse(fmt::format("{}: \"{}\" is not one of {}{}", name_, text, fmt::join(values, ", "),
                         suggestion(text, values)));
  }
  take_(name_, text);
}

Verb::Verb(VerbText text, const std::string& program)
    : text_(std::move(text)), command_(program.empty() ? text_.name : program + " " + text_.name) {
  std::swap(flags_, common_);
  whole("--threads", common_flags_.threads, k_thread_range, "Use this many threads; 0: as many as there are")
      .otherwise("0");
  on("--quiet", common_flags_.quiet, "Print results and errors only");
  on("--json", common_flags_.json, "Print the result as JSON");
  std::swap(flags_, common_);
}

Flag& Verb::add(const std::string& names, Flag::Kind kind, const std::string& value_name,
                const std::string& help, Flag::Take take) {
  return flags_.emplace_back(names_in(names), kind, value_name, help, std::move(take));
}

Flag& Verb::value(const std::string& names, const std::string& value_name, const std::string& help,
                  Flag::Take take) {
  return add(names, Flag::Kind::value, value_name, help, std::move(take));
}

Flag& Verb::text(const std::string& names, std::string& to, const std::string& help) {
  Flag& flag = value(names, "TEXT", help, [&to](const std::string&, const std::string& text) { to = text; });
  return to.empty() ? flag : flag.otherwise(to);
}

Flag& Verb::text(const std::string& names, std::optional<std::string>& to, const std::string& help) {
  return value(names, "TEXT", help, [&to](const std::string&, const std::string& text) { to = text; });
}

Flag& Verb::texts(const std::string& names, std::vector<std::string>& to, const std::string& help) {
  return add(names, Flag::Kind::repeatable, "TEXT", help,
             [&to](const std::string&, const std::string& text) { to.push_back(text); });
}

Flag& Verb::path(const std::string& names, std::filesystem::path& to, const std::string& help) {
  return value(names, "PATH", help, [&to](const std::string&, const std::string& text) { to = text; })
      .otherwise(shown(to));
}

Flag& Verb::path(const std::string& names, std::optional<std::filesystem::path>& to,
                 const std::string& help) {
  return value(names, "PATH", help, [&to](const std::string&, const std::string& text) { to = text; });
}

Flag& Verb::paths(const std::string& names, std::vector<std::filesystem::path>& to, const std::string& help) {
  return add(names, Flag::Kind::repeatable, "PATH", help,
             [&to](const std::string&, const std::string& text) { to.emplace_back(text); });
}

Flag& Verb::pack_id(const std::string& names, std::optional<Digest>& to, const std::string& help) {
  return value(names, "ID", help, [&to](const std::string& flag, const std::string& text) {
    to = parse_digest(text);
    if (!to)
      refuse(
          fmt::format("{}: \"{}\" is not a pack id; give the 64 lower-case hexadecimal digits that "
                      "safe-packer verify prints",
                      flag, text.substr(0, 80)));
  });
}

Flag& Verb::choice(const std::string& names, std::string& to, std::vector<Choice> choices,
                   const std::string& help) {
  return text(names, to, help).choices(std::move(choices));
}

Flag& Verb::real(const std::string& names, double& to, RealRange range, const std::string& help) {
  return value(names, "NUMBER", help,
               [&to, range](const std::string& flag, const std::string& text) {
                 to = parse_real(flag, text, range);
               })
      .otherwise(fmt::format("{}", to));
}

Flag& Verb::real(const std::string& names, std::optional<double>& to, RealRange range,
                 const std::string& help) {
  return value(names, "NUMBER", help, [&to, range](const std::string& flag, const std::string& text) {
    to = parse_real(flag, text, range);
  });
}

Flag& Verb::add_whole(const std::string& names, const WholeRange& range, const std::string& help,
                      std::function<void(std::int64_t)> take) {
  return value(names, "N", help,
               [range, take = std::move(take)](const std::string& flag, const std::string& text) {
                 take(parse_whole(flag, text, range));
               });
}

Flag& Verb::on(const std::string& names, bool& to, const std::string& help) {
  return add(names, Flag::Kind::on_off, "", help,
             [&to](const std::string&, const std::string&) { to = true; })
      .otherwise("off");
}

Flag& Verb::off(const std::string& names, bool& to, const std::string& help) {
  return add(names, Flag::Kind::on_off, "", help,
             [&to](const std::string&, const std::string&) { to = false; })
      .otherwise("off");
}

void Verb::parse(const std::vector<std::string>& words) {
  refuse_empty_behind_equals(words);
  SpreadWords spread_words = spread(flags_, words);
  std::optional<Words> parsed(std::in_place, *this, spread_words.words);
  const auto is_missing = [&](const Flag& flag) {
    return flag.is_argument() && flag.is_required() && parsed->of(flag).empty();
  };
  if (spread_words.last_name > 0 && std::any_of(flags_.begin(), flags_.end(), is_missing)) {
    const auto name = static_cast<std::ptrdiff_t>(spread_words.last_name);
    spread_words.words.erase(spread_words.words.begin() + name);
    parsed.emplace(*this, spread_words.words);
  }
  const Words& found = *parsed;
  std::map<std::string, bool> given;
  std::set<std::string> all_names;
  std::vector<std::pair<const Flag*, std::vector<std::string>>> values;
  for (const std::deque<Flag>* flags : {&flags_, &common_})
    for (const Flag& flag : *flags) {
      std::vector<std::string> own = found.of(flag);
      all_names.insert(flag.names().begin(), flag.names().end());
      given[flag.name()] = !own.empty();
      if (own.size() > 1 && flag.kind() == Flag::Kind::value)
        refuse(fmt::format("{} is given {} times; give it once", flag.name(), own.size()));
      if (own.empty() && !flag.variable().empty())
        if (const char* value = std::getenv(flag.variable().c_str()); value != nullptr && *value != '\0')
          own.emplace_back(value);
      values.emplace_back(&flag, std::move(own));
    }
  const auto is_flag = [&](const std::string& text) {
    return text.starts_with("--") && all_names.count(text.substr(0, text.find('='))) == 1;
  };
  for (const auto& [flag, own] : values)
    for (const std::string& text : own)
      if (is_flag(text)) refuse(fmt::format("{}: a value is missing before {}", flag->name(), text));
  found.refuse_unknown();
  for (const auto& [flag, own] : values)
    for (const std::string& text : own) flag->take(text);
  for (const auto& [flag, own] : values) {
    if (own.empty() && flag->is_required())
      refuse(fmt::format("{} is missing; see {} --help", flag->name(), command_));
    if (!given[flag->name()]) continue;
    for (const std::string& other : flag->excluded())
      if (given[other])
        refuse(fmt::format("{} and {} exclude each other; give one of them", flag->name(), other));
    if (!flag->needed().empty() && !given[flag->needed()])
      refuse(fmt::format("{} needs {} beside it", flag->name(), flag->needed()));
  }
}

}  // namespace common
