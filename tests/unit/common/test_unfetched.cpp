// What Git LFS, git-annex, DVC and the Hugging Face cache leave in a file's place.
#include "common/unfetched.hpp"

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "common/sealed/folder.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using common::why_unfetched;

const std::string k_lfs =
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 960044\n";
const std::string k_annex = "/annex/objects/SHA256E-s960044--4d7a2146.wav\n";
const std::string k_annex_target = "../../.git/annex/objects/mX/0w/SHA256E-s9--4d.wav/SHA256E-s9--4d.wav";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string refusal_of_opening(const fs::path& path) {
  try {
    (void)common::open_to_read(path);
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::io);
    return error.what();
  }
  return "opened";
}

}  // namespace

TEST_CASE("a pointer is called what it is, with the command that fetches its content") {
  const auto of = [](const std::string& text, const char* name = "data/x.wav") {
    return why_unfetched(common::view_of(text), name);
  };
  CHECK(of(k_lfs) == "is a Git LFS pointer, not the file itself; fetch it (git lfs pull --include x.wav)");
  CHECK(contains(of("version https://hawser.github.com/spec/v1\noid sha256:00\nsize 1\n"), "Git LFS"));
  CHECK(of(k_annex) ==
        "is a git-annex pointer, not the file itself; fetch it (git annex get data/x.wav, or datalad get "
        "data/x.wav)");
  // Where git cannot make links it writes their targets.
  CHECK(contains(of(k_annex_target), "git-annex"));
  CHECK(contains(of(k_lfs, "my data's/x y.wav"), "--include 'x y.wav')"));
  CHECK(contains(of(k_annex, "it's.wav"), "git annex get 'it'\\''s.wav'"));
  for (const std::string text :
       {"", "RIFF", "version 1\n", "see .git/annex/objects/ for more\n", "first\n.git/annex/objects/x\n"})
    CHECK_MESSAGE(of(text) == "", text);
  CHECK(of(k_lfs + std::string(common::k_pointer_limit_bytes, 'x')) == "");
}

TEST_CASE("a link that leads nowhere is called so, wherever on the way it stands") {
  const support::Scratch scratch;
  const auto link = [&](const std::string& target, const std::string& name) {
    fs::create_directories((scratch / name).parent_path());
    fs::create_symlink(target, scratch / name);
    return why_unfetched(scratch / name);
  };
  CHECK(contains(link(k_annex_target, "audio/x.wav"), "leads nowhere: there is no " + k_annex_target));
  CHECK(contains(why_unfetched(scratch / "audio/x.wav"),
                 "git annex get " + (scratch / "audio/x.wav").string() + ", or datalad get"));
  CHECK(contains(link("/mnt/data/.dvc/cache/files/md5/00/11", "dvc.wav"), "(dvc pull)"));
  CHECK(contains(link("../../blobs/abc", "hub/models--llava-hf--llava-1.5-7b-hf/snapshots/1/config.json"),
                 "(hf download llava-hf/llava-1.5-7b-hf)"));
  CHECK(contains(link("../../blobs/abc", "hub/datasets--x--y/snapshots/1/a.csv"),
                 "(hf download x/y --repo-type dataset)"));
  CHECK(contains(link("gone", "plain"), "leads nowhere: there is no gone; put the file there"));
  CHECK(contains(link("loop", "loop"), "leads back to itself"));
  (void)link("elsewhere", "folder");
  CHECK(why_unfetched(scratch / "folder/train/x.wav")
            .starts_with("lies in " + (scratch / "folder").string() +
                         ", which is a symlink that leads nowhere"));
}

TEST_CASE("what DVC keeps a record of is fetched by it") {
  const support::Scratch scratch;
  common::write_file(scratch / "x.wav.dvc", "outs:\n");
  common::write_file(scratch / "audio.dvc", "outs:\n");
  CHECK(why_unfetched(scratch / "x.wav") ==
        "is not here; fetch it (dvc pull " + (scratch / "x.wav.dvc").string() + ")");
  CHECK(contains(why_unfetched(scratch / "audio/train/y.wav"), "audio.dvc"));
  common::write_file(scratch / "x.wav", "RIFF");
  CHECK(why_unfetched(scratch / "x.wav") == "");
  CHECK(why_unfetched(scratch / "nothing/at/all") == "");
}

TEST_CASE("what the user names is opened by way of links, and never where it was not fetched") {
  const support::Scratch scratch;
  common::write_file(scratch / "a", "text");
  common::write_file(scratch / "pointer", k_lfs);
  fs::create_symlink("a", scratch / "once");
  fs::create_symlink("once", scratch / "twice");
  fs::create_symlink("pointer", scratch / "to_pointer");
  fs::create_symlink("gone", scratch / "nowhere");
  CHECK(common::read_text(scratch / "twice", 100) == "text");
  CHECK(contains(refusal_of_opening(scratch / "to_pointer"), "to_pointer is a Git LFS pointer"));
  CHECK(contains(refusal_of_opening(scratch / "nowhere"), "nowhere is a symlink that leads nowhere"));
  CHECK(contains(refusal_of_opening(scratch / "absent"), "No such file"));
}

TEST_CASE("a folder of the user's own is read by way of links, a folder of others is not") {
  const support::Scratch scratch;
  fs::create_directories(scratch / "blobs");
  fs::create_directories(scratch / "snapshots/1");
  common::write_file(scratch / "blobs/abc", "{}");
  fs::create_symlink("../../blobs/abc", scratch / "snapshots/1/config.json");
  fs::create_symlink("../../blobs/gone", scratch / "snapshots/1/model.safetensors");
  const common::Folder folder = common::Folder::open(scratch / "snapshots/1");
  CHECK(common::read_file(folder.open_linked("config.json"), "config.json", 10).size() == 2);
  CHECK_THROWS_AS((void)folder.open_to_read("config.json"), common::Error);
  CHECK_THROWS_WITH_AS((void)folder.open_linked("model.safetensors"),
                       doctest::Contains("leads nowhere: there is no ../../blobs/gone"), common::Error);
  fs::create_symlink("nowhere", scratch / "snapshots/2");
  CHECK_THROWS_WITH_AS((void)common::Folder::open(scratch / "snapshots/2"),
                       doctest::Contains("leads nowhere"), common::Error);
}
