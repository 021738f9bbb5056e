// The header of a checkpoint, and what it says of its run: what is accepted is read again as it is written.
#include "trainer/results/checkpoint_facts.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "trainer/formats/safetensors_header.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::may_refuse([&] {
    const auto header = trainer::parse_safetensors_header({data, size}, size, "last.safetensors");
    const auto facts = trainer::parse_checkpoint_facts(header.metadata, "last.safetensors");
    const auto again = trainer::parse_checkpoint_facts(trainer::format_checkpoint_facts(facts), "again");
    ENSURE(again.step == facts.step && again.history_bytes == facts.history_bytes && facts.step >= 0);
  });
  return 0;
}
