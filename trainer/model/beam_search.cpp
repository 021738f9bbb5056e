#include "trainer/model/beam_search.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace trainer {
namespace {

// W copies of each row, one behind the other.
torch::Tensor copies(const torch::Tensor& of, std::int64_t beams) { return of.repeat_interleave(beams, 0); }

std::shared_ptr<const KvCache> copies(const std::shared_ptr<const KvCache>& prefix, std::int64_t beams) {
  if (!prefix) return nullptr;
  auto copied = std::make_shared<KvCache>(*prefix);
  for (std::vector<torch::Tensor>* tensors : {&copied->keys, &copied->values})
    for (torch::Tensor& tensor : *tensors)
      if (tensor.defined()) tensor = copies(tensor, beams);
  return copied;
}

void reorder(KvCache& cache, const torch::Tensor& rows) {
  for (std::vector<torch::Tensor>* tensors : {&cache.keys, &cache.values})
    for (torch::Tensor& tensor : *tensors)
      if (tensor.defined()) tensor = tensor.index_select(0, rows);
}

// The open beams of one row: what each has said, and the sum of its log-probabilities.
struct OpenBeams {
  std::vector<TokenIds> said;
  std::vector<double> log_p;
  BeamHypotheses sentences;
  bool is_done = false;
  // All begin alike, so that only the first counts at the first step.
  explicit OpenBeams(std::size_t beams) : said(beams), log_p(beams, -1e9), sentences(beams) {
    log_p.front() = 0;
  }
};

struct Chosen {
  std::int64_t beam = 0, token = 0;
};

// What the beams of a row go on with: the W best continuations that do not end. `log_p` [2W] and `at` [2W],
// beam times vocabulary plus token, are the best 2W continuations of all beams, the best first.
std::vector<Chosen> advance(OpenBeams& row, const torch::Tensor& log_p, const torch::Tensor& at,
                            std::int64_t vocabulary, std::int64_t eos_token) {
  const std::size_t beams = row.said.size();
  const auto scores = log_p.accessor<double, 1>();
  const auto places = at.accessor<std::int64_t, 1>();
  std::vector<Chosen> chosen;
  std::vector<TokenIds> said;
  std::vector<double> sums;
  const std::size_t length = row.said.front().size() + 1;
  for (std::int64_t rank = 0; chosen.size() < beams; ++rank) {
    const Chosen next{places[rank] / vocabulary, places[rank] % vocabulary};
    const TokenIds& before = row.said[static_cast<std::size_t>(next.beam)];
    if (next.token == eos_token) {
      // One that is not among the W best would not end here, but go on.
      if (rank < static_cast<std::int64_t>(beams)) row.sentences.add(before, scores[rank], length);
      continue;
    }
    chosen.push_back(next);
    said.push_back(before);
    said.back().push_back(next.token);
    sums.push_back(scores[rank]);
  }
  row.said = std::move(said);
  row.log_p = std::move(sums);
  row.is_done = row.sentences.is_done(scores[0], length);
  return chosen;
}

// Which beam each goes on from, and with which token: [B * W] each.
struct Step {
  std::vector<std::int64_t> beams, tokens;
  bool is_last = true;
};

// log_p [B * W, V] of the next token.
Step choose(std::vector<OpenBeams>& open, const torch::Tensor& log_p, std::int64_t eos_token) {
  const auto rows = static_cast<std::int64_t>(open.size());
  const std::int64_t beams = log_p.size(0) / rows, vocabulary = log_p.size(1);
  std::vector<double> sums;
  for (const OpenBeams& row : open) sums.insert(sums.end(), row.log_p.begin(), row.log_p.end());
  const torch::Tensor so_far = torch::tensor(sums, torch::kFloat64).to(log_p.device()).unsqueeze(1);
  const auto best = (log_p.to(torch::kFloat64) + so_far).view({rows, beams * vocabulary}).topk(2 * beams, 1);
  const torch::Tensor scores = std::get<0>(best).cpu(), places = std::get<1>(best).cpu();
  Step step;
  for (std::int64_t r = 0; r < rows; ++r) {
    OpenBeams& row = open[static_cast<std::size_t>(r)];
    std::vector<Chosen> chosen(static_cast<std::size_t>(beams));
    if (!row.is_done) chosen = advance(row, scores[r], places[r], vocabulary, eos_token);
    step.is_last = step.is_last && row.is_done;
    for (const Chosen& one : chosen) {
      step.beams.push_back(r * beams + one.beam);
      step.tokens.push_back(one.token);
    }
  }
  return step;
}

}  // namespace

void BeamHypotheses::add(const TokenIds& tokens, double log_p, std::size_t length) {
  const double worth = log_p / static_cast<double>(length);
  if (kept_.size() == beams_ && worth <= kept_.back().worth) return;
  const auto place =
      std::find_if(kept_.begin(), kept_.end(), [&](const Hypothesis& one) { return one.worth < worth; });
  kept_.insert(place, {tokens, worth});
  if (kept_.size() > beams_) kept_.pop_back();
}

bool BeamHypotheses::is_done(double best_log_p, std::size_t length) const {
  return kept_.size() == beams_ && kept_.back().worth >= best_log_p / static_cast<double>(length);
}

const TokenIds& BeamHypotheses::best() const {
  ENSURE(!kept_.empty());
  return kept_.front().tokens;
}

std::vector<TokenIds> beam_search(const Decoder& decoder, std::int64_t eos_token, const torch::Tensor& hidden,
                                  const torch::Tensor& valid, std::int64_t limit, std::int64_t beams,
                                  const LayerHook& hook, const std::shared_ptr<const KvCache>& prefix) {
  const torch::NoGradGuard no_grad;
  const std::int64_t rows = hidden.size(0);
  std::vector<OpenBeams> open(static_cast<std::size_t>(rows), OpenBeams(static_cast<std::size_t>(beams)));
  const std::shared_ptr<const KvCache> before = copies(prefix, beams);
  KvCache cache;
  torch::Tensor keys = copies(valid, beams);  // [B * W, K]
  torch::Tensor states = decoder.run_layers(copies(hidden, beams), 0, decoder.layers(),
                                            decoder.context(keys, 0, before), hook, &cache);
  // The last valid position of each row, wherever its padding is.
  const torch::Tensor order = torch::arange(1, valid.size(1) + 1, valid.device());
  torch::Tensor newest =
      states.index({torch::arange(rows * beams, valid.device()), (keys * order).argmax(1)});  // [B * W, H]
  const auto on_device = [&](const std::vector<std::int64_t>& numbers) {
    return torch::tensor(numbers, torch::kInt64).to(valid.device());
  };
  for (std::int64_t said = 1; said <= limit; ++said) {
    const Step step =
        choose(open, torch::log_softmax(decoder.logits(newest).to(torch::kFloat32), -1), eos_token);
    if (said == limit || step.is_last) break;
    reorder(cache, on_device(step.beams));
    keys = at::cat({keys, torch::ones({rows * beams, 1}, valid.options())}, 1);
    states = decoder.run_layers(decoder.embed(on_device(step.tokens).unsqueeze(1)), 0, decoder.layers(),
                                decoder.context(keys, keys.size(1) - 1, before), hook, &cache);
    newest = states.select(1, 0);
  }
  std::vector<TokenIds> answers;
  for (OpenBeams& row : open) {
    for (std::size_t beam = 0; !row.is_done && beam < row.said.size(); ++beam)
      row.sentences.add(row.said[beam], row.log_p[beam], std::max<std::size_t>(row.said[beam].size(), 1));
    answers.push_back(row.sentences.best());
  }
  return answers;
}

}  // namespace trainer
