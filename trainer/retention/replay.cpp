#include "trainer/retention/replay.hpp"

#include <fmt/format.h>

namespace trainer {
namespace {

class ReplayRetention final : public RetentionMechanism {
 public:
  explicit ReplayRetention(const ReplayOptions& options) : options_(options) {}
  [[nodiscard]] std::string name() const override { return ReplayOptions::k_key; }

  RetentionTerm term(std::int64_t step, RetentionScene& scene) override {
    return answer_term(options_.weight, scene.stream.draw(step), scene, [](const DistractedBatch& asked) {
      return at::cross_entropy_loss(asked.student, asked.batch.base_logits.argmax(1), {},
                                    at::Reduction::None);
    });
  }

 private:
  ReplayOptions options_;
};

}  // namespace

void ReplayOptions::add_flags(common::Verb& verb, Flags& flags) {
  verb.real("--replay-weight", flags.weight, common::RealRange::not_negative,
            "Weight the cross-entropy on the base's own answers to the retention questions with this; 0: off")
      .otherwise(fmt::format("{}", ReplayOptions{}.weight));
}

ReplayOptions ReplayOptions::preset(const std::string& /*variant*/) { return {}; }

void ReplayOptions::apply(const Flags& flags) { weight = flags.weight.value_or(weight); }

common::Json ReplayOptions::json() const { return {{"weight", weight}}; }

MechanismNeeds ReplayOptions::needs(std::int64_t batch) const {
  // Where the base is not certain, its likeliest token pulls from the first step on.
  return {.first_step = 1, .questions_a_step = static_cast<double>(batch), .adapter_copies = 2};
}

std::unique_ptr<RetentionMechanism> ReplayOptions::make(std::int64_t /*seed*/) const {
  return std::make_unique<ReplayRetention>(*this);
}

}  // namespace trainer
