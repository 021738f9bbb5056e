// A small pack and base that the real programs made, once for all cases of one test program.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "tests/support/process.hpp"

namespace support::small_world {

namespace fs = std::filesystem;

// Whether there are folders at most below `folder`, if it is there at all.
inline bool has_no_file(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder)) return true;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) return false;
  return true;
}

// Of all runs in the folder, where there are any: it grows while one trains.
inline std::uintmax_t history_bytes(const fs::path& runs) {
  std::uintmax_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(runs, ignored)) {
    const std::uintmax_t size = fs::file_size(entry.path() / "history.jsonl", ignored);
    if (!ignored) bytes += size;
  }
  return bytes;
}

inline const std::string k_bin = SAFE_BIN;

inline Finished manifest(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {k_bin + "/safe-manifest"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_process(command);
}
inline Finished packer(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {k_bin + "/safe-packer"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_process(command);
}
inline Finished trainer(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {k_bin + "/safe-trainer", "--quiet"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_process(command);
}

inline bool has_avx2() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

// What safe-trainer starts itself once more with where it is missing (trainer/cli/arithmetic.hpp).
struct Setting {
  const char *name, *value;
};
inline constexpr Setting k_kernels[] = {{"OPENBLAS_CORETYPE", "Haswell"},
                                        {"ATEN_CPU_CAPABILITY", "avx2"},
                                        {"ONEDNN_MAX_CPU_ISA", "AVX2"},
                                        {"DNNL_MAX_CPU_ISA", "AVX2"},
                                        {"MKL_CBWR", "AVX2"}};

struct World {
  support::Scratch scratch;
  std::string root, vqa, pack, base;

  World()
      : root(scratch.path().string()), vqa(root + "/data/vqa"), pack(root + "/pack"), base(root + "/base") {
    ::setenv("XDG_CONFIG_HOME", (root + "/config").c_str(), 1);  // for the key of the feature cache
    // Or each of hundreds of starts links LibTorch twice; test_arithmetic.cpp starts without them.
    if (has_avx2())
      for (const auto& [name, value] : k_kernels) ::setenv(name, value, 1);
    ok(packer({"synthesize", "--quiet", "--out", root + "/data", "--clips", "24", "--questions", "240",
               "--train-questions", "160"}));
    const std::vector<std::string> val = {"--questions", vqa + "/v2_OpenEnded_mscoco_val2014_questions.json",
                                          "--annotations", vqa + "/v2_mscoco_val2014_annotations.json"};
    const auto with = [](std::vector<std::string> first, const std::vector<std::string>& rest) {
      first.insert(first.end(), rest.begin(), rest.end());
      return first;
    };
    ok(manifest({"audio", "--metadata", root + "/data/audiocaps/train.csv", "--subset-size", "12", "--output",
                 root + "/subset_manifest.json"}));
    ok(manifest({"audio", "--split", "val", "--metadata", root + "/data/audiocaps/val.csv", "--subset-size",
                 "4", "--output", root + "/audio_val_manifest.json", "--exclude",
                 root + "/subset_manifest.json"}));
    ok(manifest(with({"val", "--subset-size", "20", "--output", root + "/val_manifest.json"}, val)));
    ok(manifest(with({"retention", "--subset-size", "70", "--exclude", root + "/val_manifest.json",
                      "--output", root + "/retention_manifest.json"},
                     val)));
    ok(manifest(with({"unlike", "--subset-size", "5", "--output", root + "/unlike_manifest.json"}, val)));
    ok(manifest({"base", "--questions", vqa + "/v2_OpenEnded_mscoco_train2014_questions.json",
                 "--annotations", vqa + "/v2_mscoco_train2014_annotations.json", "--subset-size", "100",
                 "--exclude", root + "/val_manifest.json", "--exclude", root + "/retention_manifest.json",
                 "--exclude", root + "/subset_manifest.json", "--exclude", root + "/audio_val_manifest.json",
                 "--captions", root + "/data/audiocaps/train.csv", "--output",
                 root + "/base_manifest.json"}));
    ok(packer({"build", "--quiet", "--manifest", root + "/subset_manifest.json", "--val-manifest",
               root + "/val_manifest.json", "--source-root", root + "/data/audiocaps", "--dest-root", pack}));
    ok(trainer({"make-base", "--pack", pack, "--out", base, "--steps", "6", "--batch-size", "16"}));
  }

  static void ok(const Finished& finished) {
    CAPTURE(finished.err);
    REQUIRE(finished.code == 0);
  }

  [[nodiscard]] std::vector<std::string> run(const std::string& variant, const std::string& out,
                                             const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"run"};
    const std::vector<std::pair<std::string, std::string>> defaults = {{"--variant", variant},
                                                                       {"--pack-root", pack},
                                                                       {"--base", base + "/vl"},
                                                                       {"--audio-encoder", base + "/audio"},
                                                                       {"--output-root", root + "/" + out},
                                                                       {"--num-epochs", "4"},
                                                                       {"--train-batch-size", "6"},
                                                                       {"--lr-projector", "5e-3"},
                                                                       {"--lr-adapter", "5e-3"},
                                                                       {"--null-space-min-samples", "8"}};
    for (const auto& [flag, value] : defaults)
      if (std::find(more.begin(), more.end(), flag) == more.end()) {
        arguments.push_back(flag);
        arguments.push_back(value);
      }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  [[nodiscard]] fs::path only_run(const std::string& out) const {
    std::vector<fs::path> runs;
    for (const auto& entry : fs::directory_iterator(fs::path(root) / out))
      if (entry.path().filename().string().front() != '.') runs.push_back(entry.path());
    std::string names;
    for (const fs::path& run : runs) names += run.filename().string() + " ";
    CAPTURE(names);
    REQUIRE(runs.size() == 1);
    return runs.front();
  }
};

inline World& world() {
  static World one;
  return one;
}

inline common::Json json_of(const fs::path& path) { return common::read_json(path, 1 << 26); }

}  // namespace support::small_world
