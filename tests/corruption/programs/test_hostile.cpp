// Packs that somebody made to do harm, and packs that are only nearly right: each with its exit code, nothing
// on the standard output, nothing written.
#include <sys/stat.h>

#include <cstdio>
#include <functional>

#include "packer/archive/archive.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/tar_parts.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using Parts = std::vector<std::string>;
using support::get;
using support::put;
using support::tar_link;
using support::tar_member;

const std::string k_program = std::string(SAFE_BIN) + "/safe-packer";

// A pack, its archives, and a folder with a file beside it that nobody may touch.
struct Fence {
  support::Scratch scratch;
  fs::path pack, place;
  std::string tar;

  Fence() {
    pack = packer::build_pack(support::small_sources(scratch.path())).location;
    (void)packer::archive({pack, scratch / "good.tar", 1, common::Verbosity::quiet});
    tar = get(scratch / "good.tar");
    place = scratch / "fence" / "place";
    put(scratch / "fence" / "treasure", std::string("gold"));
    fs::create_directories(place);
  }
  [[nodiscard]] support::Tree outside() const {
    support::Tree tree = support::tree_of(scratch / "fence");
    for (auto at = tree.begin(); at != tree.end();)
      at = at->first.starts_with("place/in.") ? tree.erase(at) : ++at;
    return tree;
  }
  [[nodiscard]] support::Finished run(const std::string& shell) const {
    return support::run_process({"timeout", "60", "sh", "-c", shell}, place);
  }

