#include "trainer/results/run_directory.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/results/run_seal.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

namespace {

const common::Digest k_config = common::digest_of("a configuration");
// 2026-01-02 03:04:05 UTC.
const auto k_now = std::chrono::system_clock::from_time_t(1767323045);

common::Json config_of(const common::Digest& digest = k_config) {
  return {{"variant", "full_safe"}, {"config_digest", digest.hex()}, {"seed", 42}};
}

common::Json step(int number) { return {{"step", number}, {"loss", 0.5}}; }

RunDirectory finished_run(const fs::path& root) {
  RunDirectory run = RunDirectory::create(root, "full_safe", k_config, k_now);
  run.write_config(config_of());
  run.write_metrics(Metrics{});
  run.write_subset_indices({0, 1, 2});
  run.write_timings(common::Json::object());
  run.write_predictions({});
  run.history().append(step(1));
  common::write_file(run.checkpoints() / "adapter.safetensors", "weights");
  return run;
}

}  // namespace

TEST_CASE("a run's folder is named by UTC time, variant and configuration") {
  const support::Scratch scratch;
  const RunDirectory run = RunDirectory::create(scratch / "a/b", "full_safe", k_config, k_now);
  CHECK(run.path().filename() == "20260102_030405_full_safe_" + k_config.hex().substr(0, 6));
  CHECK(fs::is_directory(run.checkpoints()));
}

TEST_CASE("runs of one second and one configuration never share a folder") {
  const support::Scratch scratch;
  std::set<fs::path> paths;
  for (int i = 0; i < 20; ++i)
    paths.insert(RunDirectory::create(scratch.path(), "full_safe", k_config, k_now).path());
  CHECK(paths.size() == 20);
}

TEST_CASE("a variant that would leave the output root is refused") {
  const support::Scratch scratch;
  for (const char* variant : {"", "../x", "a/b", "a b", "."})
    CHECK_THROWS_AS((void)RunDirectory::create(scratch.path(), variant, k_config, k_now), common::Error);
  CHECK(fs::is_empty(scratch.path()));
}

TEST_CASE("files are the JSON that the original writes") {
  const support::Scratch scratch;
  RunDirectory run = finished_run(scratch.path());
  CHECK(support::text_of_file(run.path() / "subset_indices.json") == "[\n  0,\n  1,\n  2\n]");
  CHECK(support::text_of_file(run.path() / "history.jsonl") == "{\"step\": 1, \"loss\": 0.5}\n");
  run.write_subset_indices({});
  CHECK(support::text_of_file(run.path() / "subset_indices.json") == "[]");
}

TEST_CASE("history continues where it was, without the line that a kill cut off") {
  const support::Scratch scratch;
  const common::Folder folder = common::Folder::open(scratch.path());
  const fs::path path = scratch / "history.jsonl";
  JsonLines(folder, "history.jsonl").append(step(1));
  support::put_file(path, support::text_of_file(path) + "{\"step\": 2, \"lo");
  JsonLines(folder, "history.jsonl").append(step(2));
  CHECK(support::text_of_file(path) == common::dump_line(step(1)) + "\n" + common::dump_line(step(2)) + "\n");
}

TEST_CASE("on resume the history beyond what was saved goes") {
  const support::Scratch scratch;
  RunDirectory run = RunDirectory::create(scratch.path(), "full_safe", k_config, k_now);
  const auto append = [&](int from, int to) {
    JsonLines history = run.history();
    for (int i = from; i <= to; ++i) history.append(step(i));
    return history.save();
  };
  const common::FileDigest third = append(1, 3);
  const common::FileDigest fifth = append(4, 5);
  const std::string whole = run.read_history();
  CHECK(fifth.size == whole.size());
  CHECK(fifth.digest == common::digest_of(whole));
  run.cut_history(fifth.size);
  CHECK(run.read_history() == whole);
  run.cut_history(third.size);
  CHECK(common::digest_of(run.read_history()) == third.digest);
  (void)append(4, 5);
  CHECK(run.read_history() == whole);
  CHECK_THROWS_WITH_AS(run.cut_history(whole.size() + 1), doctest::Contains("start again"), common::Error);
  CHECK(run.read_history() == whole);
  run.cut_history(0);
  CHECK(run.read_history().empty());
}

