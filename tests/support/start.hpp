// A program that runs beside the test, to be signalled.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace support {

// Its exit status is to be waited for. Signals act on it as usual, also where the tests run under nohup.
inline pid_t start(std::vector<std::string> command, const std::string& out = "/dev/null",
                   const std::string& err = "/dev/null") {
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) ::signal(signal, SIG_DFL);
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

}  // namespace support
