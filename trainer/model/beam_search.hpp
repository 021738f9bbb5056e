// Beam search as transformers' generate(num_beams=W, do_sample=False) does it, with its defaults: a sentence
// is worth its mean log-probability a token, end included (length_penalty 1), and the search ends where no
// open beam can become worth more than the worst of W sentences (early_stopping false). Axes: B rows, W
// beams, L positions, H width.
#pragma once

#include <memory>
#include <vector>

#include "trainer/formats/byte_pairs.hpp"
#include "trainer/model/decoder.hpp"

namespace trainer {

// The sentences of one row so far, the W best of them.
class BeamHypotheses {
 public:
  explicit BeamHypotheses(std::size_t beams) : beams_(beams) {}

  // `length` tokens and maybe the end, whose log-probabilities sum to `log_p`.
  void add(const TokenIds& tokens, double log_p, std::size_t length);
  // No beam that is open after `length` tokens, the best with `best_log_p`, can still get among them.
  [[nodiscard]] bool is_done(double best_log_p, std::size_t length) const;
  [[nodiscard]] const TokenIds& best() const;

 private:
  struct Hypothesis {
    TokenIds tokens;
    double worth;
  };
  std::size_t beams_;
  std::vector<Hypothesis> kept_;  // the best first
};

// As generate (generate.hpp), which is this with one beam but for the last bits. The hook sees W copies of
// each row, one behind the other: [B * W, L, H].
[[nodiscard]] std::vector<TokenIds> beam_search(const Decoder& decoder, std::int64_t eos_token,
                                                const torch::Tensor& hidden, const torch::Tensor& valid,
                                                std::int64_t limit, std::int64_t beams,
                                                const LayerHook& hook = {},
                                                const std::shared_ptr<const KvCache>& prefix = nullptr);

}  // namespace trainer
