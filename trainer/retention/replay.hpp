// Replay (Robins 1995) of the base's own answers: on a question with a distractor clip, say the token that
// the base finds likeliest at each position of the answer. KL asks for the base's whole distribution instead.
//
//   loss = w * mean over answer positions of -log softmax(student)[argmax(base)]
#pragma once

#include <optional>

#include "common/cli/verb.hpp"
#include "common/json.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/retention/mechanism_needs.hpp"

namespace trainer {

struct ReplayOptions {
  double weight = 0;  // 0: off

  // What the table of mechanisms asks of every one (mechanism_table.hpp).
  static constexpr const char *k_key = "replay", *k_title = "replay", *k_switch_off = "--replay-weight 0";
  struct Flags {
    std::optional<double> weight;
  };
  static void add_flags(common::Verb& verb, Flags& flags);
  static ReplayOptions preset(const std::string& variant);
  void apply(const Flags& flags);
  [[nodiscard]] bool is_on() const { return weight > 0; }
  [[nodiscard]] common::Json json() const;
  [[nodiscard]] MechanismNeeds needs(std::int64_t batch) const;
  [[nodiscard]] std::unique_ptr<RetentionMechanism> make(std::int64_t seed) const;
};

}  // namespace trainer
