#include "trainer/model/beam_search.hpp"

#include <functional>

#include "tests/support/tiny_llava.hpp"
#include "trainer/model/generate.hpp"

#include <doctest/doctest.h>

using support::all_valid;
using support::ids_of;
using support::logits_of;
using support::tiny_llava;
using trainer::BeamHypotheses;
using trainer::TokenIds;

namespace {

struct Sentence {
  TokenIds tokens;
  double worth = -1e9;
};

// The best of all sentences of `limit` tokens at most, end included, each looked at.
Sentence best_of_all(const trainer::Llava& llava, const TokenIds& prompt, std::size_t limit) {
  Sentence best;
  const std::int64_t eos = llava.tokens().eos;
  const auto consider = [&](const TokenIds& tokens, double log_p, std::size_t length) {
    if (const double worth = log_p / static_cast<double>(length); worth > best.worth) best = {tokens, worth};
  };
  const std::function<void(const TokenIds&, double)> grow = [&](const TokenIds& said, double log_p) {
    TokenIds row = prompt;
    row.insert(row.end(), said.begin(), said.end());
    const auto next =
        torch::log_softmax(logits_of(llava, row).select(0, static_cast<std::int64_t>(row.size()) - 1), -1);
    for (std::int64_t token = 0; token < next.size(0); ++token) {
      const double sum = log_p + next[token].item<double>();
      if (token == eos) {
        consider(said, sum, said.size() + 1);
        continue;
      }
      TokenIds longer = said;
      longer.push_back(token);
      if (longer.size() == limit)
        consider(longer, sum, limit);
      else
        grow(longer, sum);
    }
  };
  grow({}, 0);
  return best;
}

}  // namespace

TEST_CASE("as many beams as there are tokens find the best of all sentences of two") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  bool any_is_not_greedy = false;
  for (const TokenIds& prompt :
       {TokenIds{1, 5, 7, 9, 30}, TokenIds{1, 4}, TokenIds{1, 22, 6}, TokenIds{1, 33, 2, 8}}) {
    const auto ids = ids_of(prompt);
    const auto found =
        trainer::beam_search(llava.decoder(), llava.tokens().eos, llava.embed(ids), all_valid(ids), 2, 40);
    CHECK(found[0] == best_of_all(llava, prompt, 2).tokens);
    any_is_not_greedy = any_is_not_greedy || found != trainer::generate(llava.decoder(), llava.tokens().eos,
                                                                        llava.embed(ids), all_valid(ids), 2);
  }
  CHECK(any_is_not_greedy);
}

TEST_CASE("one beam says what greedy generation says, and rows do not depend on one another") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const std::vector<TokenIds> prompts = {{1, 5, 7, 9, 30}, {1, 4}, {1, 22, 6}};
  for (const auto side : {trainer::PadSide::left, trainer::PadSide::right}) {
    const auto batch = trainer::pad_rows(prompts, 39, side);
    const auto search = [&](const torch::Tensor& ids, const torch::Tensor& valid, std::int64_t beams) {
      return trainer::beam_search(llava.decoder(), llava.tokens().eos, llava.embed(ids), valid, 5, beams);
    };
    CHECK(search(batch.ids, batch.valid, 1) ==
          trainer::generate(llava.decoder(), llava.tokens().eos, llava.embed(batch.ids), batch.valid, 5));
    const auto together = search(batch.ids, batch.valid, 3);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const auto ids = ids_of(prompts[i]);
      CHECK(search(ids, all_valid(ids), 3)[0] == together[i]);
    }
  }
}

TEST_CASE("the hook sees a copy of a row for each beam") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const auto batch = trainer::pad_rows({{1, 5, 7}, {1, 4, 6}}, 39, trainer::PadSide::left);
  std::vector<std::int64_t> rows;
  const trainer::LayerHook hook = [&](std::int64_t layer, const torch::Tensor& hidden) {
    if (layer == 0 && rows.empty()) {
      // Rows of one product may differ in the last bits.
      CHECK(torch::allclose(hidden[0], hidden[2], 1e-5, 1e-6));
      CHECK_FALSE(torch::allclose(hidden[2], hidden[3], 1e-2, 1e-2));
    }
    rows.push_back(hidden.size(0));
    return hidden;
  };
  (void)trainer::beam_search(llava.decoder(), llava.tokens().eos, llava.embed(batch.ids), batch.valid, 2, 3,
                             hook);
  for (const std::int64_t count : rows) CHECK(count == 6);
}

TEST_CASE(
    "a sentence is worth its mean log-probability, and the search ends when no beam can be worth more") {
  BeamHypotheses sentences(2);
  sentences.add({1}, -4, 2);
  CHECK_FALSE(sentences.is_done(-100, 1));  // two are wanted
  sentences.add({1, 2, 3}, -4, 4);
  CHECK(sentences.best() == TokenIds{1, 2, 3});
  sentences.add({7}, -9, 1);
  CHECK(sentences.is_done(-9, 4));  // -2.25 a token is no better than -2
  CHECK_FALSE(sentences.is_done(-7.9, 4));
  sentences.add({5, 5}, -1.5, 3);
  CHECK(sentences.best() == TokenIds{5, 5});
}
