#include "trainer/model/frozen_layers.hpp"

#include <torch/csrc/autograd/functions/utils.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "common/error.hpp"

namespace trainer {
namespace {

class FrozenRange final : public torch::autograd::Node {
 public:
  FrozenRange(const Decoder& decoder, std::int64_t first, const DecoderContext& context, Recall recall)
      : decoder_(decoder), first_(first), context_(context), recall_(recall) {}

  torch::Tensor run(torch::Tensor hidden, std::int64_t last) {
    const torch::NoGradGuard by_hand;
    for (std::int64_t index = first_; index < last; ++index) {
      LayerTrace trace;
      torch::Tensor output = decoder_.run_traced(index, hidden, context_, trace);
      traces_.push_back(recall_ == Recall::traces ? std::move(trace)
                                                  : LayerTrace{hidden, {}, {}, {}, {}, {}, {}});
      hidden = std::move(output);
    }
    return hidden;
  }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    const torch::NoGradGuard by_hand;
    ENSURE(!traces_.empty());  // one gradient a graph
    torch::Tensor gradient = gradients.at(0);
    if (!gradient.defined()) return {torch::Tensor()};
    for (auto index = first_ + static_cast<std::int64_t>(traces_.size()) - 1; index >= first_; --index) {
      LayerTrace& trace = traces_[static_cast<std::size_t>(index - first_)];
      if (recall_ == Recall::inputs) {
        const torch::Tensor input = trace.input;
        (void)decoder_.run_traced(index, input, context_, trace);
      }
      gradient = decoder_.gradient(index, trace, context_, gradient);
      if (recall_ == Recall::inputs) trace = LayerTrace{trace.input, {}, {}, {}, {}, {}, {}};
    }
    return {gradient};
  }

  void release_variables() override { traces_.clear(); }

 private:
  const Decoder& decoder_;
  std::int64_t first_;
  DecoderContext context_;
  Recall recall_;
  std::vector<LayerTrace> traces_;
};

// By the pointer that this LibTorch makes its graph of: std::shared_ptr in 1.13 and most of 2.x, an intrusive
// one in the newest. A template, so that what the other has not is never looked up.
template <typename... Arguments>
auto make_range(Arguments&&... arguments) {
  if constexpr (std::is_base_of_v<c10::intrusive_ptr_target, torch::autograd::Node>)
    return c10::make_intrusive<FrozenRange>(std::forward<Arguments>(arguments)...);
  else
    return std::shared_ptr<FrozenRange>(new FrozenRange(std::forward<Arguments>(arguments)...),
                                        [](auto* node) { deleteNode(node); });
}

}  // namespace

torch::Tensor run_frozen(const Decoder& decoder, const torch::Tensor& hidden, std::int64_t first,
                         std::int64_t last, const DecoderContext& context, Recall recall) {
  if (first == last) return hidden;
  if (!torch::GradMode::is_enabled() || !hidden.requires_grad())
    return decoder.run_layers(hidden, first, last, context);
  const auto range = make_range(decoder, first, context, recall);
  range->set_next_edges(torch::autograd::collect_next_edges(hidden));
  torch::Tensor output = range->run(hidden.detach(), last);
  torch::autograd::set_history(output, range);
  return output;
}

}  // namespace trainer
