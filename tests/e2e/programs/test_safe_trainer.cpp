#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

#include <fstream>

#include "tests/support/small_world.hpp"

// The real trainer on a small pack that the other two programs made. One pack and one base serve all cases.

using namespace support::small_world;
using support::Finished;
using support::run_process;

TEST_CASE("a run leaves a sealed directory, and without audio it is its base bit for bit") {
  const World& w = world();
  World::ok(
      trainer(w.run("no_retention", "first", {"--eval-audio-gate-comparison", "--eval-beyond-stream"})));
  const fs::path run = w.only_run("first");
  for (const char* name :
       {"config.json", "metrics.json", "subset_indices.json", "history.jsonl", "predictions.jsonl",
        "timings.json", "SHA256SUMS", "checkpoints/adapter.safetensors"}) {
    CAPTURE(name);
    CHECK(fs::exists(run / name));
  }
  const common::Json metrics = json_of(run / "metrics.json");
  CHECK(metrics.at("bit_equal_without_audio") == true);
  const common::Json& conditions = metrics.at("validation").at("conditions");
  CHECK(conditions.at("no_audio").at("agreement") == 1.0);
  CHECK(conditions.at("silence").at("kl_to_base") == 0.0);
  CHECK(conditions.at("gate_0").at("kl_to_base") == 0.0);
  CHECK(conditions.at("distractor_memorised").at("kl_to_base") > 0.0);
  CHECK(conditions.at("distractor_held_out").at("questions") == 20);
  CHECK(conditions.at("unlike:distractor_memorised").at("questions") == 5);
  for (const std::string set : {"unlike", "instruction_moved", "no_picture"}) {
    CAPTURE(set);
    CHECK(conditions.at(set + ":no_audio").at("kl_to_base") == 0.0);
    CHECK(conditions.at(set + ":distractor_memorised").at("kl_to_base") > 0.0);
  }
  CHECK(conditions.at("no_picture:no_audio").at("questions") == 20);
  CHECK(json_of(run / "config.json").at("pack_id") == packer({"verify", w.pack}).out.substr(0, 64));
  CHECK(run_process({"sha256sum", "--quiet", "-c", "--strict", "SHA256SUMS"}, run).code == 0);
  CHECK(trainer({"verify-run", run.string()}).code == 0);
  std::ofstream(run / "metrics.json", std::ios::app) << " ";
  CHECK(trainer({"verify-run", run.string()}).code == 1);
  CHECK(trainer({"report", run.string()}).code == 1);
}

TEST_CASE("a run on fewer clips and questions than were asked for says so, there and in its config.json") {
  const World& w = world();
  const Finished fewer = trainer(w.run("no_retention", "fewer", {"--num-epochs", "1"}));
  World::ok(fewer);
  CHECK(fewer.err.find("400 training clips are asked for and there are 12") != std::string::npos);
  CHECK(fewer.err.find("500 items to judge on are asked for and there are 20") != std::string::npos);
  const common::Json config = json_of(w.only_run("fewer") / "config.json");
  CHECK(config.at("subset_size") == 400);
  CHECK(config.at("used") == common::Json{{"subset_size", 12}, {"val_size", 20}});
  for (const std::string source : {"pack_vl", "pack_audio", "pack_train_audio", "pack_mixed"}) {
    CAPTURE(source);
    const Finished all = trainer(
        w.run("no_retention", "all_" + source,
              {"--num-epochs", "1", "--subset-size", "0", "--val-size", "0", "--val-source", source}));
    World::ok(all);
    CHECK(all.err.find("warning") == std::string::npos);
    const common::Json used = json_of(w.only_run("all_" + source) / "config.json").at("used");
    CHECK(used.at("subset_size") == 12);
    CHECK(used.at("val_size") == (source == "pack_vl" ? 20 : source == "pack_mixed" ? 32 : 12));
  }
  World::ok(trainer(
      w.run("no_retention", "exactly", {"--num-epochs", "1", "--subset-size", "12", "--val-size", "20"})));
  CHECK_FALSE(json_of(w.only_run("exactly") / "config.json").contains("used"));
}

