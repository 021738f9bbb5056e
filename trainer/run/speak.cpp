#include "trainer/run/speak.hpp"

#include <algorithm>

#include "common/program.hpp"
#include "common/progress.hpp"

namespace trainer {
namespace {

// The prompts of a batch, padded on the left so that all of them end where generation begins.
struct PromptBatch {
  torch::Tensor hidden;  // [B, L, H]
  torch::Tensor valid;   // [B, L]
  torch::Tensor fused;   // [B, L]
};

PromptBatch make_prompts(const Llava& base, const std::vector<SpokenRow>& rows, FusionPositions positions) {
  std::int64_t length = 0;
  for (const SpokenRow& spoken : rows) length = std::max(length, spoken.row->row.answer_begin);
  const auto count = static_cast<std::int64_t>(rows.size());
  PromptBatch batch;
  batch.valid = torch::zeros({count, length}, torch::kBool);
  batch.fused = torch::zeros({count, length}, torch::kBool);
  std::vector<torch::Tensor> padded;
  for (std::int64_t b = 0; b < count; ++b) {
    const SpokenRow& spoken = rows[static_cast<std::size_t>(b)];
    Row prompt = spoken.row->row;
    prompt.ids.resize(static_cast<std::size_t>(prompt.answer_begin));
    const torch::Tensor embedded = embed_row(base, prompt, spoken.features);  // [l, H]
    const std::int64_t pad = length - prompt.answer_begin;
    padded.push_back(torch::cat({torch::zeros({pad, embedded.size(1)}, embedded.options()), embedded}));
    batch.valid[b].slice(0, pad).fill_(true);
    batch.fused[b].slice(0, pad + (positions == FusionPositions::all ? 0 : prompt.fused_begin)).fill_(true);
  }
  batch.hidden = torch::stack(padded);
  const torch::Device device = batch.hidden.device();
  batch.valid = batch.valid.to(device);
  batch.fused = batch.fused.to(device);
  return batch;
}

// nll, kl and bits of each row of a batch, from logits at its supervised positions [N, V].
void score(const Batch& batch, const torch::Tensor& logits, const torch::Tensor& base_logits,
           std::vector<Spoken>::iterator out) {
  const torch::Tensor log_p = torch::log_softmax(logits.to(torch::kFloat32), -1);
  const torch::Tensor log_base = torch::log_softmax(base_logits.to(torch::kFloat32), -1);
  const torch::Tensor nll = -log_p.gather(1, batch.targets.unsqueeze(1)).squeeze(1);
  const torch::Tensor kl = (log_base.exp() * (log_base - log_p)).sum(-1);
  std::int64_t begin = 0;
  for (const std::int64_t count : batch.counts) {
    out->nll = nll.slice(0, begin, begin + count).mean().item<double>();
    out->kl = kl.slice(0, begin, begin + count).mean().item<double>();
    out->same_bits = logits.slice(0, begin, begin + count).equal(base_logits.slice(0, begin, begin + count));
    begin += count;
    ++out;
  }
}

}  // namespace

std::vector<Spoken> speak(const SafeModel& model, const Tokenizer& tokenizer,
                          const std::vector<SpokenRow>& rows, Voice voice, const Hearing& hearing,
                          const SpeakOptions& options) {
  const torch::NoGradGuard no_graph;
  std::vector<Spoken> spoken(rows.size());
  common::Progress progress(options.what, "rows", rows.size(), options.verbosity);
  const auto size = static_cast<std::size_t>(options.batch_size);
  for (std::size_t begin = 0; begin < rows.size(); begin += size) {
    common::throw_if_stop_requested();
    const std::size_t end = std::min(rows.size(), begin + size);
    const std::vector<SpokenRow> some(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                      rows.begin() + static_cast<std::ptrdiff_t>(end));
    std::vector<EncodedRow> encoded;
    std::vector<std::int64_t> which;
    for (const SpokenRow& row : some) {
      which.push_back(static_cast<std::int64_t>(encoded.size()));
      encoded.push_back(*row.row);
    }
    AudioInput audio;
    if (hearing.clips.defined())
      audio =
          model.hear(hearing.clips.slice(0, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end)),
                     hearing.gate);
    const Batch batch = make_batch(encoded, which, options.positions);
    const torch::Tensor base_logits = model.base_answer_logits(batch);
    const torch::Tensor logits = voice == Voice::base ? base_logits : model.answer_logits(batch, audio);
    score(batch, logits, base_logits, spoken.begin() + static_cast<std::ptrdiff_t>(begin));

    const PromptBatch prompts = make_prompts(model.base(), some, options.positions);
    const LayerHook hook = voice == Voice::base ? LayerHook{} : model.hook(audio, prompts.fused);
    const std::vector<TokenIds> said =
        generate(model.base(), prompts.hidden, prompts.valid, options.token_limit, hook);
    for (std::size_t i = 0; i < said.size(); ++i) spoken[begin + i].text = tokenizer.decode(said[i]);
    progress.add(end - begin);
  }
  return spoken;
}

}  // namespace trainer
