// One work queue over indices. Results are written by index, so they never depend on the number of threads.
#pragma once

#include <cstddef>
#include <functional>

namespace common {

enum class StopSignals { obey, leave };  // leave: the caller looks at stop_requested() itself

// Calls work(i) for every i in [0, count) on up to `threads` threads (0: as many as the machine has). The
// first exception stops the handing out of further indices and is thrown here; a signal to stop does likewise
// where it is obeyed.
void parallel_for(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work,
                  StopSignals signals = StopSignals::obey);

// `asked`, or the number of processors this process may use where asked is 0.
[[nodiscard]] unsigned thread_count(unsigned asked);

}  // namespace common
