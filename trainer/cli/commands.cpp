#include "trainer/cli/commands.hpp"

#include <c10/util/Exception.h>
#include <string>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"

namespace trainer {

int on_device(const std::function<int()>& work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError& error) {
    throw common::Error(
        common::ErrorKind::io,
        std::string("out of GPU memory: ") + error.what_without_backtrace() +
            "; use a smaller --micro-batch-size or --val-batch-size, --dtype bfloat16, --device cpu or a "
            "smaller base (safe-trainer plan has the numbers)");
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    if (what.find("DefaultCPUAllocator") == std::string::npos) throw;
    throw common::Error(
        common::ErrorKind::io,
        "out of memory: " + what.substr(what.find("DefaultCPUAllocator")) +
            "; use --dtype bfloat16, a smaller --val-batch-size, a smaller base or a machine with more "
            "(safe-trainer plan has the numbers)");
  }
}

void print_run(const RunResult& result, const common::CommonFlags& flags) {
  const std::string directory = result.directory.string(), digest = result.digest.hex();
  if (flags.json)
    common::print_json({{"run", directory}, {"digest", digest}, {"metrics", to_json(result.metrics)}},
                       common::JsonLayout::line);
  else
    common::print_line(stdout, digest + "  " + directory);
  common::say_next(flags, {"safe-trainer", "report", directory});
}

}  // namespace trainer
