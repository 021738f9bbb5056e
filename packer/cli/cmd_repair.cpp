#include <cstdio>
#include <memory>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"
#include "packer/cli/commands.hpp"
#include "packer/repair/repair.hpp"

namespace packer {
namespace {

using common::Json;

Json to_json(const RepairOutcome& outcome, const std::string& pack) {
  Json root{{"path", pack}, {"id", outcome.report.id ? Json(outcome.report.id->hex()) : Json(nullptr)}};
  root["verified"] = outcome.report.findings.empty();
  Json& repaired = root["repaired"] = Json::array();
  for (const RepairedFile& file : outcome.repaired)
    repaired.push_back({{"path", file.path}, {"from", file.from}});
  Json& lost = root["lost"] = Json::array();
  for (const LostFile& file : outcome.lost) lost.push_back({{"path", file.path}, {"why", file.why}});
  root["moved"] = outcome.moved;
  root["aside"] = outcome.moved.empty() ? Json(nullptr) : Json(outcome.aside.string());
  root["remarks"] = outcome.remarks;
  Json& findings = root["findings"] = Json::array();
  for (const common::Finding& finding : outcome.report.findings)
    findings.push_back({{"rule", finding.rule}, {"path", finding.path}, {"what", finding.what}});
  return root;
}

bool has_extras(const RepairOutcome& outcome) {
  for (const common::Finding& finding : outcome.report.findings)
    if (finding.rule == "F3" || finding.rule == "F4" || finding.rule == "F5") return true;
  return false;
}

void say(const std::string& line) { common::print_line(stderr, line); }

void print_work(const RepairOutcome& outcome) {
  for (const RepairedFile& file : outcome.repaired)
    say("repaired " + file.path + " from " + common::escape_for_terminal(file.from));
  for (const std::string& path : outcome.moved)
    say("moved " + common::escape_for_terminal(path) + " to " + outcome.aside.string());
}

void print_rest(const RepairOutcome& outcome, const std::string& pack) {
  const std::size_t count = outcome.report.findings.size();
  say("safe-packer: " + pack + " still does not verify: " + std::to_string(count) +
      (count == 1 ? " finding" : " findings"));
  for (const common::Finding& finding : outcome.report.findings) say("  " + describe(finding));
  for (const std::string& remark : outcome.remarks) say(remark);
  if (!outcome.lost.empty()) say("Not found: ");
  for (const LostFile& file : outcome.lost) say("  " + file.path + ": " + file.why);
  if (!outcome.lost.empty())
    say("Name more places with --from; if SHA256SUMS itself is the damaged file, name the pack's id "
        "(--expect) "
        "or its signer's key (--trust).");
  if (has_extras(outcome))
    say("What the seal does not list was left where it is; --move-extras moves it out of the pack, to a "
        "folder "
        "beside it that ends with .aside.");
}

int run_repair(const RepairRequest& request, const common::CommonFlags& flags) {
  const RepairOutcome outcome = repair(request);
  const bool whole = outcome.report.findings.empty();
  const std::string pack = request.pack.string();
  if (flags.json) {
    common::print_json(to_json(outcome, pack), common::JsonLayout::pretty);
  } else {
    if (!flags.quiet) print_work(outcome);
    if (!whole) print_rest(outcome, pack);
    if (whole && !flags.quiet && outcome.repaired.empty() && outcome.moved.empty())
      say("there was nothing to repair");
    if (whole) common::print_line(stdout, outcome.report.id->hex() + "  " + pack);
  }
  return whole ? 0 : common::exit_code(kind_of(outcome.report.findings));
}

}  // namespace

void add_repair(common::Program& program) {
  struct Values {
    RepairRequest request;
    TrustFlags trust;
    bool move_extras = false;
  };
  const auto values = std::make_shared<Values>();
  common::Verb& verb =
      program.add({"repair",
                   "Fetch the files of a pack's folder that are missing or damaged, then verify it",
                   {"repair data_pack --from data/audiocaps --from data/vqa",
                    "repair data_pack --from data_pack.tar.zst"},
                   {{0, "the pack is whole"},
                    {1, "the pack is still damaged"},
                    {3, k_io},
                    {4, k_unsigned},
                    {130, k_interrupted}}});
  verb.path("PACK,--pack,--pack-root", values->request.pack, "Repair the pack in this folder").required();
  verb.paths(
      "--from", values->request.from,
      "Look here: a folder of sources, another copy of the pack, or an archive of it; repeatable. Only "
      "bytes whose digest the seal lists are taken, and clips are cut again from their sources. Where "
      "SHA256SUMS itself is lost or damaged, --expect or --trust says which one to look for");
  add_trust_flags(verb, values->trust);
  verb.on("--move-extras", values->move_extras,
          "Move files that the seal does not list to PACK.aside; without it they are listed and left");
  verb.action([values](const common::CommonFlags& flags) {
    RepairRequest& request = values->request;
    request.expected_id = values->trust.expected_id;
    request.trusted_key = values->trust.trusted_key;
    request.extras = values->move_extras ? Extras::move_aside : Extras::leave;
    request.threads = flags.threads;
    request.verbosity = flags.verbosity();
    return run_repair(request, flags);
  });
}

}  // namespace packer
