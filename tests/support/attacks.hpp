// Small inputs that were made to cost a reader much memory or time: a megabyte or less on the disk each.
// Shared by the test that limits the memory and the benchmark that prints it.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/sealed/draft_file.hpp"
#include "common/sealed/sums.hpp"
#include "packer/tar/compress.hpp"
#include "packer/tar/ustar.hpp"
#include "tests/support/small_pack.hpp"

namespace support {

struct Attack {
  std::string name;
  std::filesystem::path path;
  std::vector<std::string> arguments;  // of safe-packer
};

// A text that comes in pieces, twice: once to be hashed, once to be written.
using TakePiece = std::function<void(std::string_view)>;
using Pieces = std::function<void(const TakePiece&)>;

inline Pieces whole(std::string text) {
  return [text = std::move(text)](const TakePiece& take) { take(text); };
}
// `head`, `part` so often that `bytes` are there, `tail`.
inline Pieces repeated(std::string head, std::string part, std::uint64_t bytes, std::string tail) {
  std::string many = part;
  while (many.size() < (64U << 10)) many += part;
  const std::uint64_t times = bytes / many.size();
  return [=](const TakePiece& take) {
    take(head);
    for (std::uint64_t i = 0; i < times; ++i) take(many);
    take(tail);
  };
}

// An archive of a pack whose control files are what an attacker wrote; their digests in the seal are right.
class AttackPack {
 public:
  AttackPack() {
    for (const char* name : {"README.txt", "captions.jsonl", "manifest.json", "pack.json",
                             "subset_manifest.json", "val_manifest.json"})
      set(name, whole("x"));
  }
  void set(const std::string& path, Pieces pieces) { files_[path] = std::move(pieces); }
  // Instead of the seal that the files have.
  void set_seal(Pieces pieces) { seal_ = std::move(pieces); }

  void write(const std::filesystem::path& path, packer::Compression form) const {
    common::DraftFile file(path);
    const auto out = packer::compress(form, file, 1);
    const auto put = [&](const std::string& name, const Pieces& pieces) {
      std::uint64_t size = 0;
      pieces([&](std::string_view piece) { size += piece.size(); });
      out->write(packer::ustar_header("data_pack/" + name, size));
      pieces([&](std::string_view piece) { out->write(common::view_of(piece)); });
      out->write(common::view_of(std::string(packer::padding_after(size), '\0')));
    };
    put("SHA256SUMS", seal_ ? seal_ : whole(sums()));
    put("pack.json", files_.at("pack.json"));
    for (const auto& [name, pieces] : files_)
      if (name != "pack.json" && packer::is_control(name)) put(name, pieces);
    for (const auto& [name, pieces] : files_)
      if (!packer::is_control(name)) put(name, pieces);
    out->write(common::view_of(std::string(20 * packer::k_block_bytes, '\0')));
    out->finish();
    file.publish(common::Durability::none);
  }

 private:
  [[nodiscard]] std::string sums() const {
    std::vector<common::SumsLine> lines;
    for (const auto& [name, pieces] : files_) {
      common::Hasher hasher;
      pieces([&](std::string_view piece) { hasher.update(common::view_of(piece)); });
      lines.push_back({common::PackPath(name), hasher.finish()});
    }
    std::sort(lines.begin(), lines.end());
    return common::write_sums(lines);
  }

  std::map<std::string, Pieces> files_;
  Pieces seal_;
};

inline std::string info_head() {
  return "{\n  \"format\": \"safe-pack\",\n  \"format_version\": 1,\n  \"name\": \"data_pack\",\n";
}

inline std::string many_lines(std::size_t count, const std::function<std::string(std::size_t)>& line) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line(i);
  return text;
}

inline std::string numbered(std::size_t number) {
  std::string digits = std::to_string(number);
  return std::string(7 - std::min<std::size_t>(7, digits.size()), '0') + digits;
}

