// The verbs of safe-trainer. Each is added to the program with its flags; parsing touches no file.
#pragma once

#include <functional>

#include "common/cli/program.hpp"
#include "trainer/run/run.hpp"

namespace trainer {

void add_make_base(common::Program& program);
// Shows what a model makes of one input.
void add_inspect(common::Program& program);
void add_run(common::Program& program);
// What a run would take.
void add_plan(common::Program& program);
void add_sweep(common::Program& program);
// Judges a finished run again.
void add_evaluate(common::Program& program);

// What the device's own exceptions say, in a sentence with a remedy.
int on_device(const std::function<int()>& work);

// How run and evaluate end: prints the digest and the directory, or one JSON object, and says the next
// command.
void print_run(const RunResult& result, const common::CommonFlags& flags);

// Words about exit codes that several verbs share.
inline constexpr const char* k_io = "I/O error: missing, unreadable, or no space left";
inline constexpr const char* k_unsigned = "a signature was required, and is absent or wrong";
inline constexpr const char* k_stopped = "asked to stop; saved, and the same command with --resume goes on";
inline constexpr const char* k_interrupted = "interrupted before anything could be saved";

}  // namespace trainer