  // Verified, read from a pipe and extracted in two ways, it is refused with `code` and nothing appears.
  void refuse(const char* name, const std::string& suffix, const std::string& bytes, int code = 1) const {
    CAPTURE(std::string(name));
    CAPTURE(suffix);
    const std::string file = "in" + suffix;
    put(place / file, bytes);
    const support::Tree before = outside();
    const std::string program = support::quoted(k_program);
    const auto result =
        run(program + " verify --quiet " + file + "; echo $?; " + program + " verify --quiet - <" + file +
            "; echo $?; " + program + " extract --quiet " + file + "; echo $?; " + program +
            " extract --quiet " + file + " --dest dest; echo $?");
    const std::string expected = std::to_string(code) + "\n";
    CHECK_MESSAGE(result.out == expected + expected + expected + expected, result.err);
    CHECK(result.err.find("safe-packer: ") != std::string::npos);
    CHECK((outside() == before));
    fs::remove(place / file);
    CHECK(fs::is_empty(place));
  }
  // A folder is only verified and archived.
  void refuse_folder(const char* name, const std::function<void(const fs::path&)>& damage,
                     int code = 1) const {
    CAPTURE(std::string(name));
    const fs::path bad = scratch / "bad";
    fs::copy(pack, bad, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    damage(bad);
    const std::string program = support::quoted(k_program), q = support::quoted(bad.string());
    const auto result =
        run(program + " verify --quiet " + q + "; echo $?; " + program + " archive --quiet " + q +
            " -o x.tar; echo $?; " + program + " archive --quiet " + q + " -o x.tgz; echo $?");
    const std::string expected = std::to_string(code) + "\n";
    CHECK_MESSAGE(result.out == expected + expected + expected, result.err);
    CHECK(fs::is_empty(place));
    fs::remove_all(bad);
  }
};

struct Hostile {
  const char* name;
  std::function<void(Parts&)> change;
};

std::string typed(const std::string& name, char type, const std::string& bytes = "") {
  return tar_member(name, bytes, [&](std::string& header) { header[156] = type; });
}
std::string pax(char type, const std::string& record) {
  return typed("data_pack/PaxHeaders/x", type, std::to_string(record.size() + 4) + " " + record + "\n");
}
// Puts `part` behind pack.json, where a reader still expects something.
void insert(Parts& parts, const std::string& part) { parts.insert(parts.begin() + 2, part); }
template <typename Edit>
void edit_header(std::string& part, const Edit& edit) {
  edit(part);
  support::set_checksum(part);
}

// Archives whose tar bytes are wrong.
const std::vector<Hostile>& hostile_members() {
  static const std::vector<Hostile> k_all{
      {"traversal", [](Parts& p) { insert(p, tar_member("../evil", "x")); }},
      {"traversal inside", [](Parts& p) { insert(p, tar_member("data_pack/../../evil", "x")); }},
      {"traversal in place of a file",
       [](Parts& p) { p.back() = tar_member("data_pack/images/../../../evil", "x"); }},
      {"absolute name", [](Parts& p) { insert(p, tar_member("/tmp/safe-packs-evil", "x")); }},
      {"home", [](Parts& p) { insert(p, tar_member("~/evil", "x")); }},
      {"backslashes", [](Parts& p) { insert(p, tar_member("data_pack\\..\\evil", "x")); }},
      {"dot", [](Parts& p) { insert(p, tar_member("./data_pack/evil", "x")); }},
      {"hidden file", [](Parts& p) { insert(p, tar_member("data_pack/.bashrc", "x")); }},
      {"line feed in a name", [](Parts& p) { insert(p, tar_member("data_pack/a\nb", "x")); }},
      {"terminal escape in a name", [](Parts& p) { insert(p, tar_member("data_pack/\x1b[2J", "x")); }},
      {"symbolic link", [](Parts& p) { insert(p, tar_link("data_pack/link", '2', "/etc")); }},
      {"file through a symlink",
       [](Parts& p) {
         insert(p, tar_member("data_pack/images/evil", "x"));
         insert(p, tar_link("data_pack/images", '2', "../.."));
       }},
      {"symbolic link for a file",
       [](Parts& p) { p.back() = tar_link("data_pack/images/x.jpg", '2', "../../treasure"); }},
      {"hard link", [](Parts& p) { insert(p, tar_link("data_pack/hard", '1', "/etc/passwd")); }},
      {"hard link to a treasure",
       [](Parts& p) { p.back() = tar_link("data_pack/val_manifest.json", '1', "../treasure"); }},
      {"character device", [](Parts& p) { insert(p, typed("data_pack/zero", '3')); }},
      {"block device", [](Parts& p) { insert(p, typed("data_pack/disk", '4')); }},
      {"folder", [](Parts& p) { insert(p, typed("data_pack/images/", '5')); }},
      {"FIFO", [](Parts& p) { insert(p, typed("data_pack/fifo", '6')); }},
      {"contiguous file", [](Parts& p) { insert(p, typed("data_pack/con", '7', "x")); }},
      {"GNU sparse file", [](Parts& p) { insert(p, typed("data_pack/sparse", 'S', "x")); }},
      {"GNU long name", [](Parts& p) { insert(p, typed("././@LongLink", 'L', std::string(200, 'n'))); }},
      {"GNU long link", [](Parts& p) { insert(p, typed("././@LongLink", 'K', std::string(200, 'n'))); }},
      {"GNU volume label", [](Parts& p) { insert(p, typed("label", 'V')); }},
      {"GNU multi-volume", [](Parts& p) { insert(p, typed("data_pack/part", 'M')); }},
      {"GNU incremental dump", [](Parts& p) { insert(p, typed("data_pack/", 'D', "Yx")); }},
      {"pax path", [](Parts& p) { insert(p, pax('x', "path=../../evil")); }},
      {"pax link path", [](Parts& p) { insert(p, pax('x', "linkpath=/etc/passwd")); }},
      {"pax size", [](Parts& p) { insert(p, pax('x', "size=99999999999999")); }},
      {"pax sparse", [](Parts& p) { insert(p, pax('x', "GNU.sparse.realsize=99999999999")); }},
      {"pax global", [](Parts& p) { p.insert(p.begin(), pax('g', "comment=hello")); }},
      {"pax before the seal", [](Parts& p) { p.insert(p.begin(), pax('x', "path=data_pack/SHA256SUMS")); }},
      {"seal twice", [](Parts& p) { insert(p, p[0]); }},
      {"pack.json twice", [](Parts& p) { insert(p, p[1]); }},
      {"another pack.json", [](Parts& p) { insert(p, tar_member("data_pack/pack.json", "{}")); }},
      {"last file twice", [](Parts& p) { p.push_back(p.back()); }},
      {"last file again, with other bytes",
       [](Parts& p) { p.push_back(tar_member("data_pack/val_manifest.json", "{}")); }},
      {"case twin of a file", [](Parts& p) { insert(p, tar_member("data_pack/readme.TXT", "x")); }},
      {"case twin of a folder", [](Parts& p) { p.push_back(tar_member("data_pack/IMAGES/x.jpg", "x")); }},
      {"a key in the pack",
       [](Parts& p) { insert(p, tar_member("data_pack/KEY.pub.pem", "-----BEGIN PUBLIC KEY-----\n")); }},
      {"another top folder",
       [](Parts& p) {
         p.back().replace(0, 9, "Data_pack");
         support::set_checksum(p.back());
       }},
      {"no top folder", [](Parts& p) { insert(p, tar_member("evil", "x")); }},
      {"nothing but the seal", [](Parts& p) { p.resize(1); }},
      {"no seal", [](Parts& p) { p.erase(p.begin()); }},
      {"pack.json first", [](Parts& p) { std::swap(p[0], p[1]); }},
      {"GNU magic",
       [](Parts& p) {
         edit_header(p[3], [](std::string& h) { std::memcpy(h.data() + 257, "ustar  ", 8); });
       }},
      {"version 7 header",
       [](Parts& p) { edit_header(p[3], [](std::string& h) { std::memset(h.data() + 257, 0, 8); }); }},
      {"prefix field",
       [](Parts& p) { edit_header(p[3], [](std::string& h) { std::memcpy(h.data() + 345, "..", 2); }); }},
      {"size in base 256", [](Parts& p) { edit_header(p[3], [](std::string& h) { h[124] = '\x80'; }); }},
      {"negative size",
       [](Parts& p) { edit_header(p[3], [](std::string& h) { std::memset(h.data() + 124, 0xff, 12); }); }},
      {"size of 8 GiB - 1",
       [](Parts& p) {
         edit_header(p[3], [](std::string& h) { std::memcpy(h.data() + 124, "77777777777", 11); });
       }},
      {"seal of 8 GiB - 1",
       [](Parts& p) {
         edit_header(p[0], [](std::string& h) { std::memcpy(h.data() + 124, "77777777777", 11); });
       }},
      {"size too small",
       [](Parts& p) {
         edit_header(p[3], [](std::string& h) { std::memcpy(h.data() + 124, "00000000001", 11); });
       }},
      {"setuid mode",
       [](Parts& p) {
         edit_header(p[3], [](std::string& h) { std::memcpy(h.data() + 100, "0004755", 7); });
       }},
      {"an owner",
       [](Parts& p) { edit_header(p[3], [](std::string& h) { std::memcpy(h.data() + 265, "root", 4); }); }},
      {"a clock",
       [](Parts& p) {
         edit_header(p[3], [](std::string& h) { std::memcpy(h.data() + 136, "14371573000", 11); });
       }},
      {"bytes behind the name", [](Parts& p) { edit_header(p[3], [](std::string& h) { h[99] = 'x'; }); }},
      {"wrong checksum", [](Parts& p) { p[3][150] = p[3][150] == '1' ? '2' : '1'; }},
  };
  return k_all;
}

std::string hex_upper(std::string sums) {
  for (char& c : sums.substr(0, 64)) (void)c;
  for (std::size_t i = 0; i < 64; ++i)
    if (sums[i] >= 'a' && sums[i] <= 'f') sums[i] = static_cast<char>(sums[i] - 'a' + 'A');
  return sums;
}

// Seals that nearly are some.
std::vector<std::pair<const char*, std::string>> garbled_seals(const std::string& good) {
  const std::string line = good.substr(0, good.find('\n') + 1);
  const std::string digest = line.substr(0, 64);
  return {{"empty", ""},
          {"upper case", hex_upper(good)},
          {"one space", line.substr(0, 64) + line.substr(65) + good.substr(line.size())},
          {"binary mark", line.substr(0, 65) + "*" + good.substr(66)},
          {"escaped name", "\\" + good},
          {"carriage returns", line.substr(0, line.size() - 1) + "\r\n" + good.substr(line.size())},
          {"no final line feed", good.substr(0, good.size() - 1)},
          {"empty last line", good + "\n"},
          {"byte order mark", "\xef\xbb\xbf" + good},
          {"NUL", good + std::string(1, '\0')},
          {"line twice", line + good},
          {"last line first", good.substr(good.rfind('\n', good.size() - 2) + 1) + good},
          {"comment", "# sums\n" + good},
          {"63 digits", line.substr(1) + good.substr(line.size())},
          {"65 digits", "0" + good},
          {"other digits", std::string(64, 'g') + line.substr(64) + good.substr(line.size())},
          {"lists itself", good + digest + "  SHA256SUMS\n"},
          {"lists its signature", good + digest + "  SHA256SUMS.sig\n"},
          {"traversal", good + digest + "  x/../../evil\n"},
          {"absolute", good + digest + "  /tmp/evil\n"},
          {"folder", good + digest + "  images/\n"},
          {"file as folder", good + digest + "  val_manifest.json/x\n"},
          {"long name", good + digest + "  z" + std::string(100, 'z') + "\n"},
          {"BSD form", "SHA256 (README.txt) = " + digest + "\n" + good},
          {"other text", "These are not the sums you are looking for.\n"}};
}

}  // namespace