TEST_CASE("a resumed run of other settings says which, and begins anew") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "longer", {"--num-epochs", "1"})));
  std::vector<std::string> more = w.run("no_retention", "longer", {"--num-epochs", "2"});
  more.insert(more.begin(), support::small_world::k_bin + "/safe-trainer");
  more.emplace_back("--resume");
  const Finished other = run_process(more);
  World::ok(other);
  CHECK(other.err.find("no run of this configuration to resume") != std::string::npos);
  CHECK(other.err.find("(num_epochs: 1 there, 2 here)") != std::string::npos);
}

TEST_CASE("a report passes over what is no finished run, naming it, and needs one that is") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "mixed_runs", {"--num-epochs", "1"})));
  const std::string root = w.root + "/mixed_runs", run = w.only_run("mixed_runs").string();
  fs::create_directories(root + "/failed");
  support::put_file(root + "/failed/config.json", "{}");
  support::put_file(root + "/report.html", "");
  const Finished report = trainer({"report", run, root + "/failed", root + "/report.html"});
  World::ok(report);
  CHECK(report.err.find("passed over: " + root + "/failed: the run failed or is not finished") !=
        std::string::npos);
  CHECK(report.err.find("passed over: " + root + "/report.html: it is not a run directory") !=
        std::string::npos);
  CHECK(trainer({"report", root + "/failed"}).code == 1);
  CHECK(trainer({"report", run, root + "/nothing"}).code == 3);
}

TEST_CASE("the cause is named, not what follows from it") {
  const World& w = world();
  const auto says = [&](const std::vector<std::string>& arguments, int code, const std::string& part) {
    const Finished finished = trainer(arguments);
    CAPTURE(finished.err);
    CHECK(finished.code == code);
    CHECK(finished.err.find(part) != std::string::npos);
    return finished.err;
  };
  // Neither the pack nor the base is there: the pack comes first.
  const std::string typo =
      says(w.run("full_safe", "bad", {"--pack-root", w.root + "/pakc", "--base", w.root + "/nobase"}), 3,
           "there is no pack at " + w.root + "/pakc; check --pack-root");
  CHECK(typo.find("make-base") == std::string::npos);
  says(w.run("full_safe", "bad", {"--base", w.base}), 3, "give --base " + w.base + "/vl");
  says(w.run("full_safe", "bad", {"--base", "nobase"}), 3, "--out nobase\n");
  says({"evaluate", w.root + "/first"}, 2, "is not a run directory");
  says(w.run("full_safe", "bad", {"--train-source", "audiocaps", "--data-path", w.root + "/dta"}), 3,
       "there is no folder " + w.root + "/dta; check --data-path");
  says(w.run("soft_retention", "bad", {"--num-epochs", "50"}), 1, "--num-epochs 51 or more");
  says(w.run("full_safe", "bad", {"--num-epochs", "0"}), 2,
       "--num-epochs: \"0\" is too small; give a whole number, 1 or more");
  says(w.run("full_safe", "bad", {"--seed", "100000000000000000000"}), 2, "--seed: ");
  says(w.run("full_safe", "bad", {"--pack-id", ""}), 2, "--pack-id: the value is empty");
  says(w.run("full_safe", "bad", {"--require-signature", ""}), 2, "--require-signature: the value is empty");
}

