#include "common/cli/help.hpp"

#include <fmt/format.h>

#include <map>
#include <sstream>

namespace common {
namespace {

constexpr std::size_t k_width = 100, k_indent = 6;

// `text` in lines of at most k_width columns, each after `indent` spaces; no word is ever cut.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string all, line;
  for (std::string word, next; words >> word;) {
    if (word == "(default:" && words >> next) word += " " + next;
    if (!line.empty() && indent + line.size() + 1 + word.size() > k_width) {
      all += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? all : all + std::string(indent, ' ') + line + "\n";
}

// "PACK", as in "Usage:".
std::string argument_of(const Flag& flag) {
  return flag.name() + (flag.kind() == Flag::Kind::repeatable ? "..." : "");
}

std::string form_of(const Flag& flag) {
  std::vector<std::string> dashed;
  for (const std::string& name : flag.names())
    if (name.starts_with('-')) dashed.push_back(name);
  const std::string value =
      flag.value_name().empty() ? "" : " " + flag.value_name() + (flag.takes_several() ? "..." : "");
  const std::string form = fmt::format("{}{}", fmt::join(dashed, ", "), value);
  if (!flag.is_argument()) return form;
  return argument_of(flag) + (dashed.empty() ? "" : ", or " + form);
}

std::string default_of(const Flag& flag) {
  if (flag.is_required()) return " (required)";
  return " (default: " + (flag.variable().empty() ? "" : "$" + flag.variable() + ", else ") +
         flag.default_text() + ")";
}

std::string usage_of(const std::string& program, const Verb& verb) {
  std::string line = "Usage: " + program + " " + verb.about().name;
  bool others = false;
  for (const Flag& flag : verb.flags()) {
    if (flag.is_argument())
      line += flag.is_required() ? " " + argument_of(flag) : " [" + argument_of(flag) + "]";
    else if (flag.is_required())
      line += " " + flag.name() + " " + flag.value_name();
    else
      others = true;
  }
  return line + (others ? " [FLAG...]\n" : "\n");
}

std::string codes_text(const std::map<int, std::string>& codes) {
  std::string text = "\nExit codes:\n";
  for (const auto& [code, when] : codes) text += fmt::format("  {:<4} {}\n", code, when);
  return text;
}

// What a code says of any verb; the verb's own help says it more exactly.
const char* general_text(int code) {
  switch (code) {
    case 0:
      return "done, or nothing wrong was found";
    case 1:
      return "the data says no: it is damaged, missing, too little, or differs";
    case 2:
      return "invalid command line";
    case 3:
      return "I/O error: missing, unreadable, no space left, or a file that does not parse";
    case 4:
      return "a signature was required, and is absent or wrong";
    case 75:
      return "asked to stop; saved, and can be resumed";
    default:
      return "interrupted";
  }
}

std::map<int, std::string> codes_of(const Verb& verb) {
  std::map<int, std::string> codes = {{0, "done"}, {2, "invalid command line"}};
  for (const ExitCode& exit : verb.about().exit_codes) codes[exit.code] = exit.when;
  return codes;
}

}  // namespace

std::string help_of(const Flag& flag) {
  std::string text = "  " + form_of(flag) + "\n" + wrapped(flag.help() + default_of(flag), k_indent);
  for (const Choice& choice : flag.all_choices())
    text += wrapped(choice.value + ": " + choice.means, k_indent + 2);
  return text;
}

std::string help_of(const std::string& program, const Verb& verb) {
  std::string text = wrapped(verb.about().does + ".", 0) + "\n" + usage_of(program, verb);
  std::string arguments, flags;
  for (const Flag& flag : verb.flags()) (flag.is_argument() ? arguments : flags) += help_of(flag);
  if (!arguments.empty()) text += "\nArguments:\n" + arguments;
  if (!flags.empty()) text += "\nFlags:\n" + flags;
  text += "\nFlags of every verb:\n";
  for (const Flag& flag : verb.common()) text += help_of(flag);
  text += "  -h, --help\n      Print this\n\nExamples:\n";
  for (const std::string& example : verb.about().examples) text += "  " + program + " " + example + "\n";
  return text + codes_text(codes_of(verb));
}

std::string help_of(const std::string& program, const std::string& about,
                    const std::vector<std::unique_ptr<Verb>>& verbs) {
  std::string text = wrapped(about, 0) + "\nUsage: " + program + " VERB [FLAG...]\n\nVerbs:\n";
  std::map<int, std::string> codes;
  for (const auto& verb : verbs) {
    text += fmt::format("  {:<12} {}\n", verb->about().name, verb->about().does);
    for (const auto& exit : codes_of(*verb)) codes.emplace(exit.first, general_text(exit.first));
  }
  text += "\nFlags of every verb, before it or behind it:\n";
  for (const Flag& flag : verbs.front()->common()) text += help_of(flag);
  text += "  -h, --help\n      Print this, or what a verb does with its flags and examples\n";
  text += "  --version\n      Print the version\n";
  return text + codes_text(codes);
}

}  // namespace common
