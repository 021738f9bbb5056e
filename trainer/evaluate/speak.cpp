#include "trainer/evaluate/speak.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "trainer/model/beam_search.hpp"
#include "trainer/model/generate.hpp"
#include "trainer/model/memory.hpp"
#include "trainer/model/prefix_store.hpp"

namespace trainer {
namespace {

// What is computed of a batch once, whoever speaks.
struct Scene {
  Batch answers;               // for the likelihood of the references
  torch::Tensor base_logits;   // [N, V]
  torch::Tensor prompts;       // [B, L, H], padded on the left so that all end where generation begins
  torch::Tensor prompt_valid;  // [B, L]
};

std::shared_ptr<const KvCache> prefix_of(const VisionLanguageBase& base, std::span<const SpokenRow> rows,
                                         FusionPositions positions) {
  const bool has_image = rows.front().row->row.fused_begin > 0;
  if (!has_image || positions == FusionPositions::all) return nullptr;
  torch::Tensor image;  // of the row before: questions about one image often follow each other
  KvCache prefix;
  return stack_prefixes(static_cast<std::int64_t>(rows.size()), [&](std::int64_t row) {
    const torch::Tensor& head = rows[static_cast<std::size_t>(row)].head;
    if (!std::exchange(image, head).is_same(head))
      prefix = base.decoder().run_prefix(head.to(base.placement().device).unsqueeze(0), 0);
    return prefix;
  });
}

void fill_prompts(const VisionLanguageBase& base, std::span<const SpokenRow> rows, Scene& scene) {
  std::vector<torch::Tensor> embedded;
  std::int64_t length = 0;
  for (const SpokenRow& spoken : rows) {
    embedded.push_back(embed_rest(base, spoken.row->row, spoken.head, spoken.row->begin,
                                  spoken.row->row.answer_begin));  // [l, H]
    length = std::max(length, embedded.back().size(0));
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  scene.prompts = torch::zeros({count, length, embedded.front().size(1)}, embedded.front().options());
  scene.prompt_valid = torch::zeros({count, length}, torch::kBool);
  for (std::int64_t b = 0; b < count; ++b) {
    const torch::Tensor& one = embedded[static_cast<std::size_t>(b)];
    scene.prompts[b].slice(0, length - one.size(0)).copy_(one);
    scene.prompt_valid[b].slice(0, length - one.size(0)).fill_(true);
  }
  scene.prompt_valid = scene.prompt_valid.to(scene.prompts.device());
}

Scene prepare(const SafeModel& model, std::span<const SpokenRow> rows, const SpeakOptions& options) {
  std::vector<const EncodedRow*> encoded;
  for (const SpokenRow& row : rows) encoded.push_back(row.row);
  Scene scene;
  scene.answers = make_batch(encoded, prefix_of(model.base(), rows, options.positions), model.device());
  scene.base_logits = model.base_answer_logits(scene.answers);
  fill_prompts(model.base(), rows, scene);
  return scene;
}

// nll, kl and bits of each row of a batch, from logits at its supervised positions [N, V].
void score(const Scene& scene, const torch::Tensor& logits, std::span<Spoken> out) {
  const torch::Tensor log_p = torch::log_softmax(logits.to(torch::kFloat32), -1);
  const torch::Tensor log_base = torch::log_softmax(scene.base_logits.to(torch::kFloat32), -1);
  const torch::Tensor nll = -log_p.gather(1, scene.answers.targets.unsqueeze(1)).squeeze(1);
  const torch::Tensor kl = (log_base.exp() * (log_base - log_p)).sum(-1);
  std::int64_t begin = 0;
  for (std::size_t b = 0; b < out.size(); ++b) {
    const std::int64_t end = begin + scene.answers.counts[b];
    out[b].nll = nll.slice(0, begin, end).mean().item<double>();
    out[b].kl = kl.slice(0, begin, end).mean().item<double>();
    out[b].same_bits = logits.slice(0, begin, end).equal(scene.base_logits.slice(0, begin, end));
    begin = end;
  }
}

// What the rows hear: clips [B, D], or nothing where they are undefined.
AudioInput hear(const SafeModel& model, const Hearing& hearing) {
  return hearing.clips.defined() ? model.hear(hearing.clips, hearing.gate) : AudioInput{};
}

std::vector<TokenIds> answer(const SafeModel& model, const Scene& scene, const Hearing* hearing,
                             const AudioInput& audio, const SpeakOptions& options) {
  const Decoder& decoder = model.base().decoder();
  const std::int64_t eos = model.base().tokens().eos;
  if (options.beams == 1)
    return generate(decoder, eos, scene.prompts, scene.prompt_valid, options.token_limit,
                    hearing == nullptr ? LayerHook{} : model.hook(audio), scene.answers.prefix);
  LayerHook hook;
  AudioInput copies;  // one a beam
  if (hearing != nullptr) {
    if (hearing->clips.defined())
      copies = model.hear(hearing->clips.repeat_interleave(options.beams, 0), hearing->gate);
    hook = model.hook(copies);
  }
  return beam_search(decoder, eos, scene.prompts, scene.prompt_valid, options.token_limit, options.beams,
                     hook, scene.answers.prefix);
}

// Null hearing: the base, with no adapter in the computation at all.
std::vector<Spoken> speak_batch(const SafeModel& model, const Tokenizer& tokenizer, const Scene& scene,
                                const Hearing* hearing, const SpeakOptions& options) {
  std::vector<Spoken> spoken(scene.answers.counts.size());
  const AudioInput audio = hearing == nullptr ? AudioInput{} : hear(model, *hearing);
  score(scene, hearing == nullptr ? scene.base_logits : model.answer_logits(scene.answers, audio), spoken);
  const std::vector<TokenIds> said = answer(model, scene, hearing, audio, options);
  for (std::size_t i = 0; i < said.size(); ++i) spoken[i].text = tokenizer.decode(said[i]);
  return spoken;
}

// A GPU takes no more rows at once than half of its free memory holds keys and values of.
std::size_t rows_at_once(const SafeModel& model, const std::vector<SpokenRow>& rows,
                         const SpeakOptions& options) {
  const auto asked = static_cast<std::size_t>(options.batch_size);
  if (!model.device().is_cuda() || rows.empty()) return asked;
  constexpr std::int64_t k_positions = 128;  // of a question, and of what is said
  const std::uint64_t row =
      model.base().decoder().prefix_bytes(0, rows.front().row->row.fused_begin + k_positions);
  return std::clamp<std::size_t>(free_bytes(model.device()) / 2 / row, 1, asked);
}

}  // namespace

SpokenSet speak(const SafeModel& model, const Tokenizer& tokenizer, const std::vector<SpokenRow>& rows,
                const std::vector<Hearing>& hearings, const SpeakOptions& options, const Compute& compute,
                AnswerLog& log) {
  std::vector<std::vector<Spoken>> voices(hearings.size() + 1, std::vector<Spoken>(rows.size()));
  common::Progress progress(options.what, "answers", rows.size() * voices.size(), options.verbosity);
  const std::size_t size = rows_at_once(model, rows, options);
  compute.for_each((rows.size() + size - 1) / size, [&](std::size_t index) {
    const torch::NoGradGuard no_graph;
    const std::size_t begin = index * size;
    const std::size_t end = std::min(rows.size(), begin + size);
    std::optional<SpokenBatch> batch = log.find(options.what, index, voices.size(), end - begin);
    if (!batch) {
      const Scene scene = prepare(model, std::span(rows).subspan(begin, end - begin), options);
      batch.emplace();
      batch->push_back(speak_batch(model, tokenizer, scene, nullptr, options));
      for (Hearing hearing : hearings) {
        if (hearing.clips.defined())
          hearing.clips =
              hearing.clips.slice(0, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
        batch->push_back(speak_batch(model, tokenizer, scene, &hearing, options));
      }
      log.add(options.what, index, *batch);
    }
    for (std::size_t v = 0; v < voices.size(); ++v)
      std::move((*batch)[v].begin(), (*batch)[v].end(),
                voices[v].begin() + static_cast<std::ptrdiff_t>(begin));
    progress.add((end - begin) * voices.size());
  });
  SpokenSet set;
  set.base = std::move(voices.front());
  set.safe.assign(std::make_move_iterator(voices.begin() + 1), std::make_move_iterator(voices.end()));
  return set;
}

}  // namespace trainer
