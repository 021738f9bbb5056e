#include "trainer/report/item_panel.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace trainer {
namespace {

bool every_mean_above_zero(const SeedsByItems& values) {
  return std::all_of(values.begin(), values.end(), [](const std::vector<double>& row) {
    double sum = 0;
    for (const double value : row) sum += value;
    return sum > 0;
  });
}

}  // namespace

ItemPanel::ItemPanel(std::vector<const ItemTable*> tables) : tables_(std::move(tables)) {
  if (std::find(tables_.begin(), tables_.end(), nullptr) != tables_.end()) tables_.clear();
  if (tables_.empty()) return;
  ids_ = tables_.front()->ids;
  for (const ItemTable* table : tables_) keep(table->ids);
}

void ItemPanel::keep(const std::vector<std::string>& ids) {
  std::vector<std::string> both;
  std::set_intersection(ids_.begin(), ids_.end(), ids.begin(), ids.end(), std::back_inserter(both));
  ids_ = std::move(both);
}

bool ItemPanel::has(std::string_view measure) const {
  return !ids_.empty() && std::all_of(tables_.begin(), tables_.end(), [&](const ItemTable* table) {
    return table->values.find(measure) != table->values.end();
  });
}

SeedsByItems ItemPanel::values(std::string_view measure) const {
  SeedsByItems rows;
  for (const ItemTable* table : tables_) {
    const std::vector<double>& all = table->values.find(measure)->second;
    std::vector<double>& row = rows.emplace_back();
    std::size_t at = 0;
    for (const std::string& id : ids_) {
      while (table->ids[at] != id) ++at;
      row.push_back(all[at]);
    }
  }
  return rows;
}

ItemPanel panel_of(const Comparison& comparison, const std::vector<std::size_t>& runs,
                   std::string_view condition) {
  std::vector<const ItemTable*> tables;
  for (const std::size_t run : runs) {
    const auto found = comparison.runs[run].tables.find(condition);
    tables.push_back(found == comparison.runs[run].tables.end() ? nullptr : &found->second);
  }
  return ItemPanel(std::move(tables));
}

void keep_common(ItemPanel& first, ItemPanel& second) {
  first.keep(second.ids());
  second.keep(first.ids());
}

SeedsByItems minus(const SeedsByItems& a, const SeedsByItems& b) {
  SeedsByItems result = a;
  for (std::size_t s = 0; s < a.size(); ++s)
    for (std::size_t i = 0; i < a[s].size(); ++i) result[s][i] -= b[s][i];
  return result;
}

std::optional<Estimate> ratio_of(const SeedsByItems& above, const SeedsByItems& below) {
  if (!every_mean_above_zero(above) || !every_mean_above_zero(below)) return std::nullopt;
  return estimate_ratio(above, below);
}

Estimate estimate_accuracy(const SeedsByItems& values) { return clipped(estimate_mean(values), 0, 1); }

Estimate estimate_kl(const SeedsByItems& values) {
  const Estimate estimate = estimate_mean(values);
  return clipped(estimate, 0, std::max(estimate.interval.high, 0.0));
}

SeedPairs pair_seeds(const Comparison& comparison, const VariantGroup& first, const VariantGroup& second) {
  SeedPairs pairs;
  for (const std::size_t a : first.runs)
    for (const std::size_t b : second.runs)
      if (comparison.runs[a].seed == comparison.runs[b].seed) {
        pairs.first.push_back(a);
        pairs.second.push_back(b);
        pairs.seeds.push_back(comparison.runs[a].seed.value_or(0));
      }
  return pairs;
}

}  // namespace trainer