TEST_CASE("resuming opens an unfinished run, sweeps its drafts, and gives nothing where one is sealed") {
  const support::Scratch scratch;
  const fs::path path = finished_run(scratch.path()).path();
  support::put_file(path / "checkpoints/.adapter.safetensors.draft", "half");
  support::put_file(path / ".config.json.draft", "half");
  const auto run = RunDirectory::open_unfinished(path);
  REQUIRE(run.has_value());
  CHECK(run->path() == path);
  CHECK_FALSE(fs::exists(path / "checkpoints/.adapter.safetensors.draft"));
  CHECK_FALSE(fs::exists(path / ".config.json.draft"));
  seal_run(path);
  CHECK_THROWS_AS((void)RunDirectory::open_unfinished(scratch / "nothing"), common::Error);
}

TEST_CASE("a sealed run is not opened to be written") {
  const support::Scratch scratch;
  const fs::path path = finished_run(scratch.path()).path();
  seal_run(path);
  CHECK_FALSE(RunDirectory::open_unfinished(path).has_value());
}

TEST_CASE("one at a time works on a run, and the second is told who does") {
  const support::Scratch scratch;
  std::optional<RunDirectory> first = RunDirectory::create(scratch.path(), "full_safe", k_config, k_now);
  first->write_config(config_of());
  first->history().append(step(1));
  const fs::path path = first->path();
  const auto refused = [&] {
    try {
      (void)RunDirectory::open_unfinished(path);
      return std::string();
    } catch (const common::Error& error) {
      CHECK(error.kind() == common::ErrorKind::io);
      return std::string(error.what());
    }
  };
  CHECK(refused().find("in use by process " + std::to_string(::getpid())) != std::string::npos);
  RunDirectory moved = *std::move(first);
  first.reset();
  CHECK(refused().find("in use") != std::string::npos);
  CHECK(moved.read_history() == common::dump_line(step(1)) + "\n");
  { const RunDirectory gone = std::move(moved); }
  std::optional<RunDirectory> second = RunDirectory::open_unfinished(path);
  REQUIRE(second.has_value());
  CHECK(refused().find("in use") != std::string::npos);
}

TEST_CASE("a run that was killed can be gone on with, and leaves no lock") {
  const support::Scratch scratch;
  const pid_t child = ::fork();
  if (child == 0) {
    RunDirectory run = RunDirectory::create(scratch.path(), "full_safe", k_config, k_now);
    run.write_config(config_of());
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  const auto found = find_run(scratch.path(), "full_safe", k_config);
  REQUIRE(found.has_value());
  CHECK(RunDirectory::open_unfinished(*found).has_value());
  CHECK(std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("the run to resume is the newest unfinished one of the same variant and configuration") {
  const support::Scratch scratch;
  const common::Digest another = common::digest_of("another configuration");
  const auto make = [&](int seconds, const common::Digest& config) {
    RunDirectory run =
        RunDirectory::create(scratch.path(), "full_safe", config, k_now + std::chrono::seconds(seconds));
    run.write_config(config_of(config));
    return run;
  };
  CHECK_FALSE(find_run(scratch / "nothing", "full_safe", k_config).has_value());
  make(0, k_config);
  const fs::path newer = make(5, k_config).path();
  make(9, another);
  (void)RunDirectory::create(scratch.path(), "full_safe", k_config, k_now + std::chrono::seconds(20));
  CHECK(find_run(scratch.path(), "full_safe", k_config) == newer);
  CHECK_FALSE(find_run(scratch.path(), "no_retention", k_config).has_value());
  CHECK_FALSE(is_finished(newer));
  support::put_file(newer / k_sums_name, "");
  CHECK(find_run(scratch.path(), "full_safe", k_config) == newer);
  CHECK(is_finished(newer));
}

TEST_CASE("of a run that two jobs began, the one is resumed that nobody writes") {
  const support::Scratch scratch;
  std::vector<std::optional<RunDirectory>> runs;
  std::vector<fs::path> paths;
  for (const int seconds : {0, 5}) {
    runs.emplace_back(
        RunDirectory::create(scratch.path(), "full_safe", k_config, k_now + std::chrono::seconds(seconds)));
    runs.back()->write_config(config_of());
    paths.push_back(runs.back()->path());
  }
  const auto found = [&] { return find_run(scratch.path(), "full_safe", k_config); };
  CHECK(found() == paths[1]);  // both are written: the newest says so
  runs[0].reset();
  CHECK(found() == paths[0]);
  runs[1].reset();
  CHECK(found() == paths[1]);
  const auto entries = std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator());
  CHECK(entries == 2);  // and no lock is left
}
