// Items of several seeds side by side: one row a seed, one column an item that all of them have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/report/comparison.hpp"
#include "trainer/report/crossed_mean.hpp"
#include "trainer/report/statistics.hpp"

namespace trainer {

class ItemPanel {
 public:
  // One table a seed; they outlive the panel. No items where there is none, or one is null.
  explicit ItemPanel(std::vector<const ItemTable*> tables);
  void keep(const std::vector<std::string>& ids);  // ascending

  [[nodiscard]] const std::vector<std::string>& ids() const { return ids_; }
  [[nodiscard]] bool has(std::string_view measure) const;
  // has(measure) must hold.
  [[nodiscard]] SeedsByItems values(std::string_view measure) const;

 private:
  std::vector<const ItemTable*> tables_;
  std::vector<std::string> ids_;
};

// Of one condition in some runs of `comparison`.
[[nodiscard]] ItemPanel panel_of(const Comparison& comparison, const std::vector<std::size_t>& runs,
                                 std::string_view condition);
// Both keep the items that both have.
void keep_common(ItemPanel& first, ItemPanel& second);

[[nodiscard]] SeedsByItems minus(const SeedsByItems& a, const SeedsByItems& b);
// Nothing where a seed has a mean that is not above 0.
[[nodiscard]] std::optional<Estimate> ratio_of(const SeedsByItems& above, const SeedsByItems& below);
// An accuracy, or a KL: what it cannot be is cut off the interval.
[[nodiscard]] Estimate estimate_accuracy(const SeedsByItems& values);
[[nodiscard]] Estimate estimate_kl(const SeedsByItems& values);

// The runs of two groups at the seeds that both have.
struct SeedPairs {
  std::vector<std::size_t> first, second;
  std::vector<std::int64_t> seeds;
};
[[nodiscard]] SeedPairs pair_seeds(const Comparison& comparison, const VariantGroup& first,
                                   const VariantGroup& second);

}  // namespace trainer