TEST_CASE("equal runs end with equal bytes, whatever the number of threads; other variants with others") {
  const World& w = world();
  // 102 steps: Fisher acts from step 100 on.
  World::ok(trainer(w.run("full_safe", "one_thread", {"--threads", "1", "--num-epochs", "51"})));
  World::ok(trainer(w.run("full_safe", "three_threads", {"--threads", "3", "--num-epochs", "51"})));
  World::ok(trainer(w.run("soft_retention", "soft", {"--num-epochs", "51"})));
  const auto text = [](const fs::path& path) { return support::text_of_file(path); };
  for (const char* name :
       {"history.jsonl", "predictions.jsonl", "metrics.json", "checkpoints/adapter.safetensors"}) {
    CAPTURE(name);
    CHECK(text(w.only_run("one_thread") / name) == text(w.only_run("three_threads") / name));
    CHECK(text(w.only_run("one_thread") / name) != text(w.only_run("soft") / name));
  }
  const common::Json metrics = json_of(w.only_run("one_thread") / "metrics.json");
  CHECK(metrics.at("mechanisms").contains("kl"));
  CHECK(metrics.at("mechanisms").contains("fisher"));
  CHECK(metrics.at("null_space").at(0).at("leak") < 1e-5);
  CHECK(metrics.at("null_space").at(0).at("measured_drift") <=
        metrics.at("null_space").at(0).at("certificate"));
  const Finished report = trainer({"report", w.only_run("one_thread").string(), w.only_run("soft").string()});
  World::ok(report);
  CHECK(report.out.find("full_safe") != std::string::npos);
  CHECK(report.out.find("soft_retention") != std::string::npos);
}

TEST_CASE("features that were kept, that were not, and that went bad lead to the same bytes") {
  const World& w = world();
  const std::vector<std::string> none = {"--feature-cache", "off", "--num-epochs", "2"};
  const std::vector<std::string> kept = {"--feature-cache", w.root + "/features", "--num-epochs", "2"};
  World::ok(trainer(w.run("no_retention", "uncached", none)));
  CHECK_FALSE(fs::exists(w.root + "/uncached/.features"));
  World::ok(trainer(w.run("no_retention", "filling", kept)));
  std::size_t entries = 0;
  for (const auto& entry : fs::recursive_directory_iterator(w.root + "/features"))
    if (entry.is_regular_file() && ++entries % 2 == 0) fs::resize_file(entry.path(), entry.file_size() - 1);
  CHECK(entries > 20);
  World::ok(trainer(w.run("no_retention", "mending", kept)));
  World::ok(trainer(w.run("no_retention", "cached", kept)));
  const auto counts = [&](const char* out) {
    return common::dump_line(json_of(w.only_run(out) / "config.json").at("feature_cache"));
  };
  CHECK(counts("uncached").find("{\"used\": 0, \"computed\": ") == 0);
  CHECK(counts("filling") == counts("uncached"));
  CHECK(counts("mending").find("\"used\": 0") == std::string::npos);
  CHECK(counts("mending").find("\"computed\": 0") == std::string::npos);
  CHECK(counts("cached").find("\"computed\": 0") != std::string::npos);
  // Whoever else can write to the cache decides nothing: entries of another key are made again.
  ::setenv("XDG_CONFIG_HOME", (w.root + "/other_config").c_str(), 1);
  World::ok(trainer(w.run("no_retention", "other_key", kept)));
  ::setenv("XDG_CONFIG_HOME", (w.root + "/config").c_str(), 1);
  CHECK(counts("other_key") == counts("uncached"));
  // Where no key can be kept, or nothing be written, the run goes on with one warning.
  support::put_file(w.root + "/no_config", "");
  ::setenv("XDG_CONFIG_HOME", (w.root + "/no_config").c_str(), 1);
  const Finished keyless = trainer(w.run("no_retention", "keyless", kept));
  ::setenv("XDG_CONFIG_HOME", (w.root + "/config").c_str(), 1);
  World::ok(keyless);
  CHECK(keyless.err.find("no features are kept or used") != std::string::npos);
  CHECK(counts("keyless") == counts("uncached"));
  const Finished nowhere = trainer(
      w.run("no_retention", "nowhere", {"--feature-cache", w.root + "/no_config", "--num-epochs", "2"}));
  World::ok(nowhere);
  const std::string warning = "features are not kept for the next run";
  CHECK(nowhere.err.find(warning) != std::string::npos);
  CHECK(nowhere.err.find(warning) == nowhere.err.rfind(warning));
  for (const char* name : {"history.jsonl", "predictions.jsonl", "metrics.json"})
    for (const char* out : {"filling", "mending", "cached", "other_key", "keyless", "nowhere"}) {
      CAPTURE(name);
      CAPTURE(out);
      CHECK(support::text_of_file(w.only_run(out) / name) ==
            support::text_of_file(w.only_run("uncached") / name));
    }
}

