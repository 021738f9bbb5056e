// Compiled with -mavx2: called only where the processor has it.
#include "common/digest_avx2.hpp"

#if defined(__x86_64__)
#include "common/digest_kernel.hpp"

namespace common {

void compress_avx2(std::uint32_t* const* states, const std::uint8_t* const* messages, std::size_t blocks) {
  using Words [[gnu::vector_size(32)]] = std::uint32_t;
  using Octets [[gnu::vector_size(32)]] = std::uint8_t;
  Kernel<Words, Octets>::run(states, messages, blocks);
}

}  // namespace common
#endif