TEST_CASE("hostile members: refused in every way in, and nothing is written") {
  const Fence fence;
  for (const Hostile& hostile : hostile_members()) {
    Parts parts = support::tar_parts(fence.tar);
    hostile.change(parts);
    fence.refuse(hostile.name, ".tar", support::tar_of(parts));
  }
  const std::string end = support::zeros(10240);
  fence.refuse("data after the end", ".tar", fence.tar + "x");
  fence.refuse("zeros after the end", ".tar", fence.tar + end);
  fence.refuse("two archives", ".tar", fence.tar + fence.tar);
  fence.refuse("no end", ".tar", fence.tar.substr(0, fence.tar.find_last_not_of('\0') + 1));
  fence.refuse("zeros first", ".tar", end + fence.tar);
  fence.refuse("zeros only", ".tar", end);
  fence.refuse("nothing", ".tar", "");
  fence.refuse("other bytes", ".tar", "PK\x03\x04 and so on");
  std::printf("hostile members: %zu archives, 4 ways in each\n", hostile_members().size() + 8);
}

TEST_CASE("garbled seals are refused, in a folder and in an archive") {
  const Fence fence;
  const auto seals = garbled_seals(get(fence.pack / "SHA256SUMS"));
  for (const auto& [name, text] : seals) {
    Parts parts = support::tar_parts(fence.tar);
    parts[0] = tar_member("data_pack/SHA256SUMS", text);
    fence.refuse(name, ".tar", support::tar_of(parts));
    fence.refuse_folder(name, [&, seal = text](const fs::path& bad) { put(bad / "SHA256SUMS", seal); });
  }
  for (const std::size_t size : std::vector<std::size_t>{0, 1, 63, 65, 1 << 20}) {
    Parts parts = support::tar_parts(fence.tar);
    parts.insert(parts.begin() + 1, tar_member("data_pack/SHA256SUMS.sig", std::string(size, 's')));
    fence.refuse("signature of another size", ".tar", support::tar_of(parts));
    fence.refuse_folder("signature of another size",
                        [&](const fs::path& bad) { put(bad / "SHA256SUMS.sig", std::string(size, 's')); });
  }
  std::printf("garbled seals: %zu, and 5 signatures of another size\n", seals.size());
}

