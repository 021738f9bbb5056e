#include "trainer/evaluate/speak.hpp"

#include <algorithm>
#include <span>

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
           std::span<Spoken> out) {
  const torch::Tensor log_p = torch::log_softmax(logits.to(torch::kFloat32), -1);
  const torch::Tensor log_base = torch::log_softmax(base_logits.to(torch::kFloat32), -1);
  const torch::Tensor nll = -log_p.gather(1, batch.targets.unsqueeze(1)).squeeze(1);
  const torch::Tensor kl = (log_base.exp() * (log_base - log_p)).sum(-1);
  std::int64_t begin = 0;
  for (std::size_t b = 0; b < out.size(); ++b) {
    const std::int64_t end = begin + batch.counts[b];
    out[b].nll = nll.slice(0, begin, end).mean().item<double>();
    out[b].kl = kl.slice(0, begin, end).mean().item<double>();
    out[b].same_bits = logits.slice(0, begin, end).equal(base_logits.slice(0, begin, end));
    begin = end;
  }
}

// Rows [begin, begin + out.size()) of a larger set.
void speak_batch(const SafeModel& model, const Tokenizer& tokenizer, const std::vector<SpokenRow>& rows,
                 Voice voice, const AudioInput& audio, const SpeakOptions& options, std::span<Spoken> out) {
  std::vector<EncodedRow> encoded;
  std::vector<std::int64_t> which;
  for (const SpokenRow& row : rows) {
    which.push_back(static_cast<std::int64_t>(encoded.size()));
    encoded.push_back(*row.row);
  }
  const Batch batch = make_batch(encoded, which, options.positions, model.device());
  const torch::Tensor base_logits = model.base_answer_logits(batch);
  const torch::Tensor logits = voice == Voice::base ? base_logits : model.answer_logits(batch, audio);
  score(batch, logits, base_logits, out);

  const PromptBatch prompts = make_prompts(model.base(), rows, options.positions);
  const LayerHook hook = voice == Voice::base ? LayerHook{} : model.hook(audio, prompts.fused);
  const std::vector<TokenIds> said =
      generate(model.base(), prompts.hidden, prompts.valid, options.token_limit, hook);
  for (std::size_t i = 0; i < said.size(); ++i) out[i].text = tokenizer.decode(said[i]);
}

}  // namespace

std::vector<Spoken> speak(const SafeModel& model, const Tokenizer& tokenizer,
                          const std::vector<SpokenRow>& rows, Voice voice, const Hearing& hearing,
                          const SpeakOptions& options, const Compute& compute) {
  std::vector<Spoken> spoken(rows.size());
  common::Progress progress(options.what, "rows", rows.size(), options.verbosity);
  const auto size = static_cast<std::size_t>(options.batch_size);
  compute.for_each((rows.size() + size - 1) / size, [&](std::size_t index) {
    const torch::NoGradGuard no_graph;
    const std::size_t begin = index * size;
    const std::size_t end = std::min(rows.size(), begin + size);
    AudioInput audio;
    if (hearing.clips.defined())
      audio =
          model.hear(hearing.clips.slice(0, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end)),
                     hearing.gate);
    const std::vector<SpokenRow> some(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                      rows.begin() + static_cast<std::ptrdiff_t>(end));
    speak_batch(model, tokenizer, some, voice, audio, options, std::span(spoken).subspan(begin, end - begin));
    progress.add(end - begin);
  });
  return spoken;
}

}  // namespace trainer