TEST_CASE("a sweep makes a run of every condition and seed, and the same command again makes none") {
  const World& w = world();
  support::put_file(w.root + "/sweep.json",
                    R"({"run": {"num-epochs": 2, "train-batch-size": 6}, "seeds": [1, 2], "conditions": [
                        {"name": "plain", "variant": "no_retention"},
                        {"name": "KL alone", "variant": "no_retention", "kl-weight": 0.1}]})");
  const std::vector<std::string> command = {
      "sweep",        w.root + "/sweep.json", "--pack-root",     w.pack,          "--base",
      w.base + "/vl", "--audio-encoder",      w.base + "/audio", "--output-root", w.root + "/swept"};
  const Finished first = trainer(command), again = trainer(command);
  World::ok(first);
  World::ok(again);
  CHECK(std::count(first.out.begin(), first.out.end(), '\n') == 4);
  CHECK(again.out == first.out);
  std::vector<std::string> report = {"report"};
  for (const auto& entry : fs::directory_iterator(w.root + "/swept"))
    if (entry.path().filename().string().front() != '.') report.push_back(entry.path().string());
  CHECK(report.size() == 5);
  report.insert(report.end(), {"--markdown", w.root + "/tables/swept.md"});
  World::ok(trainer(report));
  CHECK(support::text_of_file(w.root + "/tables/swept.md")
            .find("safe-trainer report " + w.root + "/swept/* --markdown") != std::string::npos);
}

TEST_CASE(
    "a sweep lists its runs as their config.json names them, and takes no other pack than the one it is "
    "told") {
  const World& w = world();
  const std::string file = w.root + "/told.json";
  support::put_file(file,
                    R"({"run": {"num-epochs": 2, "train-batch-size": 6}, "seeds": [3, 4], "conditions": [
                        {"name": "plain", "variant": "no_retention"},
                        {"name": "KL, \"harder\" é", "variant": "no_retention", "kl-weight": 0.1}]})");
  const Finished list = trainer({"sweep", file, "--list"});
  World::ok(list);
  CHECK(list.out ==
        "0 3 \"plain\"\n"
        "1 3 \"KL, \\\"harder\\\" \\u00e9\"\n"
        "2 4 \"plain\"\n"
        "3 4 \"KL, \\\"harder\\\" \\u00e9\"\n");
  CHECK(trainer({"sweep", file, "--list", "--task", "0"}).code == 2);
  const auto one_of = [&](const std::string& id) {
    return trainer({"sweep", file, "--task", "3", "--pack-root", w.pack, "--pack-id", id, "--base",
                    w.base + "/vl", "--audio-encoder", w.base + "/audio", "--output-root", w.root + "/told"});
  };
  CHECK(one_of("no id").code == 2);
  CHECK(one_of(std::string(64, '0')).code == 1);
  CHECK(!fs::exists(w.root + "/told/.features"));
  World::ok(one_of(packer({"verify", w.pack}).out.substr(0, 64)));
  const std::string config = support::text_of_file(w.only_run("told") / "config.json");
  CHECK(config.find("\n  \"name\": \"KL, \\\"harder\\\" \\u00e9\",\n") != std::string::npos);
  CHECK(config.find("\n  \"seed\": 4,\n") != std::string::npos);
}

TEST_CASE("a report leads to its runs, and to nothing once a byte has changed") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "shown", {"--eval-audio-gate-comparison"})));
  const std::string run = w.only_run("shown").string(), page = w.root + "/report.html";
  World::ok(trainer({"report", run, "-o", page, "--pack", w.pack, "--markdown", w.root + "/RESULTS.md",
                     "--tensorboard", w.root + "/boards"}));
  const std::string text = support::text_of_file(page);
  CHECK(text.find("data:audio/") != std::string::npos);
  CHECK(support::text_of_file(w.root + "/RESULTS.md").find("safe-trainer report " + run) !=
        std::string::npos);
  CHECK(fs::exists(w.root + "/boards/" + fs::path(run).filename().string() + "/events.out.tfevents.0.safe"));
  World::ok(trainer({"verify-run", page, "--pack", w.pack}));
  support::put_file(w.root + "/changed.html", text + " ");
  CHECK(trainer({"verify-run", w.root + "/changed.html"}).code == 1);
  CHECK(trainer({"report", run, "--pack", w.pack}).code == 2);
  CHECK(trainer({"report", run, "-o", w.root + "/report.txt"}).code == 2);
}