// Questions whose ids all fall into one place of a hash table that takes the remainder of this prime.
inline std::string colliding_questions(std::size_t count) {
  constexpr std::int64_t k_prime = 1'447'153;  // a number of buckets of libstdc++
  std::string text =
      "{\n  \"subset_name\": \"s\",\n  \"description\": \"\",\n  \"seed\": 1,\n"
      "  \"source_dataset\": \"d\",\n  \"entries\": [";
  for (std::size_t i = 0; i < count; ++i)
    text += (i == 0 ? "\n" : ",\n") + std::string("    {\"question_id\": ") +
            std::to_string(static_cast<std::int64_t>(i) * k_prime) +
            ", \"image_id\": " + std::to_string(static_cast<std::int64_t>(i) * k_prime) +
            R"(, "image_filename": "a.jpg", "question": "", "answers": [], "majority_answer": ""})";
  return text + "\n  ]\n}";
}

// Archives and folders below `root`, each with the command that reads it.
inline std::vector<Attack> write_attacks(const std::filesystem::path& root, std::uint64_t large_bytes) {
  namespace fs = std::filesystem;
  using packer::Compression;
  fs::create_directories(root);
  std::vector<Attack> attacks;
  const auto add = [&](const std::string& name, const AttackPack& pack, Compression form) {
    const char* suffix = form == Compression::none ? ".tar" : form == Compression::gzip ? ".tgz" : ".tar.zst";
    const fs::path path = root / (std::to_string(attacks.size()) + suffix);
    pack.write(path, form);
    attacks.push_back({name, path, {"verify", "--quiet", path.string()}});
  };
  const auto add_control = [&](const std::string& name, const std::string& file, const Pieces& pieces,
                               Compression form = Compression::zstd) {
    AttackPack pack;
    pack.set(file, pieces);
    add(name, pack, form);
  };
  add_control("pack.json: lots of empty lists, zstd", "pack.json", repeated("[", "[],", large_bytes, "[]]"));
  add_control("pack.json: lots of empty lists, gzip", "pack.json", repeated("[", "[],", large_bytes, "[]]"),
              Compression::gzip);
  add_control("pack.json: empty lists as licences", "pack.json",
              repeated(info_head() + "  \"licences\": [", "[],", large_bytes, "[]]}"));
  add_control("pack.json: lots of white space", "pack.json", repeated("{", " \n", large_bytes, "}"));
  add_control("pack.json: one endless text", "pack.json", repeated("{\"", "a", large_bytes, "\": 1}"));
  add_control("pack.json: nested endlessly", "pack.json", repeated("", "[", large_bytes, ""));
  const std::string source =
      "{\"table\": \"metadata\", \"sha256\": \"" + std::string(64, 'a') + "\", \"licence\": {\"name\": \"";
  const auto licences = many_lines(
      64'000, [&](std::size_t i) { return (i == 0 ? "" : ", ") + source + std::to_string(i) + "\"}}"; });
  add_control(
      "pack.json: 64,000 licences", "pack.json",
      whole(info_head() +
            "  \"recipe\": {\n    \"strategy\": \"manifests\",\n    \"clip_s\": 10.0,\n    \"inputs\": "
            "[\n      {\"manifest\": \"val_manifest\", \"subset_name\": \"s\", \"source_dataset\": \"d\", "
            "\"seed\": 1, \"rows\": 0, \"packed\": 0, \"sha256\": \"" +
            std::string(64, 'a') +
            "\", \"recipe\": {\"strategy\": \"original\", \"population\": 1, "
            "\"sources\": [" +
            licences +
            "]}}\n    ]\n  },\n  \"licences\": [],\n  \"missing\": [],\n  "
            "\"files\": []\n}\n"));
  add_control(
      "pack.json: equal rows of missing", "pack.json",
      repeated(info_head() + "  \"missing\": [\n",
               "    {\"manifest\": \"val_manifest\", \"id\": \"\", \"file\": \"\", \"reason\": \"\"},\n",
               large_bytes, ""));
  add_control("pack.json: equal rows of files", "pack.json",
              repeated(info_head() + "  \"files\": [\n",
                       "    {\"path\": \"images/a.jpg\", \"role\": \"image\", \"bytes\": 1, \"width\": 1, "
                       "\"height\": 1},\n",
                       large_bytes, ""));
  add_control("manifest.json: lots of empty lists", "manifest.json",
              repeated("{\"entries\": [", "[],", large_bytes, "[]]}"));
  add_control("val_manifest.json: empty lists as recipe", "val_manifest.json",
              repeated("{\"recipe\": [", "[],", large_bytes, "[]]}"));
  add_control("val_manifest.json: 10,000,000 answers", "val_manifest.json",
              repeated("{\"entries\": [{\"answers\": [", "\"\",", large_bytes, "\"\"]}]}"));
  add_control("val_manifest.json: 300,000 ids of one hash", "val_manifest.json",
              whole(colliding_questions(300'000)));
  {
    AttackPack pack;
    pack.set_seal(repeated("", "\n", common::k_seal_limit_bytes, ""));
    add("SHA256SUMS: 64 MiB of line feeds", pack, Compression::zstd);
  }
  {
    AttackPack pack;
    pack.set_seal(whole(many_lines(
        450'000, [](std::size_t i) { return std::string(64, 'a') + "  images/" + numbered(i) + ".jpg\n"; })));
    add("SHA256SUMS: 450,000 lines of one digest", pack, Compression::zstd);
  }
  {
    AttackPack pack;
    pack.set_seal(whole(
        many_lines(450'000, [](std::size_t i) { return std::string(64, 'a') + "  " + numbered(i) + "\n"; })));
    add("SHA256SUMS: 450,000 control files", pack, Compression::zstd);
  }
  {
    AttackPack pack;
    const std::string zeros(1 << 20, '\0');
    pack.set("images/a.jpg", repeated("", zeros, std::uint64_t{1} << 30, ""));
    add("a picture of 1 GiB of zeros, zstd", pack, Compression::zstd);
  }
  const auto add_folder = [&](const std::string& name, const std::string& file, const char* verb) {
    const fs::path at = root / std::to_string(attacks.size());
    fs::create_directories(at);
    const fs::path pack = packer::build_pack(small_sources(at)).location;
    fs::resize_file(pack / file, std::uint64_t{1} << 40);
    attacks.push_back({name, pack, {verb, "--quiet", pack.string()}});
    if (std::string(verb) == "repair") {
      attacks.back().arguments.push_back("--from");
      attacks.back().arguments.push_back((at / "E").string());
    }
  };
  add_folder("a sparse clip of 1 TiB, verify", "audio/train/video_1.wav", "verify");
  add_folder("a sparse manifest of 1 TiB, verify", "val_manifest.json", "verify");
  add_folder("a sparse pack.json of 1 TiB, verify", "pack.json", "verify");
  add_folder("a sparse clip of 1 TiB, repair", "audio/train/video_1.wav", "repair");
  add_folder("a sparse pack.json of 1 TiB, repair", "pack.json", "repair");
  return attacks;
}

struct Cost {
  int code = 0;  // the exit code, or 128 and the signal
  double wall_s = 0, processor_s = 0;
  long memory_kib = 0;
};

// Runs a program with all output away; what takes longer than `limit_s` of processor time is ended.
inline Cost cost_of(const std::string& program, const std::vector<std::string>& arguments, rlim_t limit_s) {
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{limit_s, limit_s};
    ::setrlimit(RLIMIT_CPU, &limit);
    const int null = ::open("/dev/null", O_RDWR);
    for (const int stream : {0, 1, 2}) ::dup2(null, stream);
    std::vector<char*> words{const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::execv(program.c_str(), words.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  Cost cost;
  if (child < 0 || ::wait4(child, &status, 0, &usage) != child) return {-1};
  cost.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  cost.processor_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  cost.memory_kib = usage.ru_maxrss;
  cost.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return cost;
}

}  // namespace support
