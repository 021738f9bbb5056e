#include "tests/support/call_record.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace support {
namespace {

struct Shared {
  std::atomic<std::uint64_t> eligible{0};
  std::atomic<bool> struck{false};
  bool struck_removing = false;
  char name[16] = {};
};

// Fixed storage only: these functions run before any constructor and inside any library.
constexpr int k_descriptor_limit = 4096;
bool g_tracked[k_descriptor_limit];
DIR* g_folders[64];
char g_root[4096];
Fault g_fault = Fault::none;
std::uint64_t g_at = 0;

Lacks g_lacks = Lacks::nothing;
unsigned g_mode_of_all = 0;
char g_mounted[64] = {};
char g_refused[32] = {};
int g_refused_code = 0;
std::function<void()> g_action;
std::optional<unsigned> g_shuffle;  // the seed
struct Entries {
  std::vector<struct dirent> left;
  struct dirent current;
};
std::map<DIR*, Entries> g_shuffled;

Shared& shared() {
  static auto* const k_shared = [] {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    return new (memory) Shared;
  }();
  return *k_shared;
}

bool eligible(Does does) {
  switch (g_fault) {
    case Fault::error:
    case Fault::killed:
    case Fault::changed:
      return true;
    case Fault::full:
      return does == Does::take_room;
    case Fault::interrupted:
    case Fault::cut_short:
      return does == Does::move_bytes;
    case Fault::none:
      return false;
  }
  return false;
}

}  // namespace

bool tracked(const char* path) {
  return g_fault != Fault::none && path != nullptr && std::strncmp(path, g_root, std::strlen(g_root)) == 0;
}
bool tracked(int descriptor) {
  return g_fault != Fault::none && descriptor >= 0 && descriptor < k_descriptor_limit &&
         g_tracked[descriptor];
}
bool tracked(DIR* folder) {
  return g_fault != Fault::none &&
         std::find(std::begin(g_folders), std::end(g_folders), folder) != std::end(g_folders);
}
int track(int descriptor, bool is_tracked) {
  if (descriptor >= 0 && descriptor < k_descriptor_limit) g_tracked[descriptor] = is_tracked;
  return descriptor;
}
DIR* track(DIR* folder, bool is_tracked) {
  if (folder == nullptr || !is_tracked) return folder;
  if (DIR** const free = std::find(std::begin(g_folders), std::end(g_folders), nullptr);
      free != std::end(g_folders))
    *free = folder;
  return folder;
}

bool strikes(const char* name, Does does) {
  if (!eligible(does)) return false;
  const std::uint64_t number = shared().eligible.fetch_add(1) + 1;
  if (number != g_at && !(g_fault == Fault::full && number > g_at)) return false;
  if (!shared().struck.exchange(true)) {
    std::snprintf(shared().name, sizeof shared().name, "%s", name);
    shared().struck_removing = does == Does::remove;
  }
  if (g_fault == Fault::killed) ::kill(::getpid(), SIGKILL);
  if (g_fault == Fault::changed) {
    g_fault = Fault::none;  // the action's own calls pass through
    g_action();
    return false;
  }
  errno = g_fault == Fault::full ? ENOSPC : g_fault == Fault::interrupted ? EINTR : EIO;
  return true;
}
Does writing() { return g_fault == Fault::full ? Does::take_room : Does::move_bytes; }

ssize_t allowed(const char* name, Does does, std::size_t size) {
  if (!strikes(name, does)) return static_cast<ssize_t>(size);
  return g_fault == Fault::cut_short ? static_cast<ssize_t>((size + 1) / 2) : -1;
}

bool refuses(const char* name) {
  if (g_refused_code == 0 || std::strcmp(g_refused, name) != 0) return false;
  errno = g_refused_code;
  return true;
}
void forget(DIR* folder) {
  if (g_shuffle) g_shuffled.erase(folder);
  std::replace(std::begin(g_folders), std::end(g_folders), folder, static_cast<DIR*>(nullptr));
}

bool lacks(Lacks what) { return g_lacks == what; }

unsigned mode_of_all() { return g_mode_of_all; }

bool is_mounted(const char* name) { return g_mounted[0] != '\0' && std::strcmp(g_mounted, name) == 0; }

// The next of all entries, which are read when the first is asked for.
struct dirent* next_entry(DIR* folder, struct dirent* (*read)(DIR*)) {
  if (!g_shuffle) return read(folder);
  const auto [at, is_new] = g_shuffled.try_emplace(folder);
  Entries& entries = at->second;
  if (is_new) {
    while (const struct dirent* entry = read(folder)) entries.left.push_back(*entry);
    std::mt19937 random(*g_shuffle);
    std::shuffle(entries.left.begin(), entries.left.end(), random);
  }
  if (entries.left.empty()) return nullptr;
  entries.current = entries.left.back();
  entries.left.pop_back();
  return &entries.current;
}

void arm(const std::string& root, Fault fault, std::uint64_t at) {
  std::snprintf(g_root, sizeof g_root, "%s", root.c_str());
  Shared& counts = shared();
  counts.eligible = 0;
  counts.struck = false;
  counts.struck_removing = false;
  counts.name[0] = '\0';
  g_at = at;
  g_fault = fault;
}

void disarm() { g_fault = Fault::none; }

void before_call(std::function<void()> action) { g_action = std::move(action); }

void mount_at(const std::string& name) { std::snprintf(g_mounted, sizeof g_mounted, "%s", name.c_str()); }

void make_lack(Lacks lacks) { g_lacks = lacks; }

void refuse_call(const std::string& name, int code) {
  std::snprintf(g_refused, sizeof g_refused, "%s", name.c_str());
  g_refused_code = code;
}

void give_every_file_mode(unsigned mode) { g_mode_of_all = mode; }

void shuffle_folders(unsigned seed) { g_shuffle = seed; }

CallCount count_calls() {
  CallCount count;
  count.eligible = shared().eligible;
  count.struck = shared().struck;
  count.struck_removing = shared().struck_removing;
  std::memcpy(count.name, shared().name, sizeof count.name);
  return count;
}

}  // namespace support
