// How often the intervals of a report hold the truth:
//   bench_coverage [EXPERIMENTS [WORDS]]      2000 unless given; prints one table in Markdown, the same every
//                                             time, of the worlds in whose name the words are
// Each row is a world of seeds and questions whose truth is known. An experiment draws seeds and questions
// from it, answers every question once a seed, and makes the interval that safe-report prints.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "common/parallel.hpp"
#include "common/random.hpp"
#include "common/terminal.hpp"
#include "trainer/report/equal_skill.hpp"
#include "trainer/report/statistics.hpp"

namespace {

using trainer::Estimate;
using trainer::Interval;
using trainer::SeedsByItems;
using Tables = std::vector<SeedsByItems>;  // of the settings that are compared, over the same questions

struct World {
  std::string name;
  std::size_t questions;
  std::function<Tables(common::Random&, std::size_t seeds, std::size_t questions)> draw;
  std::function<Estimate(const Tables&)> estimate;
  // In place of both where an interval is made of more than tables.
  std::function<Interval(common::Random&, std::size_t seeds, std::size_t questions)> experiment = {};
  [[nodiscard]] Interval interval(common::Random& random, std::size_t seeds) const {
    return experiment ? experiment(random, seeds, questions)
                      : estimate(draw(random, seeds, questions)).interval;
  }
};

// Standard deviations of what seeds, questions and their combination add.
struct Spread {
  double seeds = 0, questions = 0, both = 0;
};

SeedsByItems draw_effects(common::Random& random, std::size_t seeds, std::size_t questions,
                          const Spread& spread) {
  std::vector<double> of_questions;
  for (std::size_t q = 0; q < questions; ++q) of_questions.push_back(spread.questions * random.normal());
  SeedsByItems table(seeds);
  for (std::vector<double>& row : table) {
    const double of_seed = spread.seeds * random.normal();
    for (const double of_question : of_questions)
      row.push_back(of_seed + of_question + spread.both * random.normal());
  }
  return table;
}

SeedsByItems each(SeedsByItems table, const std::function<double(double)>& map) {
  for (std::vector<double>& row : table)
    for (double& value : row) value = map(value);
  return table;
}

// KL to the base: 5 % of the questions hold 58 % of it, and no question has more than 5 nats.
double kl_of(double effect) { return std::min(5.0, 0.004 * std::exp(effect)); }

World normal_world(const std::string& name, const Spread& spread) {
  return {"a mean, " + name, 200,
          [spread](common::Random& random, std::size_t seeds, std::size_t questions) {
            return Tables{draw_effects(random, seeds, questions, spread)};
          },
          [](const Tables& tables) { return trainer::estimate_mean(tables[0]); }};
}

World kl_world(const std::string& name, double seeds_spread) {
  return {"mean KL, " + name, 500,
          [seeds_spread](common::Random& random, std::size_t seeds, std::size_t questions) {
            return Tables{each(draw_effects(random, seeds, questions, {seeds_spread, 1.6, 1.0}), kl_of)};
          },
          [](const Tables& tables) { return trainer::estimate_mean(tables[0]); }};
}

// Two settings of one KL: most of what a question adds is common to both.
World kl_ratio_world(const std::string& name, double seeds_spread) {
  return {"ratio of two KL, " + name, 500,
          [seeds_spread](common::Random& random, std::size_t seeds, std::size_t questions) {
            const SeedsByItems common_part = draw_effects(random, seeds, questions, {0, 1.5, 0.7});
            Tables tables;
            for (int setting = 0; setting < 2; ++setting) {
              SeedsByItems own = draw_effects(random, seeds, questions, {seeds_spread, 0.56, 0.71});
              for (std::size_t s = 0; s < seeds; ++s)
                for (std::size_t q = 0; q < questions; ++q) own[s][q] += common_part[s][q];
              tables.push_back(each(own, kl_of));
            }
            return tables;
          },
          [](const Tables& tables) {
            Estimate estimate = trainer::estimate_ratio(tables[0], tables[1]);
            estimate.interval = {std::log(estimate.interval.low), std::log(estimate.interval.high)};
            return estimate;
          }};
}

// Right or wrong of one setting; a question is harder or easier, and seeds agree about that.
SeedsByItems draw_right(const SeedsByItems& effects, double threshold) {
  return each(effects, [threshold](double effect) { return effect > threshold ? 1.0 : 0.0; });
}

World share_world(const std::string& name, double threshold, double seeds_spread) {
  return {"a share of " + name, 500,
          [threshold, seeds_spread](common::Random& random, std::size_t seeds, std::size_t questions) {
            return Tables{
                draw_right(draw_effects(random, seeds, questions, {seeds_spread, 0.8, 0.6}), threshold)};
          },
          [](const Tables& tables) { return trainer::estimate_share(tables[0]); }};
}

World difference_world(const std::string& name, double seeds_spread) {
  return {"difference in accuracy, " + name, 500,
          [seeds_spread](common::Random& random, std::size_t seeds, std::size_t questions) {
            const SeedsByItems common_part = draw_effects(random, seeds, questions, {0, 0.8, 0.4});
            SeedsByItems difference(seeds, std::vector<double>(questions, 0));
            for (const double sign : {1.0, -1.0}) {
              SeedsByItems own = draw_effects(random, seeds, questions, {seeds_spread, 0.2, 0.4});
              for (std::size_t s = 0; s < seeds; ++s)
                for (std::size_t q = 0; q < questions; ++q)
                  difference[s][q] += sign * (own[s][q] + common_part[s][q] > -1 ? 1.0 : 0.0);
            }
            return Tables{difference};
          },
          [](const Tables& tables) { return trainer::estimate_mean(tables[0]); }};
}

// Two settings that forget alike at equal audio skill, of which the second learns two thirds as fast. Clips
// and questions are harder or easier, and seeds agree about most of that; progress p runs from 0 to 1.
struct SkillWorld {
  double rate_spread = 0;    // standard deviation of the logarithm of a seed's pace
  double forget_spread = 0;  // of what a seed adds to all questions
};

constexpr std::int64_t k_looks = 20, k_steps_a_look = 156;
const std::array<std::string, 2> k_settings = {"first", "second"};

trainer::ItemTable table_of(std::size_t items, const std::string& measure,
                            const std::function<double(std::size_t)>& value) {
  trainer::ItemTable table;
  for (std::size_t i = 0; i < items; ++i) {
    table.ids.push_back(fmt::format("{:04}", i));
    table.values[measure].push_back(value(i));
  }
  return table;
}

// What every run of an experiment has in common: how hard clips and questions are.
struct SkillItems {
  std::vector<double> clips, questions;
};

std::vector<trainer::CurvePoint> draw_curve(common::Random& random, const SkillItems& items, double pace,
                                            double forgetting) {
  std::vector<double> own_clips, own_questions;
  for (const double clip : items.clips) own_clips.push_back(clip + 0.7 * random.normal());
  for (const double question : items.questions) own_questions.push_back(question + 0.4 * random.normal());
  std::vector<trainer::CurvePoint> curve;
  for (std::int64_t look = 0; look <= k_looks; ++look) {
    const double p = 1 - std::exp(-pace * static_cast<double>(look)),
                 known = look == 0 ? -30.0 : std::log(p / (1 - p));
    trainer::CurvePoint& point = curve.emplace_back();
    point.step = look * k_steps_a_look;
    point.tables[std::string(trainer::condition::k_memorised)] =
        table_of(items.clips.size(), std::string(trainer::measure::k_token_f1),
                 [&](std::size_t i) { return 1 / (1 + std::exp(-known - own_clips[i])); });
    // What is forgotten comes soon and goes on slowly.
    const double lost = 0.9 * std::sqrt(p) * (1 + forgetting);
    trainer::ItemTable questions =
        table_of(items.questions.size(), std::string(trainer::measure::k_accuracy),
                 [&](std::size_t i) { return own_questions[i] > lost - 1.4 ? 1.0 : 0.0; });
    for (const double question : own_questions)
      questions.values[std::string(trainer::measure::k_kl_to_base)].push_back(
          kl_of(2.2 * lost - 1.8 * question));
    point.tables[std::string(trainer::condition::k_distractor_memorised)] = std::move(questions);
  }
  return curve;
}

trainer::SkillComparison draw_comparison(const SkillWorld& world, common::Random& random, std::size_t seeds,
                                         std::size_t questions) {
  constexpr double k_first_pace = 0.35, k_slower = 2.0 / 3;
  SkillItems items;
  for (std::size_t i = 0; i < questions; ++i) {
    items.clips.push_back(1.5 * random.normal());
    items.questions.push_back(0.8 * random.normal());
  }
  trainer::Comparison comparison;
  for (std::size_t setting = 0; setting < k_settings.size(); ++setting) {
    trainer::VariantGroup& group = comparison.groups.emplace_back();
    group.label = k_settings[setting];
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      group.runs.push_back(comparison.runs.size());
      trainer::RunSummary& run = comparison.runs.emplace_back();
      run.seed = static_cast<std::int64_t>(seed);
      const double pace =
          k_first_pace * (setting == 0 ? 1 : k_slower) * std::exp(world.rate_spread * random.normal());
      run.curve = draw_curve(random, items, pace, world.forget_spread * random.normal());
    }
  }
  trainer::PairedComparison& pair = comparison.paired.emplace_back();
  pair.condition = trainer::condition::k_distractor_memorised;
  pair.first = k_settings[0];
  pair.second = k_settings[1];
  trainer::compare_at_equal_skill(comparison);
  return comparison.skill_pairs.at(0);
}

