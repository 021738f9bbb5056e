// What scripts/overfitting_test.sh meets: a stand-in for safe-trainer, and stand-ins for SLURM's commands.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

namespace support {

namespace fs = std::filesystem;

inline void put_program(const fs::path& path, const std::string& body) {
  put_file(path, "#!/usr/bin/env bash\n" + body);
  fs::permissions(path, fs::perms::owner_all);
}

// A working directory with a pack, a trainer that notes its arguments and exits as codes/<variant> says, and
// the helper's own environment, nothing of the caller's.
struct Cluster {
  Scratch scratch;

  Cluster() {
    fs::create_directories(scratch / "experiments/overfitting/data_pack");
    fs::create_directories(scratch / "bin");
    fs::create_directories(scratch / "codes");
    put_program(scratch / "bin/safe-trainer",
                "printf '%s ' \"$@\" >> calls; echo >> calls\n"
                "if [[ $* == *--list ]]; then echo '0 1 \"plain\"'; echo '1 2 \"KL, harder\"'; exit; fi\n"
                "if [[ -e codes/save ]]; then date +%N > \"$(cat codes/save)\"; fi\n"
                "if [[ -e codes/hold ]]; then trap 'exit $(cat codes/hold)' TERM; touch holds; for ((;;)); "
                "do sleep 0.01; done; fi\n"
                "if [[ -e codes/wait ]]; then trap 'exit 75' TERM; kill -TERM $PPID; for ((;;)); do sleep "
                "0.01; done; fi\n"
                "exit \"$(cat \"codes/$3\" 2>/dev/null || echo 0)\"\n");
    // The step that listens; where the test says so it hears a TERM, once the trainer or the packer is at
    // work, or does not start.
    put_program(scratch / "bin/srun",
                "echo srun \"$@\" >> calls\n"
                "if [[ -e codes/deaf ]]; then cat codes/deaf >&2; exit 1; fi\n"
                "if [[ -e codes/term ]]; then until [[ -e holds ]]; do sleep 0.01; done; exit 143; fi\n"
                "while kill -0 \"${@: -1}\"; do sleep 0.01; done\n");
    put_program(scratch / "bin/scontrol", "echo scontrol \"$@\" >> calls\n");
    put_program(scratch / "bin/squeue", "echo squeue >> calls\ncat codes/state\n");
    put_program(scratch / "bin/sleep", "[[ $1 == 0.01 ]] || exit 0\nexec /bin/sleep $1\n");
    put_program(scratch / "bin/safe-packer",
                "echo safe-packer \"$@\" >> calls\n"
                "case $* in\n"
                "  list*) echo '  \"id\": \"abc\",' ;;\n"
                "  *verify*) exit \"$(cat codes/verify)\" ;;\n"
                "  *archive*) if [[ -e codes/slow ]]; then echo $$ > packer; touch holds; exec /bin/sleep "
                "100; fi ;;\n"
                "  *extract*) cat; mkdir -p \"$5\"; exit \"$(cat codes/extract 2>/dev/null || echo 0)\" ;;\n"
                "esac\n");
  }

  Finished run(std::vector<std::string> environment, const std::vector<std::string>& flags = {}) const {
    std::vector<std::string> command = {"env", "-i", "PATH=" + (scratch / "bin").string() + ":/usr/bin:/bin"};
    command.insert(command.end(), environment.begin(), environment.end());
    command.insert(command.end(), {"bash", SAFE_SOURCE_DIR "/scripts/overfitting_test.sh"});
    command.insert(command.end(), flags.begin(), flags.end());
    return run_process(command, scratch.path());
  }
  void set(const std::string& what, const std::string& text) const {
    put_file(scratch / "codes" / what, text);
  }
  [[nodiscard]] std::string calls() const { return text_of_file(scratch / "calls"); }
};

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace support
