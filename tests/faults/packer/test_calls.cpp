// The n-th system call of build, archive and extract fails, for n = 1, 2, ... until a run is not struck; and
// SIGKILL at random ones. Whatever happened: the target is absent, the old one or complete; the exit code
// says 3 or the work was done; nothing half-written lies around; and the next run succeeds with the same id.
#include <cstdio>
#include <functional>
#include <random>

#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "tests/faults/packer/apart.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using faults::id_at;
using faults::k_killed;
using faults::run_apart;
using support::Fault;

// One verb with what it starts from: its target below `place`, where an old pack may stand.
struct Job {
  const char* name;
  fs::path place, target;
  std::optional<fs::path> old;  // what stands in the target's place before
  common::Digest old_id, new_id;
  std::function<void()> work;

  void reset() const {
    fs::remove_all(place);
    fs::create_directories(place);
    if (old) fs::copy(*old, target, fs::copy_options::recursive);
  }
  [[nodiscard]] bool has_leftovers() const {
    for (const auto& entry : fs::directory_iterator(place))
      if (entry.path() != target) return true;
    return false;
  }
  [[nodiscard]] bool is_new() const { return fs::exists(target) && id_at(target) == new_id; }
  // Absent where nothing was, or what was there, or the new one.
  [[nodiscard]] bool is_whole() const {
    if (!fs::exists(target)) return !old;
    const auto id = id_at(target);
    return id == new_id || (old && id == old_id);
  }
};

// What stays the same for all: two packs of one name with different content, and archives of the new one.
struct Setting {
  support::Scratch scratch;
  packer::BuildRequest request;
  fs::path old_pack, new_pack;
  common::Digest old_id, new_id;

  Setting() {
    request = support::small_sources(scratch.path());
    request.threads = 1;
    const packer::BuildSummary built = packer::build_pack(request);
    new_id = built.id;
    new_pack = scratch / "new";
    fs::rename(built.location, new_pack);
    for (const char* form : {"new.tar", "new.tgz", "new.tar.zst"})
      (void)packer::archive({new_pack, scratch / form, 1, common::Verbosity::quiet});
    packer::BuildRequest other = request;
    other.audio_val_manifest.reset();
    const packer::BuildSummary old = packer::build_pack(other);
    old_id = old.id;
    old_pack = scratch / "old";
    fs::rename(old.location, old_pack);
    (void)packer::archive({old_pack, scratch / "old.tar", 1, common::Verbosity::quiet});
  }

  [[nodiscard]] Job job(const char* name, const char* target, std::optional<fs::path> old) const {
    const fs::path place = scratch / "place";
    return {name, place, place / target, std::move(old), old_id, new_id, {}};
  }
  [[nodiscard]] std::vector<Job> jobs() const {
    std::vector<Job> jobs;
    for (const bool replaces : {false, true}) {
      const auto old = [&](const fs::path& path) { return replaces ? std::optional(path) : std::nullopt; };
      jobs.push_back(job("build", "data_pack", old(old_pack)));
      jobs.back().work = [r = request, to = jobs.back().target]() mutable {
        r.dest_root = to;
        (void)packer::build_pack(r);
      };
      jobs.push_back(job("archive .tar", "x.tar", old(scratch / "old.tar")));
      jobs.push_back(job("extract .tgz", "data_pack", old(old_pack)));
      jobs.back().work = [from = scratch / "new.tgz", to = jobs.back().target] {
        (void)packer::extract({from, to, {}, 1, common::Verbosity::quiet});
      };
    }
    jobs.push_back(job("archive .tar.zst", "x.tar.zst", {}));
    for (Job& each : jobs)
      if (!each.work)
        each.work = [from = new_pack, to = each.target] {
          (void)packer::archive({from, to, 1, common::Verbosity::quiet});
        };
    return jobs;
  }
};

