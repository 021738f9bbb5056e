// One pack for each rule that a reader checks: consistent in everything else, so that only that rule can see
// it.
#include <sys/stat.h>

#include <functional>
#include <set>

#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/examine_folder.hpp"
#include "tests/support/format_rules.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::edit_info;
using support::get;
using support::put;
using support::replace_file;
using support::reseal;

struct Damage {
  const char* rule;
  std::function<void(const fs::path& pack)> apply;
};

void rename_everywhere(const fs::path& pack, const std::string& from, const std::string& to) {
  fs::create_directories((pack / to).parent_path());
  fs::rename(pack / from, pack / to);
  edit_info(pack, [&](packer::PackInfo& info) {
    for (packer::FileInfo& file : info.files)
      if (file.path.text() == from) file.path = common::PackPath(to);
    std::sort(info.files.begin(), info.files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
  });
}

void add_line(const fs::path& pack, const std::string& path, const std::string& bytes) {
  put(pack / "SHA256SUMS", get(pack / "SHA256SUMS") + common::digest_of(bytes).hex() + "  " + path + "\n");
}

void edit_val(const fs::path& pack, const std::function<void(manifest::VqaManifest&)>& edit) {
  auto vqa = manifest::read_vqa(pack / "val_manifest.json");
  edit(vqa);
  replace_file(pack, "val_manifest.json", manifest::write_vqa(vqa));
}

void edit_media(const fs::path& pack, const std::function<void(packer::FileInfo&)>& edit) {
  edit_info(pack, [&](packer::PackInfo& info) {
    for (packer::FileInfo& file : info.files) edit(file);
  });
}

const std::vector<Damage>& damages() {
  static const std::vector<Damage> k_damages{
      {"N1", [](const fs::path& p) { add_line(p, "../x", "x"); }},
      {"N2",
       [](const fs::path& p) {
         edit_info(p, [](packer::PackInfo& info) { info.name = std::string(80, 'n'); });
       }},
      {"N3",
       [](const fs::path& p) { rename_everywhere(p, "audio/val/video_3.wav", "audio/TRAIN/video_3.wav"); }},
      {"N4", [](const fs::path& p) { add_line(p, "val_manifest.json/x", "x"); }},
      {"N5", [](const fs::path& p) { rename_everywhere(p, "audio/val/video_3.wav", "audio/video_3.wav"); }},
      {"N7",
       [](const fs::path& p) {
         auto clips = manifest::read_subset(p / "manifest.json");
         clips.entries[1].audio_relpath = clips.entries[0].audio_relpath;
         replace_file(p, "manifest.json", manifest::write_subset(clips));
       }},
      {"S1", [](const fs::path& p) { fs::remove(p / "SHA256SUMS"); }},
      {"S1", [](const fs::path& p) { put(p / "SHA256SUMS", std::string()); }},
      {"S2", [](const fs::path& p) { put(p / "SHA256SUMS", get(p / "SHA256SUMS") + "\n"); }},
      {"S3",
       [](const fs::path& p) {
         const std::string sums = get(p / "SHA256SUMS");
         put(p / "SHA256SUMS", sums + sums.substr(0, sums.find('\n') + 1));
       }},
      {"S4", [](const fs::path& p) { add_line(p, "SHA256SUMS", "x"); }},
      {"S5",
       [](const fs::path& p) {
         fs::remove(p / "README.txt");
         edit_info(p, [](packer::PackInfo& info) { info.files.erase(info.files.begin()); });
       }},
      {"S7", [](const fs::path& p) { put(p / "SHA256SUMS.sig", std::string(63, 's')); }},
      {"F1", [](const fs::path& p) { fs::remove(p / "images" / support::image_name(1)); }},
      {"F2",
       [](const fs::path& p) {
         std::string bytes = get(p / "images" / support::image_name(1));
         bytes[9] = static_cast<char>(bytes[9] ^ 1);
         put(p / "images" / support::image_name(1), bytes);
       }},
      {"F3", [](const fs::path& p) { put(p / "images" / "x.jpg", std::string("x")); }},
      {"F4", [](const fs::path& p) { fs::create_symlink("nowhere", p / "images" / "x.jpg"); }},
      {"F5", [](const fs::path& p) { fs::create_directory(p / "images" / "x"); }},
      {"F6",
       [](const fs::path& p) { edit_info(p, [](packer::PackInfo& info) { info.files[1].bytes += 1; }); }},
      {"F7",
       [](const fs::path& p) {
         edit_info(p, [](packer::PackInfo& info) { info.files[1].bytes = std::uint64_t{8} << 30; });
       }},
      {"P1",
       [](const fs::path& p) {
         put(p / "pack.json", get(p / "pack.json") + "\n");
         reseal(p);
       }},
      {"P2",
       [](const fs::path& p) {
         std::string text = get(p / "pack.json");
         const std::string key = "\"format_version\": ";
         text[text.find(key) + key.size()] = '9';
         put(p / "pack.json", text);
         reseal(p);
       }},
      {"P3", [](const fs::path& p) { edit_info(p, [](packer::PackInfo& info) { info.name = "-rf"; }); }},
      {"P4", [](const fs::path& p) { edit_info(p, [](packer::PackInfo& info) { info.files.pop_back(); }); }},
      {"P5",
       [](const fs::path& p) {
         edit_info(p, [](packer::PackInfo& info) { info.files[0].role = packer::Role::captions; });
       }},
      {"P6",
       [](const fs::path& p) {
         edit_media(p, [](auto& file) {
           if (file.clip) file.clip->frames += 1;
         });
       }},
      {"P6",
       [](const fs::path& p) {
         edit_media(p, [](auto& file) {
           if (file.clip) file.clip->rate_hz = 16000;
         });
       }},
      {"P6",
       [](const fs::path& p) {
         edit_media(p, [](auto& file) {
           if (file.clip) file.clip->channels = 2;
         });
       }},
      {"P6",
       [](const fs::path& p) {
         edit_media(p, [](auto& file) {
           if (file.image) file.image->width = 9;
         });
       }},
      {"P6",
       [](const fs::path& p) {
         edit_media(p, [](auto& file) {
           if (file.image) file.image->height = 4;
         });
       }},
      {"P7",
       [](const fs::path& p) {
         edit_media(p, [](auto& file) {
           if (file.image) file.image->licence = 5;
         });
       }},
      {"M1", [](const fs::path& p) { replace_file(p, "val_manifest.json", "{}"); }},
      {"M2",
       [](const fs::path& p) {
         edit_val(
             p, [](manifest::VqaManifest& vqa) { vqa.entries[0].image_filename = support::image_name(99); });
       }},
      {"M3",
       [](const fs::path& p) { edit_val(p, [](manifest::VqaManifest& vqa) { vqa.entries.pop_back(); }); }},
      {"M4", [](const fs::path& p) { replace_file(p, "captions.jsonl", get(p / "captions.jsonl") + "\n"); }},
      {"M5", [](const fs::path& p) { replace_file(p, "README.txt", "Hello\n"); }},
      {"M6",
       [](const fs::path& p) {
         edit_val(p, [](manifest::VqaManifest& vqa) { vqa.entries[0].question_id = 30; });
       }},
      {"M7",
       [](const fs::path& p) { edit_info(p, [](packer::PackInfo& info) { info.inputs[0].asked += 1; }); }},
      {"M7", [](const fs::path& p) { edit_info(p, [](packer::PackInfo& info) { info.inputs.pop_back(); }); }},
      {"M8",
       [](const fs::path& p) { replace_file(p, "val_manifest.json", get(p / "val_manifest.json") + "\n"); }},
  };
  return k_damages;
}

}  // namespace

TEST_CASE("each rule that a folder can break is found by its own id") {
  const support::Scratch scratch;
  const fs::path good = packer::build_pack(support::small_sources(scratch.path())).location;
  for (const Damage& damage : damages()) {
    CAPTURE(damage.rule);
    const fs::path bad = scratch / "bad";
    fs::copy(good, bad, fs::copy_options::recursive);
    damage.apply(bad);
    packer::ExamineRequest request;
    request.verbosity = common::Verbosity::quiet;
    const common::Findings findings = packer::examine_folder(bad, request).findings;
    std::set<std::string> rules;
    for (const common::Finding& finding : findings) {
      rules.insert(finding.rule);
      INFO(common::describe(finding));
    }
    CHECK(rules.count(damage.rule) == 1);
    fs::remove_all(bad);
  }
}

TEST_CASE("every MUST about names, seal, files, pack.json and manifests has a rejecting case here") {
  std::set<std::string> tested;
  for (const Damage& damage : damages()) tested.insert(damage.rule);
  for (const std::string& id : support::rules_with_must("NSFPM")) {
    // N6 can be broken in an archive only; half a million files (S6) are not a small test.
    if (id != "N6" && id != "S6") CHECK_MESSAGE(tested.count(id) == 1, id);
  }
}