TEST_CASE("a run that is asked to stop saves, and goes on to the bytes it would have had") {
  const World& w = world();
  const std::vector<std::string> more = {"--num-epochs", "95", "--checkpoint-every", "50"};  // 190 steps
  World::ok(trainer(w.run("soft_retention", "whole", more)));
  // In the background, stopped as soon as it has trained some steps.
  std::string command;
  for (const std::string& word : w.run("soft_retention", "parts", more))
    command += " " + support::quoted(word);
  const std::string script =
      "'" + k_bin + "/safe-trainer' --quiet" + command + " & pid=$!; for i in $(seq 600); do " + "n=$(cat '" +
      w.root +
      "'/parts/*/history.jsonl 2>/dev/null | wc -l); [ \"$n\" -ge 104 ] && break; sleep 0.05; done; " +
      "kill -TERM $pid; wait $pid";
  const Finished stopped = run_process({"bash", "-c", script});
  CAPTURE(stopped.err);
  REQUIRE(stopped.code == 75);
  CHECK_FALSE(fs::exists(w.only_run("parts") / "SHA256SUMS"));
  std::vector<std::string> again = w.run("soft_retention", "parts", more);
  again.emplace_back("--resume");
  World::ok(trainer(again));
  World::ok(trainer(again));  // of a finished run there is nothing left to do: only_run finds one
  for (const char* name :
       {"history.jsonl", "predictions.jsonl", "metrics.json", "checkpoints/adapter.safetensors"}) {
    CAPTURE(name);
    CHECK(support::text_of_file(w.only_run("whole") / name) ==
          support::text_of_file(w.only_run("parts") / name));
  }
}

TEST_CASE("a pack with one flipped byte is refused before anything trains, as a folder and as a tar") {
  const World& w = world();
  const std::string copy = w.root + "/copy/pack";
  fs::create_directories(w.root + "/copy");
  fs::copy(w.pack, copy, fs::copy_options::recursive);
  World::ok(packer({"archive", w.pack, "-o", w.root + "/pack.tar"}));
  const auto flip = [](const fs::path& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  };
  flip(copy + "/val_manifest.json", 30);
  for (const std::string& pack : {copy, w.root + "/pack.tar"}) {
    if (pack.ends_with(".tar")) {
      World::ok(trainer(w.run("no_retention", "from_tar", {"--pack-root", pack, "--num-epochs", "1"})));
      flip(pack, 700);
    }
    const Finished refused = trainer(w.run("no_retention", "refused", {"--pack-root", pack}));
    CAPTURE(refused.err);
    CHECK(refused.code == 1);
    CHECK_FALSE(fs::exists(w.root + "/refused"));
  }
}

TEST_CASE("a run that requires a signature reads nothing but a pack with that one") {
  const World& w = world();
  const std::string key = w.root + "/KEY", other = w.root + "/OTHER", pack = w.root + "/signed/pack";
  fs::create_directories(w.root + "/signed");
  fs::copy(w.pack, pack, fs::copy_options::recursive);
  World::ok(packer({"keygen", "-o", key + ".pem"}));
  World::ok(packer({"keygen", "-o", other + ".pem"}));
  const auto code = [&](const std::string& trusted, const std::string& root) {
    return trainer(w.run("no_retention", "signed_run",
                         {"--pack-root", root, "--num-epochs", "1", "--require-signature", trusted}))
        .code;
  };
  CHECK(code(key + ".pub.pem", pack) == 4);
  World::ok(packer({"sign", pack, "--key", key + ".pem"}));
  World::ok(packer({"archive", pack, "-o", w.root + "/signed.tar"}));
  for (const std::string& root : {pack, w.root + "/signed.tar"}) CHECK(code(other + ".pub.pem", root) == 4);
  CHECK(code(key + ".pem", pack) == 2);
  CHECK_FALSE(fs::exists(w.root + "/signed_run"));
  CHECK(code(key + ".pub.pem", pack) == 0);
  CHECK(code(key + ".pub.pem", w.root + "/signed.tar") == 0);
  CHECK(trainer(w.run("no_retention", "bad_source",
                      {"--train-source", "mock", "--val-source", "mock_vl", "--require-signature",
                       key + ".pub.pem"}))
            .code == 2);
}