World skill_world(const std::string& name, bool of_kl, const SkillWorld& world) {
  return {(of_kl ? "ratio of two KL at equal skill, " : "difference in accuracy at equal skill, ") + name,
          250,
          {},
          {},
          [=](common::Random& random, std::size_t seeds, std::size_t questions) {
            const trainer::SkillComparison pair = draw_comparison(world, random, seeds, questions);
            if (!of_kl) return pair.accuracy.interval;
            const Interval ratio = pair.kl_ratio.value().interval;
            return Interval{std::log(ratio.low), std::log(ratio.high)};
          }};
}

// The truth: one question of each of very many seeds.
double truth_of(const World& world) {
  constexpr std::size_t k_draws = 400000;
  common::Random random(1, "truth of " + world.name);
  if (world.name.starts_with("ratio") || world.name.starts_with("difference") ||
      world.name.starts_with("a mean"))
    return 0;  // two settings alike; effects around 0
  double sum = 0;
  for (std::size_t i = 0; i < k_draws; ++i) sum += world.draw(random, 1, 1)[0][0][0];
  return sum / k_draws;
}

// In what share of the experiments the interval holds the truth.
double cover(const World& world, std::size_t seeds, std::size_t experiments, double truth) {
  std::vector<char> held(experiments, 0);
  common::parallel_for(experiments, 0, [&](std::size_t i) {
    common::Random random(static_cast<std::int64_t>(i), world.name + "/" + std::to_string(seeds));
    const Interval interval = world.interval(random, seeds);
    held[i] = interval.low <= truth && truth <= interval.high ? 1 : 0;
  });
  return static_cast<double>(std::count(held.begin(), held.end(), 1)) / static_cast<double>(experiments);
}

