#include "trainer/run/workplace.hpp"

#include <string>

#include "common/error.hpp"
#include "common/sealed/draft.hpp"
#include "common/sealed/lock.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_prefix = ".source-";
constexpr std::size_t k_random_digits = 16;

bool is_workplace(std::string_view name) {
  return name.size() == k_prefix.size() + k_random_digits && name.starts_with(k_prefix) &&
         name.find_first_not_of("0123456789abcdef", k_prefix.size()) == std::string_view::npos;
}

// Where its lock can be had and it belongs to this user, nobody works in it any more.
void remove_abandoned(const common::Folder& root, const std::string& name) {
  try {
    const common::Lock lock(root, name);
    if (root.look(name)) (void)common::open_work_folder(root, name);
    root.remove(name);
  } catch (const common::Error&) {  // in use, or another user's
  }
}

void remove_abandoned(const fs::path& output_root) {
  if (!fs::is_directory(output_root)) return;
  const common::Folder root = common::Folder::open(output_root);
  for (const common::Entry& entry : root.walk(1)) {
    if (is_workplace(entry.path)) remove_abandoned(root, entry.path);
    // A lock alone: killed before the folder was made, or behind its removal.
    const std::string name = entry.path.substr(1, k_prefix.size() + k_random_digits);
    if (is_workplace(name) && entry.path == common::Lock::file_of(name)) remove_abandoned(root, name);
  }
}

}  // namespace

struct Workplace::State {
  common::Folder root;
  std::string name;
  common::Lock lock;
  common::Folder folder;

  State(common::Folder output_root, std::string own_name)
      : root(std::move(output_root)),
        name(std::move(own_name)),
        lock(root, name, common::Patience::short_wait),  // a sweep may just try it
        folder(common::open_work_folder(root, name).folder) {}
};

Workplace::Workplace(fs::path output_root) : output_root_(std::move(output_root)) {
  remove_abandoned(output_root_);
}

Workplace::~Workplace() {
  if (!state_) return;
  try {
    state_->root.remove(state_->name);
  } catch (const common::Error&) {  // the next run removes it
  }
}

const common::Folder& Workplace::folder() {
  if (!state_) {
    fs::create_directories(output_root_);
    state_ = std::make_unique<State>(common::Folder::open(output_root_),
                                     std::string(k_prefix) + common::random_name());
  }
  return state_->folder;
}

}  // namespace trainer
