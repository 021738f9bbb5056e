#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"
#include "packer/check/show.hpp"
#include "packer/cli/commands.hpp"

namespace packer {
namespace {

using common::Json;

constexpr const char* k_not_verified =
    "NOT VERIFIED: only the control files were read; safe-packer verify reads every byte";

template <typename Row>
Json rows_of(const std::vector<Row>& items) {
  Json rows = Json::array();
  for (const Row& item : items) rows.push_back(common::parse_json(write_row(item), std::string(k_info_name)));
  return rows;
}

template <typename Key>
Json counts_of(const std::map<Key, std::size_t>& counts) {
  Json object = Json::object();
  for (const auto& [key, count] : counts) {
    if constexpr (std::is_same_v<Key, std::string>)
      object[key] = count;
    else
      object[std::to_string(key)] = count;
  }
  return object;
}

Json rows_per_manifest(const Outline& outline) {
  Json rows = Json::object();
  for (const auto& [name, any] : outline.manifests)
    rows[name] = std::visit([](const auto& manifest) { return manifest.entries.size(); }, any);
  return rows;
}

Json to_json(const Outline& outline, const PackSummary& summary) {
  const PackInfo& info = *outline.examination.info;
  Json root{{"path", outline.location.string()}, {"name", info.name}};
  root["id"] = outline.examination.id->hex();
  root["signature"] = outline.examination.has_signature() ? "not checked" : "absent";
  root["verified"] = false;
  root["format_version"] = format_version_of(info);
  root["files"] = outline.examination.files.size();
  root["bytes"] = summary.bytes;
  root["clips"] = {{"count", summary.clips},
                   {"hours", summary.hours},
                   {"rate_hz", counts_of(summary.rates_hz)},
                   {"channels", counts_of(summary.channels)},
                   {"made", counts_of(summary.made)}};
  Json& splits = root["clips"]["splits"] = Json::object();
  for (const auto& [name, split] : summary.splits)
    splits[name] = {{"clips", split.clips}, {"hours", split.hours}};
  Json& remarks = root["clips"]["remarks"] = Json::object();
  for (const ClipRemark& remark : summary.remarks) remarks[remark.kind] = remark.clips;
  root["images"] = {{"count", summary.images},
                    {"width", {summary.smallest.width, summary.largest.width}},
                    {"height", {summary.smallest.height, summary.largest.height}}};
  root["rows"] = rows_per_manifest(outline);
  root["recipe"] = rows_of(info.inputs);
  root["missing"] = rows_of(info.missing);
  root["licences"] = licences_of(info);
  return root;
}

// "2 at 8000 Hz, 1 at 48000 Hz".
std::string joined(const Json& counts, const std::string& before, const std::string& behind) {
  std::string text;
  for (const auto& [key, count] : counts.items())
    text += (text.empty() ? "" : ", ") + common::dump_line(count) + before + key + behind;
  return text;
}

void line(const char* key, const std::string& value) {
  common::print_line(stdout, fmt::format("{:<10} {}", key, common::escape_for_terminal(value)));
}

void print_sound(const Json& clips) {
  line("sound",
       fmt::format("{} clips, {:.3f} h", clips["count"].get<std::size_t>(), clips["hours"].get<double>()));
  for (const auto& [name, split] : clips["splits"].items())
    line("", fmt::format("{} in audio/{}, {:.3f} h", split["clips"].get<std::size_t>(), name,
                         split["hours"].get<double>()));
  line("", joined(clips["rate_hz"], " at ", " Hz"));
  line("", joined(clips["channels"], " of ", " channel(s)"));
  line("", joined(clips["made"], " ", ""));
}

void print_images(const Json& images) {
  const auto side = [&](const char* key) {
    return fmt::format("{} to {}", images[key][0].get<int>(), images[key][1].get<int>());
  };
  line("images", fmt::format("{}, {} pixels wide and {} high", images["count"].get<std::size_t>(),
                             side("width"), side("height")));
}

void print_text(const Json& root, const PackSummary& summary) {
  line("pack", root["name"].get<std::string>());
  line("id", root["id"].get<std::string>());
  line("signature", root["signature"].get<std::string>());
  line("format", common::dump_line(root["format_version"]));
  line("files", common::dump_line(root["files"]) + ", " + common::dump_line(root["bytes"]) + " bytes");
  print_sound(root["clips"]);
  for (const std::string& remark : describe(summary.remarks)) line("", remark);
  print_images(root["images"]);
  for (const auto& [name, count] : root["rows"].items())
    line("rows", common::dump_line(count) + " in " + name);
  for (const Json& input : root["recipe"]) line("recipe", common::dump_line(input));
  for (const Json& licence : root["licences"])
    line("licence", licence.contains("images")  ? "images, " + common::dump_line(licence)
                    : licence.contains("clips") ? "clips, " + common::dump_line(licence)
                    : licence["licence"].is_null()
                        ? "none stated: " + licence["source_dataset"].get<std::string>()
                        : common::dump_line(licence));
  if (root["missing"].empty()) line("missing", "nothing");
  for (const Json& item : root["missing"]) line("missing", common::dump_line(item));
  common::print_line(stdout, k_not_verified);
}

int show_file(const Outline& outline, const std::string& path, const common::CommonFlags& flags) {
  const PackFile* found = nullptr;
  for (const PackFile& file : outline.examination.files)
    if (file.path.text() == path) found = &file;
  if (found == nullptr)
    throw common::Error(common::ErrorKind::mismatch,
                        "the pack " + outline.location.string() + " lists no file \"" +
                            common::escape_for_terminal(path) + "\"; safe-packer list gives their names");
  const FileInfo* info = find_file(*outline.examination.info, found->path);
  Json root = info != nullptr ? common::parse_json(write_row(*info), std::string(k_info_name))
                              : Json{{"path", path}, {"role", name_of(Role::info)}, {"bytes", found->bytes}};
  root["sha256"] = found->digest.hex();
  const std::vector<NamingRow> rows = rows_naming(outline, path);
  if (flags.json) {
    Json& list = root["rows"] = Json::array();
    for (const NamingRow& row : rows) list.push_back({{"manifest", row.manifest}, {"row", row.row}});
    root["verified"] = false;
    common::print_json(root, common::JsonLayout::pretty);
    return 0;
  }
  for (const auto& [key, value] : root.items())
    line(key.c_str(), value.is_string() ? value.get<std::string>() : common::dump_line(value));
  for (const NamingRow& row : rows) line("row of", row.manifest + ": " + common::dump_line(row.row));
  common::print_line(stdout, k_not_verified);
  return 0;
}

int run_show(const std::string& pack, const std::string& path, const common::CommonFlags& flags) {
  const Outline outline = read_outline(pack);
  for (const common::Finding& finding : outline.about_media)
    common::print_line(stderr, "safe-packer: " + describe(finding));
  if (!path.empty()) return show_file(outline, path, flags);
  const PackSummary summary = summarise(outline);
  const Json root = to_json(outline, summary);
  if (flags.json)
    common::print_json(root, common::JsonLayout::pretty);
  else
    print_text(root, summary);
  return 0;
}

}  // namespace

void add_show(common::Program& program) {
  struct Values {
    std::filesystem::path pack;
    std::string path;
  };
  const auto values = std::make_shared<Values>();
  common::Verb& verb =
      program.add({"show",
                   "Print what a pack holds, from its control files; media is not verified",
                   {"show data_pack", "show data_pack.tar.zst images/COCO_val2014_000000000387.jpg"},
                   {{1, "the control files are damaged, or the pack has no such file"}, {3, k_io}}});
  verb.path("PACK,--pack,--pack-root", values->pack,
            "Read this pack: a folder, an archive, or - for standard input")
      .required();
  verb.text("PATH", values->path, "Print this file of the pack, and the rows that name it")
      .otherwise("a summary");
  verb.action([values](const common::CommonFlags& flags) {
    return run_show(values->pack.string(), values->path, flags);
  });
}

}  // namespace packer
