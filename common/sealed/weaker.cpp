#include "common/sealed/weaker.hpp"

#include <cstdio>
#include <string>

#include "common/terminal.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

void warn(const std::string& sentence) { print_line(stderr, "warning: " + sentence); }

}  // namespace

void warn_of_held_file(const fs::path& held) {
  warn("file locks have no effect on this file system, so " + held.string() +
       " stands for one; if this process is killed, another machine finds it there: remove it then");
}

void warn_of_no_sync(const fs::path& what) {
  warn(what.string() +
       " is in its place and whole, but this file system cannot sync it to the disk, so a power cut may lose "
       "it; check it after one");
}

void warn_of_modes(const fs::path& what) {
  warn("this file system refuses modes, so files and folders of " + what.string() +
       " keep those that it gives instead of 0644 and 0755; see that nobody else can write there");
}

void warn_of_two_steps(const fs::path& what) {
  warn(what.string() +
       " is replaced in two steps, since this file system cannot do it in one; a crash between them leaves "
       "nothing or a part of the old one there, until the same command is run again");
}

void warn_of_mount_point(const fs::path& what) {
  warn(what.string() +
       " is a mount point, so files are moved up into it one by one, SHA256SUMS last; a crash before that "
       "leaves a part there, until the same command is run again");
}

}  // namespace common
