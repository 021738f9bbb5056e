#include <memory>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"
#include "packer/check/open.hpp"
#include "packer/cli/commands.hpp"
#include "packer/leaks/leak_groups.hpp"

namespace packer {
namespace {

using common::Json;

Json to_json(const LeakItem& item, const std::vector<std::string>& packs) {
  return {{"pack", packs[item.pack]},
          {"manifest", file_of(item.split)},
          {"path", item.path},
          {"id", item.id},
          {"sha256", item.digest.hex()}};
}

const char* kind_of(const LeakItem& item) { return item.is_picture() ? "picture" : "sound"; }

Json to_json(const LeakReport& report, const std::vector<VerifiedPack>& packs,
             const std::vector<std::string>& names) {
  Json root{{"packs", Json::array()}};
  for (std::size_t i = 0; i < packs.size(); ++i)
    root["packs"].push_back({{"path", names[i]}, {"id", packs[i].id().hex()}});
  root["pictures"] = report.pictures;
  root["sounds"] = report.sounds;
  const std::vector<LeakGroup> groups = group_leaks(report.leaks);
  root["groups"] = groups.size();
  std::vector<std::size_t> group_of(report.leaks.size());
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const std::size_t leak : groups[i].leaks) group_of[leak] = i;
  Json& leaks = root["leaks"] = Json::array();
  for (std::size_t i = 0; i < report.leaks.size(); ++i) {
    const Leak& leak = report.leaks[i];
    leaks.push_back({{"kind", kind_of(leak.a)},
                     {"group", group_of[i]},
                     {"same_bytes", leak.same_bytes},
                     {"distance", leak.distance},
                     {"shift_s", leak.shift_s},
                     {"files", {to_json(leak.a, names), to_json(leak.b, names)}}});
  }
  Json& rest = root["not_compared"] = Json::array();
  for (const NothingToCompare& one : report.not_compared) {
    Json row = to_json(one.item, names);
    row["why"] = one.why;
    rest.push_back(std::move(row));
  }
  return root;
}

void print(const LeakReport& report, const std::vector<std::string>& packs) {
  for (const std::string& line : describe_rest(report, packs))
    common::print_line(stderr, common::escape_for_terminal(line));
  for (const std::string& line : describe(report, packs))
    common::print_line(stdout, common::escape_for_terminal(line));
}

int run_leaks(const std::vector<std::filesystem::path>& paths, bool fatal, const common::CommonFlags& flags) {
  std::vector<VerifiedPack> packs;
  std::vector<std::string> names;
  std::vector<LeakItem> items;
  for (const std::filesystem::path& path : paths) {
    packs.push_back(open_pack(path, {{}, flags.threads, flags.verbosity(), {}}));
    for (std::size_t i = 0; i < names.size(); ++i)
      if (packs[i].id() == packs.back().id())
        throw common::Error(common::ErrorKind::usage, path.string() + " is the same pack as " + names[i] +
                                                          ", with the same id; name each pack once");
    names.push_back(path.string());
    for (LeakItem& item : media_of(packs.back(), packs.size() - 1)) items.push_back(std::move(item));
  }
  const LeakReport report = find_near_duplicates(
      std::move(items),
      [&](const LeakItem& item) { return packs[item.pack].read(common::PackPath(item.path)); },
      {flags.threads, flags.verbosity()});
  if (flags.json)
    common::print_json(to_json(report, packs, names), common::JsonLayout::pretty);
  else
    print(report, names);
  common::say(flags, summarise(report));
  return fatal && !report.leaks.empty() ? common::exit_code(common::ErrorKind::mismatch) : 0;
}

}  // namespace

void add_leaks(common::Program& program) {
  struct Values {
    std::vector<std::filesystem::path> packs;
    bool fatal = false;
  };
  const auto values = std::make_shared<Values>();
  common::Verb& verb = program.add(
      {"leaks",
       "List pictures and sounds that stand in two splits, or in two packs, as copies with other bytes",
       {"leaks data_pack", "leaks --fatal data_pack benchmark_pack.tar"},
       {{1, "--fatal was given and there are such copies; or a pack is damaged or malformed"},
        {3, "I/O error: missing or unreadable; or OpenCV is not installed"},
        {130, "interrupted"}}});
  verb.paths("PACK,--pack,--pack-root", values->packs,
             "Compare the splits of these packs, each a folder or a .tar; repeatable")
      .required();
  verb.on("--fatal", values->fatal, "Exit with 1 where there is one");
  verb.action(
      [values](const common::CommonFlags& flags) { return run_leaks(values->packs, values->fatal, flags); });
}

}  // namespace packer
