#include "trainer/run/run_costs.hpp"

#include <algorithm>

namespace trainer {
namespace {

std::uint64_t layer_parameters(const DecoderConfig& c) {
  return product_of({c.hidden, (2 * c.heads + 2 * c.kv_heads) * c.head_width}) +
         3 * product_of({c.hidden, c.intermediate});
}

struct AdapterParameters {
  std::uint64_t trained = 0, frozen = 0;
};

AdapterParameters adapter_parameters(const RunConfig& config) {
  const std::int64_t width = config.fusion.width, rank = config.fusion.rank;
  const auto blocks = static_cast<std::uint64_t>(config.fusion.layers.size());
  const std::uint64_t square = product_of({width, width});
  AdapterParameters count;
  count.trained = product_of({config.projector.bottleneck, config.projector.audio_width}) +
                  product_of({config.projector.tokens * width, config.projector.bottleneck}) +
                  blocks * square;  // the gates
  count.trained += blocks * (rank == 0 ? 4 * square : 4 * 2 * product_of({rank, width}));
  if (rank > 0) count.frozen = blocks * 3 * square;
  return count;
}

// What the gradient of the layers above the first fused one keeps of a row (decoder.hpp, LayerTrace).
std::uint64_t trace_bytes(const DecoderConfig& c, std::int64_t layers, const RowShape& shape,
                          std::uint64_t size) {
  const std::int64_t numbers = 2 * c.hidden + (c.heads + 2 * c.kv_heads) * c.head_width + 2 * c.intermediate;
  return product_of({layers, shape.own}) * static_cast<std::uint64_t>(numbers) * size +
         product_of({layers, c.heads, shape.own, shape.prefix + shape.own}) * k_float32_bytes;
}

// Logits, their softmax, the teacher's and the gradient of each.
std::uint64_t vocabulary_bytes(const DecoderConfig& c, std::int64_t positions) {
  return product_of({8, positions, c.vocabulary}) * k_float32_bytes;
}

}  // namespace

std::uint64_t bytes_of(torch::Dtype dtype) { return dtype == torch::kBFloat16 ? 2 : k_float32_bytes; }

std::uint64_t product_of(std::initializer_list<std::int64_t> sides) {
  std::uint64_t product = 1;
  for (const std::int64_t side : sides) product *= static_cast<std::uint64_t>(side);
  return product;
}

MechanismNeeds retention_needs(const RunConfig& config) {
  MechanismNeeds sum{.questions = 0};
  for (const MechanismEntry& mechanism :
       mechanisms_on(config.retention, config.retention.batch_size * config.gradient_accumulation)) {
    sum.questions = std::max(sum.questions, mechanism.needs.questions);
    sum.questions_a_step += mechanism.needs.questions_a_step;
    sum.adapter_copies += mechanism.needs.adapter_copies;
    sum.layer_squares += mechanism.needs.layer_squares;
  }
  return sum;
}

// Copies of the trained numbers: themselves, two moments, the sum of gradients in fp64, those of a pass, and
// those of the mechanisms.
std::uint64_t adapter_bytes(const RunConfig& config) {
  const AdapterParameters count = adapter_parameters(config);
  const MechanismNeeds needs = retention_needs(config);
  const std::uint64_t copies = 6 + static_cast<std::uint64_t>(needs.adapter_copies);
  return (count.trained * copies + count.frozen) * k_float32_bytes +
         config.fusion.layers.size() * 8 *
             product_of({needs.layer_squares, config.fusion.width, config.fusion.width});
}

std::uint64_t keys_bytes(const DecoderConfig& c, std::int64_t layers, std::int64_t positions,
                         torch::Dtype dtype) {
  return product_of({2, layers, c.kv_heads, positions, c.head_width}) * bytes_of(dtype);
}

std::uint64_t moment_bytes(const DecoderConfig& c, std::int64_t positions, std::int64_t keys,
                           torch::Dtype dtype) {
  return product_of({positions, 6 * c.hidden + 4 * c.intermediate}) * bytes_of(dtype) +
         product_of({3, c.heads, positions, keys}) * k_float32_bytes;
}

std::uint64_t row_bytes(const RunConfig& config, const DecoderConfig& c, torch::Dtype dtype,
                        const RowShape& shape) {
  const std::uint64_t size = bytes_of(dtype);
  const std::int64_t above = c.layers - config.fusion.layers.front() - 1;
  constexpr std::int64_t k_answer_positions = 8;
  const std::uint64_t graph =
      config.fusion.positions == FusionPositions::all
          ? product_of({above, shape.own, c.hidden}) * size + trace_bytes(c, 1, {shape.own, 0}, size)
          : trace_bytes(c, above, shape, size);
  return graph + keys_bytes(c, above, shape.prefix, dtype) + vocabulary_bytes(c, k_answer_positions) +
         moment_bytes(c, shape.own, shape.own + shape.prefix, dtype) +
         config.fusion.layers.size() * product_of({14, shape.own, c.hidden}) * k_float32_bytes;
}

double forward_flops(const DecoderConfig& c, std::int64_t layers, std::int64_t positions) {
  return 2.0 * static_cast<double>(layer_parameters(c)) * static_cast<double>(layers) *
         static_cast<double>(positions);
}

}  // namespace trainer
