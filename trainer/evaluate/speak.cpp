#include "trainer/evaluate/speak.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <span>
#include <utility>

#include "common/error.hpp"
#include "common/program.hpp"
#include "trainer/model/beam_search.hpp"
#include "trainer/model/generate.hpp"
#include "trainer/model/memory.hpp"
#include "trainer/model/prefix_store.hpp"
#include "trainer/train/experiment.hpp"

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

// Rows begin .. end - 1 of all.
struct Span {
  std::size_t begin = 0, end = 0;
};

// A GPU takes no more rows at once than half of its free memory holds keys and values of. `row` is one of
// them.
std::size_t rows_at_once(const SafeModel& model, const SpokenRow& row, const SpeakOptions& options) {
  const auto asked = static_cast<std::size_t>(options.batch_size);
  if (!model.device().is_cuda()) return asked;
  constexpr std::int64_t k_positions = 128;  // of a question, and of what is said
  const std::uint64_t bytes = model.base().decoder().prefix_bytes(0, row.row->row.fused_begin + k_positions);
  return std::clamp<std::size_t>(free_bytes(model.device()) / 2 / bytes, 1, asked);
}

// One evaluation's rows and what is said of them so far.
class Interview {
 public:
  Interview(const SafeModel& model, const Tokenizer& tokenizer, const std::vector<SpokenRow>& rows,
            const std::vector<Hearing>& hearings, const SpeakOptions& options, const Compute& compute,
            AnswerLog& log)
      : model_(model),
        tokenizer_(tokenizer),
        rows_(rows),
        hearings_(hearings),
        options_(options),
        compute_(compute),
        log_(log),
        voices_(hearings.size() + 1, std::vector<Spoken>(rows.size())),
        progress_(options.what, "answers", rows.size() * voices_.size(), options.verbosity) {}

  // Each process asks its own, and in the end all know all of them.
  SpokenSet run() {
    const std::vector<Span> spans = spans_of_rows();
    if (compute_.group().is_alone())
      compute_.for_each(spans.size(), [&](std::size_t i) { place(spans[i], known_or_asked(spans[i])); });
    else
      ask_together(spans);
    ENSURE(placed_ == rows_.size());
    SpokenSet set;
    set.base = std::move(voices_.front());
    set.safe.assign(std::make_move_iterator(voices_.begin() + 1), std::make_move_iterator(voices_.end()));
    return set;
  }

 private:
  [[nodiscard]] bool is_own(const Span& span) const {
    return is_asked_here(compute_.group(), options_.batch_size, span.begin);
  }

  // As many as all processes have memory for.
  [[nodiscard]] std::size_t agreed_rows_at_once() const {
    const auto block = static_cast<std::size_t>(options_.batch_size);
    std::size_t own = block;
    for (std::size_t i = 0; i < rows_.size(); i += block)
      if (is_asked_here(compute_.group(), options_.batch_size, i)) {
        own = rows_at_once(model_, rows_[i], options_);
        break;
      }
    return static_cast<std::size_t>(compute_.group().least(static_cast<std::int64_t>(own)));
  }

  // No batch has rows of two processes.
  [[nodiscard]] std::vector<Span> spans_of_rows() const {
    std::vector<Span> spans;
    const auto block = static_cast<std::size_t>(options_.batch_size);
    const std::size_t at_once = agreed_rows_at_once();
    for (std::size_t begin = 0; begin < rows_.size();) {
      const std::size_t end = std::min({rows_.size(), begin + at_once, (begin / block + 1) * block});
      spans.push_back({begin, end});
      begin = end;
    }
    return spans;
  }

  [[nodiscard]] std::optional<SpokenBatch> known(const Span& span) const {
    return log_.find(options_.what, span.begin, voices_.size(), span.end - span.begin);
  }