std::vector<World> worlds() {
  return {normal_world("seeds differ", {0.1, 0.5, 0.5}),
          normal_world("seeds differ most", {1, 0.5, 0.5}),
          normal_world("seeds hardly differ", {0.01, 1, 0.3}),
          normal_world("seeds do not differ", {0, 1, 1}),
          share_world("98 %, seeds do not differ", -2.06, 0),
          share_world("98 %, seeds differ", -2.06, 0.1),
          share_world("90 %, seeds do not differ", -1.28, 0),
          share_world("90 %, seeds differ", -1.28, 0.1),
          difference_world("seeds do not differ", 0),
          difference_world("seeds differ", 0.1),
          kl_world("seeds do not differ", 0),
          kl_world("seeds differ", 0.1),
          kl_world("seeds differ much", 0.3),
          kl_ratio_world("seeds do not differ", 0),
          kl_ratio_world("seeds differ", 0.1),
          kl_ratio_world("seeds differ much", 0.3),
          skill_world("seeds do not differ", false, {}),
          skill_world("seeds differ", false, {0.15, 0.1}),
          skill_world("seeds do not differ", true, {}),
          skill_world("seeds differ", true, {0.15, 0.1})};
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t experiments = argc > 1 ? std::stoul(argv[1]) : 2000;
  std::vector<std::size_t> seed_counts = {1, 2, 3, 5, 10};
  std::string head = "| truth in the 95 % interval, % | questions |", rule = "|---|---|";
  for (const std::size_t seeds : seed_counts) {
    head += fmt::format(" {} seed{} |", seeds, seeds == 1 ? "" : "s");
    rule += "---|";
  }
  common::print_line(stdout, head + "\n" + rule);
  for (const World& world : worlds()) {
    if (argc > 2 && world.name.find(argv[2]) == std::string::npos) continue;
    const double truth = truth_of(world);
    std::string row = fmt::format("| {} | {} |", world.name, world.questions);
    for (const std::size_t seeds : seed_counts) {
      const bool says_nothing_of_seeds = seeds == 1 && world.name.find("seeds differ") != std::string::npos;
      row += says_nothing_of_seeds ? std::string(" – |")
                                   : fmt::format(" {:.1f} |", 100 * cover(world, seeds, experiments, truth));
    }
    common::print_line(stdout, row);
  }
}