TEST_CASE("a pack.json that disagrees with the seal or with itself is refused") {
  const Fence fence;
  const std::string good = get(fence.pack / "pack.json");
  const auto replaced = [&](const std::string& from, const std::string& to) {
    const std::size_t at = good.find(from);
    REQUIRE(at != std::string::npos);
    return std::string(good).replace(at, from.size(), to);
  };
  const std::size_t row = good.find("    {\"path\": \"README.txt\"");
  const std::string readme = good.substr(row, good.find('\n', row) + 1 - row);
  const std::vector<std::pair<const char*, std::string>> texts{
      {"empty", ""},
      {"an array", "[]"},
      {"cut", good.substr(0, good.size() / 2)},
      {"another size", replaced("\"bytes\": ", "\"bytes\": 1")},
      {"negative size", replaced("\"bytes\": ", "\"bytes\": -")},
      {"size of 8 GiB", replaced("\"bytes\": ", "\"bytes\": 8589934592, \"x\": ")},
      {"size of many digits", replaced("\"bytes\": ", "\"bytes\": 999999999999999999999999999999")},
      {"a name that climbs", replaced("\"name\": \"data_pack\"", "\"name\": \"../../evil\"")},
      {"a name that is a flag", replaced("\"name\": \"data_pack\"", "\"name\": \"-rf\"")},
      {"another version", replaced("\"format_version\": 1", "\"format_version\": 3")},
      {"another format", replaced("safe-pack", "safe-bag")},
      {"another role", replaced("\"role\": \"readme\"", "\"role\": \"captions\"")},
      {"a file less", replaced(readme, "")},
      {"a file twice", replaced(readme, readme + readme)},
      {"a file more",
       replaced(readme, readme + replaced(readme, "").substr(0, 0) +
                            "    {\"path\": \"TODO.txt\", \"role\": \"readme\", \"bytes\": 1},\n")},
      {"a path that climbs", replaced("\"path\": \"README.txt\"", "\"path\": \"../README.txt\"")},
      {"a key twice", replaced("\"format\": ", "\"format\": \"x\", \"format\": ")},
      {"deep nesting", std::string(100000, '[')},
      {"not UTF-8", replaced("data_pack",
                             "data\xff"
                             "pack")},
      {"a byte order mark", "\xef\xbb\xbf" + good},
      {"another way to write it", replaced("\"bytes\": ", "\"bytes\":  ")}};
  for (const auto& [name, text] : texts) {
    const auto damage = [&, bytes = text](const fs::path& bad) {
      put(bad / "pack.json", bytes);
      support::reseal(bad);
    };
    fence.refuse_folder(name, damage);
    Parts parts = support::tar_parts(fence.tar);
    const fs::path bad = fence.scratch / "sealed";
    fs::copy(fence.pack, bad, fs::copy_options::recursive);
    damage(bad);
    parts[0] = tar_member("data_pack/SHA256SUMS", get(bad / "SHA256SUMS"));
    parts[1] = tar_member("data_pack/pack.json", text);
    fence.refuse(name, ".tar", support::tar_of(parts));
    fs::remove_all(bad);
  }
  std::printf("pack.json: %zu that disagree\n", texts.size());
}

