// repair, show, diff and resumed extraction as a user meets them: what is printed where, and the exit codes.
#include <string>

#include "common/json.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "packer/build/build.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Finished;

struct Site {
  support::Scratch scratch;
  std::string id;
  Site() {
    id = packer::build_pack(support::small_sources(scratch.path())).id.hex();
    REQUIRE(run({"archive", "data_pack", "-o", "x.tgz"}).code == 0);
  }
  [[nodiscard]] Finished run(std::vector<std::string> arguments,
                             const std::string& program = "safe-packer") const {
    arguments.insert(arguments.begin(), SAFE_BIN "/" + program);
    return support::run_process(arguments, scratch.path());
  }
  void damage(const std::string& path) const {
    std::string bytes = support::get(scratch / ("data_pack/" + path));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    support::put(scratch / ("data_pack/" + path), bytes);
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string k_clip = "audio/train/video_1.wav";

}  // namespace

TEST_CASE("verify names the command that repairs, and that command repairs") {
  const Site site;
  site.damage(k_clip);
  const Finished verified = site.run({"verify", "data_pack"});
  CHECK(verified.code == 1);
  CHECK(contains(verified.err, "safe-packer repair data_pack --from"));
  const Finished repaired = site.run({"repair", "data_pack", "--from", "x.tgz"});
  CHECK(repaired.code == 0);
  CHECK(repaired.out == site.id + "  data_pack\n");
  CHECK(contains(repaired.err, "repaired " + k_clip + " from x.tgz"));
  const Finished again = site.run({"repair", "data_pack", "--from", "x.tgz"});
  CHECK(again.code == 0);
  CHECK(contains(again.err, "nothing to repair"));
}

TEST_CASE(
    "what cannot be fetched is listed with exit 1, no id on standard output, and the rest is repaired") {
  const Site site;
  site.damage(k_clip);
  site.damage("captions.jsonl");
  const Finished outcome = site.run({"repair", "data_pack", "--from", "audiocaps"});
  CHECK(outcome.code == 1);
  CHECK(outcome.out.empty());
  CHECK(contains(outcome.err, "repaired " + k_clip));
  CHECK(contains(outcome.err, "captions.jsonl: no source named has"));
  const Finished json = site.run({"repair", "data_pack", "--from", "audiocaps", "--json"});
  CHECK(json.code == 1);
  const common::Json root = common::parse_json(json.out, "output");
  CHECK(root["verified"] == false);
  CHECK(root["lost"][0]["path"] == "captions.jsonl");
  CHECK(root["findings"][0]["rule"] == "F2");
  CHECK(site.run({"repair", "data_pack", "--from", "x.tgz"}).out == site.id + "  data_pack\n");
}

TEST_CASE("extras are listed with the way out, which works") {
  const Site site;
  support::put(site.scratch / "data_pack/notes.txt", std::string("mine"));
  const Finished left = site.run({"repair", "data_pack", "--from", "x.tgz"});
  CHECK(left.code == 1);
  CHECK(contains(left.err, "F3 notes.txt"));
  CHECK(contains(left.err, "--move-extras"));
  CHECK(site.run({"repair", "data_pack", "--move-extras"}).code == 0);
  CHECK(support::get(site.scratch / "data_pack.aside/notes.txt") == "mine");
}

TEST_CASE("the exit code of repair, show and diff says who has to act") {
  const Site site;
  const struct {
    std::vector<std::string> arguments;
    int code;
  } cases[] = {
      {{"repair", "--help"}, 0},
      {{"repair"}, 2},
      {{"repair", "x.tgz", "--from", "data_pack"}, 2},
      {{"repair", "data_pack", "--from", "data_pack"}, 2},
      {{"repair", "data_pack", "--from", "E/val_manifest.json"}, 2},
      {{"repair", "data_pack", "--from", "x.tgz", "--expect", "abc"}, 2},
      {{"repair", "data_pack", "--from", "x.tgz", "--expect", std::string(64, '0')}, 1},
      {{"repair", "E", "--from", "x.tgz"}, 1},
      {{"repair", "not_there", "--from", "x.tgz"}, 3},
      {{"repair", "data_pack", "--from", "not_there"}, 3},
      {{"show"}, 2},
      {{"show", "data_pack"}, 0},
      {{"show", "x.tgz", k_clip}, 0},
      {{"show", "data_pack", "audio/none.wav"}, 1},
      {{"show", "E"}, 1},
      {{"show", "not_there"}, 3},
      {{"diff", "data_pack"}, 2},
      {{"diff", "data_pack", "x.tgz"}, 0},
      {{"diff", "data_pack", "E"}, 1},
      {{"diff", "data_pack", "not_there"}, 3},
  };
  for (const auto& row : cases) {
    CAPTURE(row.arguments.back());
    const Finished outcome = site.run(row.arguments);
    CHECK(outcome.code == row.code);
    CHECK(outcome.out.empty() == (row.code != 0));
    if (row.code != 0) CHECK_FALSE(outcome.err.empty());
  }
}

TEST_CASE("show tells what a pack holds, of a folder or an archive, and that media was not verified") {
  const Site site;
  const Finished text = site.run({"show", "data_pack"});
  CHECK(contains(text.out, site.id));
  CHECK(contains(text.out, "3 clips"));
  CHECK(contains(text.out, "2 in audio/train"));
  CHECK(contains(text.out, "NOT VERIFIED"));
  CHECK(site.run({"show", "x.tgz"}).out == text.out);
  const common::Json root = common::parse_json(site.run({"show", "x.tgz", "--json"}).out, "output");
  CHECK(root["verified"] == false);
  CHECK(root["clips"]["splits"]["val"]["clips"] == 1);
  CHECK(root["clips"]["rate_hz"]["8000"] == 3);
  CHECK(root["images"]["width"] == common::Json({8, 8}));
  CHECK(root["rows"]["val_manifest.json"] == 3);
  CHECK(root["recipe"].size() == 4);
  const Finished file = site.run({"show", "data_pack", "images/" + support::image_name(1)});
  CHECK(contains(file.out, "val_manifest.json"));
  CHECK(contains(file.out, "\"question_id\": 10"));
  CHECK(contains(file.out, "\"question_id\": 11"));
  const Finished clip = site.run({"show", "data_pack", k_clip, "--json"});
  CHECK(common::parse_json(clip.out, "output")["rows"][0]["row"]["youtube_id"] == "video_1");
}

TEST_CASE(
    "diff compares packs in any form by content, names files and rows, and says where only signatures "
    "differ") {
  const Site site;
  support::put(site.scratch / "data_pack/SHA256SUMS.sig", std::string(64, 's'));
  const Finished signature = site.run({"diff", "data_pack", "x.tgz"});
  CHECK(signature.code == 0);
  CHECK(signature.out == "same content, only A is signed\n");

  auto val = manifest::read_vqa(site.scratch / "E/val_manifest.json");
  val.entries[0].question = "Which?";
  val.entries.pop_back();
  support::put(site.scratch / "E/val_manifest.json", manifest::write_vqa(val));
  REQUIRE(site.run({"build", "--manifest", "E/subset_manifest.json", "--val-manifest", "E/val_manifest.json",
                    "--source-root", "audiocaps", "--dest-root", "other/data_pack"})
              .code == 0);
  const Finished text = site.run({"diff", "x.tgz", "other/data_pack"});
  CHECK(text.code == 1);
  CHECK(contains(text.out, "- images/" + support::image_name(2) + "\n"));
  CHECK(contains(text.out, "~ val_manifest.json\n"));
  CHECK(contains(text.out, "val_manifest.json - question 20\n"));
  CHECK(contains(text.out, "val_manifest.json ~ question 10: question\n"));
  const Finished json = site.run({"diff", "x.tgz", "other/data_pack", "--json"});
  CHECK(json.code == 1);
  std::size_t lines = 0;
  common::Json last;
  for (std::size_t at = 0; at < json.out.size(); ++lines) {
    const std::size_t end = json.out.find('\n', at);
    last = common::parse_json(json.out.substr(at, end - at), "line");
    at = end + 1;
  }
  CHECK(lines > 4);
  CHECK(last["equal"] == false);
  CHECK(last["id_a"] == site.id);
}

TEST_CASE("safe-manifest shows a manifest, one of its rows, and what makes two of them differ") {
  const Site site;
  const Finished shown = site.run({"show", "E/val_manifest.json"}, "safe-manifest");
  CHECK(shown.code == 0);
  CHECK(contains(shown.out, "questions"));
  CHECK(common::parse_json(site.run({"show", "E/subset_manifest.json", "--json"}, "safe-manifest").out,
                           "output")["clips"] == 2);
  CHECK(contains(site.run({"show", "E/val_manifest.json", "20"}, "safe-manifest").out, "\"image_id\": 2"));
  CHECK(site.run({"show", "E/val_manifest.json", "99"}, "safe-manifest").code == 1);
  CHECK(site.run({"show", "not_there.json"}, "safe-manifest").code == 3);
  const Finished equal =
      site.run({"diff", "E/val_manifest.json", "data_pack/val_manifest.json"}, "safe-manifest");
  CHECK(equal.code == 0);
  CHECK(equal.out == "equal\n");
  const Finished other =
      site.run({"diff", "E/val_manifest.json", "E/retention_manifest.json"}, "safe-manifest");
  CHECK(other.code == 1);
  CHECK(contains(other.out, "+ question 30\n"));
  CHECK(site.run({"diff", "E/val_manifest.json", "E/subset_manifest.json"}, "safe-manifest").code == 2);
}

TEST_CASE(
    "an extraction that is asked to stop keeps its draft with exit 130, and the next one goes on from it") {
  const support::Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  std::vector<manifest::ClipEntry> clips;
  for (int i = 1; i <= 12; ++i) {
    clips.push_back(support::clip_entry(100 + i, "train"));
    support::put(scratch.path() / "audiocaps" / clips.back().audio_relpath,
                 common::encode_wav16(support::tone(80'000, 0.001 * i)));
  }
  support::put(request.manifest, manifest::write_subset(support::subset_of("train", clips)));
  const std::string id = packer::build_pack(request).id.hex();
  const std::string packer = SAFE_BIN "/safe-packer";
  REQUIRE(support::run_process({packer, "archive", "data_pack", "-o", "x.tar"}, scratch.path()).code == 0);
  // Half of the archive, then the signal once the draft is there, then the rest.
  const std::string script =
      "mkfifo pipe; " + packer +
      " extract - --dest out <pipe 2>err & pid=$!; exec 3>pipe; "
      "head -c 1200000 x.tar >&3; for i in $(seq 600); do test -e .out.draft/audio && break; sleep 0.05; "
      "done; "
      "kill -TERM $pid; tail -c +1200001 x.tar >&3 2>/dev/null; exec 3>&-; wait $pid; echo $?";
  const Finished stopped = support::run_process({"bash", "-c", script}, scratch.path());
  CHECK(stopped.out == "130\n");
  CHECK(fs::exists(scratch / ".out.draft"));
  CHECK_FALSE(fs::exists(scratch / "out"));
  CHECK(support::run_process({packer, "extract", "x.tar", "--dest", "out"}, scratch.path()).out ==
        id + "  out\n");
  CHECK_FALSE(fs::exists(scratch / ".out.draft"));
}
