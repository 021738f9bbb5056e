// OpenBLAS takes 128 MiB of address space for each thread when it is loaded, and one more at its first
// product; where the limit (ulimit -v) does not give them, it tries again for ever (measured with 0.3.21).
#pragma once

#include <cstdint>

namespace trainer {

// What libraries and a small run take beyond what is mapped when the program starts.
[[nodiscard]] std::uint64_t needed_address_space_bytes(std::uint64_t threads);

// Ends the program with a sentence and code 3 where the limit gives less. To be called before any library's
// own code has run, from the program's .preinit_array; so it uses nothing that one of them makes ready.
void require_address_space(int count, char** words, char** environment);

}  // namespace trainer
