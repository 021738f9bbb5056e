// L2-SP (Li, Grandvalet and Davoine 2018): a spring of one stiffness on every trained number, towards where
// it started. It asks no question, so it is what Fisher's stiffness has to be better than.
//
//   loss = w/2 * sum_i (theta_i - theta0_i)^2
#pragma once

#include <optional>

#include "common/cli/verb.hpp"
#include "common/json.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/retention/mechanism_needs.hpp"

namespace trainer {

struct L2SpOptions {
  double weight = 0;  // 0: off

  // What the table of mechanisms asks of every one (mechanism_table.hpp).
  static constexpr const char *k_key = "l2_sp", *k_title = "L2-SP", *k_switch_off = "--l2-sp-weight 0";
  struct Flags {
    std::optional<double> weight;
  };
  static void add_flags(common::Verb& verb, Flags& flags);
  static L2SpOptions preset(const std::string& variant);
  void apply(const Flags& flags);
  [[nodiscard]] bool is_on() const { return weight > 0; }
  [[nodiscard]] common::Json json() const;
  [[nodiscard]] MechanismNeeds needs(std::int64_t batch) const;
  [[nodiscard]] std::unique_ptr<RetentionMechanism> make(std::int64_t seed) const;
};

}  // namespace trainer
