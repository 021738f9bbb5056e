// Averaging towards the start (Wortsman et al. 2022): after the last step every trained number goes back a
// part of its way. Nothing of training changes; the checkpoint of the last step is the one before averaging.
//
//   theta = theta0 + share * (theta - theta0)
#pragma once

#include <optional>

#include "common/cli/verb.hpp"
#include "common/json.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/retention/mechanism_needs.hpp"

namespace trainer {

struct StartAverageOptions {
  double share = 1;  // of the way that is kept; 1: off

  // What the table of mechanisms asks of every one (mechanism_table.hpp).
  static constexpr const char *k_key = "start_average", *k_title = "averaging towards the start",
                              *k_switch_off = "--start-average 1";
  struct Flags {
    std::optional<double> share;
  };
  static void add_flags(common::Verb& verb, Flags& flags);
  static StartAverageOptions preset(const std::string& variant);
  void apply(const Flags& flags);
  [[nodiscard]] bool is_on() const { return share < 1; }
  [[nodiscard]] common::Json json() const;
  [[nodiscard]] MechanismNeeds needs(std::int64_t batch) const;
  [[nodiscard]] std::unique_ptr<RetentionMechanism> make(std::int64_t seed) const;
};

}  // namespace trainer