// Judges one struck run and the run after it.
void judge(const Job& job, const fs::path& root, Fault fault, std::uint64_t at, int code) {
  const support::CallCount calls = support::count_calls();
  CAPTURE(std::string(job.name));
  CAPTURE(at);
  CAPTURE(std::string(calls.name));
  CAPTURE(code);
  CHECK(job.is_whole());
  if (fault == Fault::interrupted || fault == Fault::cut_short) CHECK(code == 0);
  if (code == 0)
    CHECK(job.is_new());
  else
    CHECK(code == (fault == Fault::killed ? k_killed : 3));
  // What a kill leaves, the next run clears; an old pack that could not be removed behind the new one
  // likewise.
  if (code != k_killed && !job.is_new()) CHECK_FALSE(job.has_leftovers());
  CHECK(run_apart(root, Fault::none, 0, job.work) == 0);
  CHECK(job.is_new());
  CHECK_FALSE(job.has_leftovers());
}

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::error:
      return "EIO";
    case Fault::full:
      return "ENOSPC";
    case Fault::interrupted:
      return "EINTR";
    case Fault::cut_short:
      return "short";
    default:
      return "SIGKILL";
  }
}

}  // namespace

TEST_CASE("whichever system call fails, the target is old, absent or complete and the next run succeeds") {
  const Setting setting;
  for (const Fault fault : {Fault::error, Fault::full, Fault::interrupted, Fault::cut_short})
    for (const Job& job : setting.jobs()) {
      std::uint64_t at = 0, refused = 0;
      for (;;) {
        job.reset();
        const int code = run_apart(setting.scratch.path(), fault, ++at, job.work);
        if (!support::count_calls().struck) {
          CHECK(code == 0);
          CHECK(job.is_new());
          break;
        }
        refused += code != 0 ? 1 : 0;
        judge(job, setting.scratch.path(), fault, at, code);
      }
      std::printf("%s%s: %s at each of %llu calls, %llu refused\n", job.name,
                  job.old ? " over an old one" : "", name_of(fault), static_cast<unsigned long long>(at - 1),
                  static_cast<unsigned long long>(refused));
    }
}

TEST_CASE("a kill at any moment leaves the target old, absent or complete, and the next run succeeds") {
  constexpr unsigned k_seed = 20240501;
  constexpr int k_kills = 30;  // a job; there are seven
  const Setting setting;
  std::mt19937 random(k_seed);
  int cases = 0;
  for (const Job& job : setting.jobs()) {
    job.reset();
    REQUIRE(run_apart(setting.scratch.path(), Fault::killed, 0, job.work) == 0);  // counts, strikes none
    const std::uint64_t calls = support::count_calls().eligible;
    for (int i = 0; i < k_kills; ++i) {
      job.reset();
      const std::uint64_t at = 1 + random() % calls;
      judge(job, setting.scratch.path(), Fault::killed, at,
            run_apart(setting.scratch.path(), Fault::killed, at, job.work));
      ++cases;
    }
  }
  std::printf("SIGKILL: %d moments of build, archive and extract, seed %u\n", cases, k_seed);
}

TEST_CASE(
    "wherever it is killed, a mount point that is filled is no pack or the whole one, and the next run ends "
    "it") {
  const Setting setting;
  support::mount_at("mounted");
  const fs::path target = setting.scratch / "place" / "mounted";
  const auto extract = [&] {
    (void)packer::extract({setting.scratch / "new.tgz", target, {}, 1, common::Verbosity::quiet});
  };
  std::uint64_t at = 0, half = 0;
  for (;;) {
    fs::remove_all(target);
    fs::create_directories(target);
    const int code = run_apart(setting.scratch.path(), Fault::killed, ++at, extract);
    const support::CallCount calls = support::count_calls();
    CAPTURE(at);
    CAPTURE(std::string(calls.name));
    const auto id = id_at(target);
    CHECK((!id || id == setting.new_id));
    CHECK((code == k_killed || id == setting.new_id));
    const bool has_seal = fs::exists(target / "SHA256SUMS");
    half += !has_seal && fs::exists(target / "audio") ? 1 : 0;
    const int next = run_apart(setting.scratch.path(), Fault::none, 0, extract);
    CHECK((next == 0 || (next == 2 && has_seal)));
    CHECK(id_at(target) == setting.new_id);
    if (!calls.struck) break;
  }
  support::mount_at("");
  CHECK(half > 2);
  std::printf("SIGKILL: each of %llu calls of an extraction into a mount point\n",
              static_cast<unsigned long long>(at - 1));
}