TEST_CASE("sources that are no packs are built into one that the run keeps") {
  const World& w = world();
  for (const std::string source : {"mock", "audiocaps"}) {
    const std::string out = "from_" + source;
    const Finished finished = trainer(
        w.run("no_retention", out,
              {"--train-source", source, "--val-source", source == "mock" ? "mock_vl" : "vqa", "--data-path",
               w.root + "/data", "--subset-size", "6", "--val-size", "10", "--num-epochs", "1"}));
    World::ok(finished);
    CHECK(packer({"verify", (w.only_run(out) / "source_pack").string()}).code == 0);
    CHECK(trainer({"verify-run", w.only_run(out).string()}).code == 0);
  }
  // AudioCaps' table as JSONL, as the original's converter writes it.
  fs::create_directories(w.root + "/json_data/audiocaps");
  fs::create_directory_symlink(w.root + "/data/vqa", w.root + "/json_data/vqa");
  fs::create_directory_symlink(w.root + "/data/audiocaps/audio", w.root + "/json_data/audiocaps/audio");
  std::string lines;
  const common::Json subset = json_of(w.root + "/subset_manifest.json");
  for (const auto& clip : subset.at("entries"))
    lines += common::dump_line({{"id", clip.at("audiocap_id")},
                                {"ytid", clip.at("youtube_id")},
                                {"start_time", clip.at("start_time")},
                                {"caption", clip.at("caption")}}) +
             "\n";
  support::put_file(w.root + "/json_data/audiocaps/train.jsonl", lines);
  World::ok(
      trainer(w.run("no_retention", "from_jsonl",
                    {"--train-source", "audiocaps", "--val-source", "vqa", "--data-path",
                     w.root + "/json_data", "--subset-size", "6", "--val-size", "10", "--num-epochs", "1"})));
  // Training clips from the pack, questions from the tables.
  World::ok(trainer(w.run(
      "no_retention", "mixed",
      {"--val-source", "vqa", "--data-path", w.root + "/data", "--val-size", "10", "--num-epochs", "1"})));
  for (const std::string source : {"pack_audio", "pack_train_audio", "pack_mixed"})
    World::ok(trainer(
        w.run("no_retention", source, {"--val-source", source, "--val-size", "8", "--num-epochs", "1"})));
}

TEST_CASE("what cannot be meant or is not there gets one sentence and its exit code") {
  const World& w = world();
  const auto code = [](const std::vector<std::string>& arguments, const std::string& says) {
    const Finished finished = trainer(arguments);
    CAPTURE(finished.err);
    CHECK(finished.err.find(says) != std::string::npos);
    return finished.code;
  };
  CHECK(code({"run"}, "--variant") == 2);
  CHECK(code(w.run("some_safe", "bad"), "--variant") == 2);
  CHECK(code(w.run("full_safe", "bad", {"--frobnicate"}), "--frobnicate") == 2);
  CHECK(code({"run", "--variant", "full_safe", "--model-config", "full"}, "llava-1.5-13b") == 2);
  CHECK(code(w.run("full_safe", "bad", {"--pack-id", std::string(64, 'a')}), "expect") == 1);
  CHECK(code(w.run("full_safe", "bad", {"--pack-root", w.root + "/nothing"}), "nothing") == 3);
  CHECK(code(w.run("full_safe", "bad", {"--base", w.root + "/nobase"}), "make-base") == 3);
  CHECK_FALSE(fs::exists(w.root + "/bad"));
  CHECK(trainer({"--help"}).code == 0);
  CHECK(trainer({"run", "--help"}).code == 0);
}

#endif