TEST_CASE("what is no regular file is not read, and nothing hangs") {
  const Fence fence;
  REQUIRE(::mkfifo((fence.place / "fifo.tar").c_str(), 0644) == 0);
  fs::create_symlink("/dev/zero", fence.place / "zero.tar");
  for (const char* name : {"fifo.tar", "zero.tar", "absent.tar"}) {
    const std::string program = support::quoted(k_program);
    const auto result = fence.run(program + " verify --quiet " + name + "; echo $?; " + program +
                                  " extract --quiet " + name + "; echo $?");
    CHECK_MESSAGE(result.out == "3\n3\n", name, result.err);
  }
  for (const char* name : {"fifo.tar", "zero.tar"}) fs::remove(fence.place / name);
  const auto fifo = [](const char* path) {
    return [path](const fs::path& bad) {
      fs::remove_all(bad / path);
      REQUIRE(::mkfifo((bad / path).c_str(), 0644) == 0);
    };
  };
  for (const char* path :
       {"SHA256SUMS", "SHA256SUMS.sig", "pack.json", "README.txt", "audio/train/video_1.wav", "images"})
    fence.refuse_folder(path, fifo(path));
  fence.refuse_folder("a link to a treasure", [&](const fs::path& bad) {
    fs::remove(bad / "README.txt");
    fs::create_symlink(fence.scratch / "fence" / "treasure", bad / "README.txt");
  });
  fence.refuse_folder("a folder that is a link", [&](const fs::path& bad) {
    fs::rename(bad / "audio", fence.scratch / "aside");
    fs::create_directory_symlink(fence.scratch / "aside", bad / "audio");
  });
  fence.refuse_folder("a key in the pack", [](const fs::path& bad) {
    put(bad / "KEY.pem", std::string("-----BEGIN PRIVATE KEY-----"));
  });
}