  [[nodiscard]] SpokenBatch ask(const Span& span) const {
    const torch::NoGradGuard no_graph;
    SpokenBatch batch;
    const Scene scene =
        prepare(model_, std::span(rows_).subspan(span.begin, span.end - span.begin), options_);
    batch.push_back(speak_batch(model_, tokenizer_, scene, nullptr, options_));
    for (Hearing hearing : hearings_) {
      if (hearing.clips.defined())
        hearing.clips = hearing.clips.slice(0, static_cast<std::int64_t>(span.begin),
                                            static_cast<std::int64_t>(span.end));
      batch.push_back(speak_batch(model_, tokenizer_, scene, &hearing, options_));
    }
    return batch;
  }

  SpokenBatch known_or_asked(const Span& span) {
    if (std::optional<SpokenBatch> batch = known(span)) return *std::move(batch);
    SpokenBatch batch = ask(span);
    log_.add(options_.what, span.begin, batch);
    return batch;
  }

  void place(const Span& span, SpokenBatch batch) {
    for (std::size_t v = 0; v < voices_.size(); ++v)
      std::move(batch[v].begin(), batch[v].end(),
                voices_[v].begin() + static_cast<std::ptrdiff_t>(span.begin));
    placed_ += span.end - span.begin;
    progress_.add((span.end - span.begin) * voices_.size());
  }

  // A few batches, then everybody tells everybody, and the first process writes them down.
  void ask_together(const std::vector<Span>& spans) {
    constexpr std::size_t k_batches_a_round = 8;
    std::vector<Span> own;
    for (const Span& span : spans)
      if (std::optional<SpokenBatch> batch = known(span))
        place(span, *std::move(batch));
      else if (is_own(span))
        own.push_back(span);
    const ProcessGroup& group = compute_.group();
    for (std::size_t done = 0; group.any(done < own.size());) {
      const std::size_t count = std::min(k_batches_a_round, own.size() - done);
      std::vector<SpokenBatch> asked(count);
      std::vector<std::function<void()>> tasks;
      for (std::size_t i = 0; i < count; ++i) tasks.emplace_back([&, i] { asked[i] = ask(own[done + i]); });
      compute_.run(tasks);
      common::Json told = common::Json::array();
      for (std::size_t i = 0; i < count; ++i) {
        const Span& span = own[done + i];
        told.push_back({span.begin, span.end, to_json(asked[i])});
      }
      done += count;
      hear_from_all(told);
      if (group.any(common::stop_requested()))
        throw common::Error(common::ErrorKind::interrupted,
                            "interrupted; run the same command again to go on");
    }
  }

  void hear_from_all(const common::Json& told) {
    // CBOR has every double, not a number too.
    const std::vector<std::uint8_t> bytes = common::Json::to_cbor(told);
    for (const std::string& text : compute_.group().gather(std::string(bytes.begin(), bytes.end())))
      for (const common::Json& one : common::Json::from_cbor(text)) {
        const Span span{one.at(0).get<std::size_t>(), one.at(1).get<std::size_t>()};
        SpokenBatch batch = spoken_from(one.at(2));
        log_.add(options_.what, span.begin, batch);
        place(span, std::move(batch));
      }
  }

  const SafeModel& model_;
  const Tokenizer& tokenizer_;
  const std::vector<SpokenRow>& rows_;
  const std::vector<Hearing>& hearings_;
  const SpeakOptions& options_;
  const Compute& compute_;
  AnswerLog& log_;
  std::vector<std::vector<Spoken>> voices_;
  common::Progress progress_;
  std::atomic<std::size_t> placed_ = 0;  // rows
};

}  // namespace

SpokenSet speak(const SafeModel& model, const Tokenizer& tokenizer, const std::vector<SpokenRow>& rows,
                const std::vector<Hearing>& hearings, const SpeakOptions& options, const Compute& compute,
                AnswerLog& log) {
  return Interview(model, tokenizer, rows, hearings, options, compute, log).run();
}

}  // namespace trainer
