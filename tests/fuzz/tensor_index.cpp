// model.safetensors.index.json: what is accepted names files of the same folder only.
#include "tests/fuzz/fuzz.hpp"
#include "trainer/formats/safetensors_header.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::may_refuse([&] {
    for (const auto& [tensor, file] : trainer::parse_weight_map(fuzz::text_of(data, size), "index"))
      ENSURE(!file.empty() && file.find('/') == std::string::npos && file.front() != '.');
  });
  return 0;
}
