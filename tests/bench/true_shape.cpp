// A LLaVA of true size with random weights: loads, trains two steps of full_safe, and answers ten questions
// under two conditions.
//
//   random_llava.py FOLDER 7b        (small takes a minute, and shows the same)
//   bench_true_shape FOLDER float32|bfloat16
//
// Prints seconds and peak memory of each part, and what `safe-trainer plan` says of the same. One image, 576
// positions; clips and pictures are random vectors. The answers are noise: only their cost is of interest.
#include <sys/resource.h>

#include <fmt/format.h>

#include <chrono>
#include <functional>

#include "common/error.hpp"
#include "common/program.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/evaluate/speak.hpp"
#include "trainer/model/tokenizer_training.hpp"
#include "trainer/run/plan.hpp"
#include "trainer/train/train.hpp"

namespace {

using namespace trainer;

constexpr std::int64_t k_sound_width = 512, k_clips = 4, k_questions = 4, k_asked = 10, k_text = 30,
                       k_answer = 3;

double peak_gb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e9;
}

void measure(const char* what, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{:<40} {:8.1f} s   peak {:6.2f} GB\n", what, seconds, peak_gb());
  std::fflush(stdout);
}

// Tokens that are no words: no text of a real tokenizer is needed.
Row row_of(const Llava& base, std::int64_t number, std::int64_t positions) {
  Row row;
  row.ids = {1};
  row.ids.insert(row.ids.end(), static_cast<std::size_t>(positions), base.config().image_token);
  row.fused_begin = positions > 0 ? 1 + positions : 0;
  for (std::int64_t i = 0; i < k_text + k_answer; ++i) row.ids.push_back(5 + (7 * i + 13 * number) % 1000);
  row.answer_begin = static_cast<std::int64_t>(row.ids.size()) - k_answer;
  return row;
}

RunConfig config_for(const Decoder& decoder) {
  const std::int64_t width = decoder.width();
  RunConfig config;
  config.variant = "full_safe";
  config.model_config = "full";
  apply_model_config(config);
  if (decoder.layers() <= 24) config.fusion.layers = {3, 6, 12};
  config.fusion.heads = width / 128;
  config.fusion.width = config.projector.width = width;
  config.projector.audio_width = k_sound_width;
  config.retention = preset_of("full_safe");
  config.retention.batch_size = 2;
  config.retention.fisher.every = 2;
  config.retention.fisher.samples = 1;
  config.retention.null_space->row_minimum = 1;
  config.train_batch_size = 2;
  config.epochs = 1;
  config.checkpoint_every = 0;
  config.verbosity = common::Verbosity::quiet;
  return config;
}

PlanInputs inputs_for(Llava& base, const Compute& compute) {
  PlanInputs inputs;
  inputs.decoder = base.config().text;
  for (const auto& [name, tensor] : base.parameters())
    inputs.base_parameters += static_cast<std::uint64_t>(tensor.numel());
  inputs.placement = base.placement();
  inputs.threads_rows = compute.rows_at_once(0);
  inputs.head_positions = 1 + base.config().image_positions();
  inputs.question_positions = k_text + k_answer;
  inputs.clip_positions = 1 + k_text + k_answer;
  inputs.clips = inputs.caption_rows = k_clips;
  inputs.retention_questions = k_questions;
  inputs.questions = k_asked;
  inputs.retention_images = inputs.question_images = 1;
  inputs.device_free = inputs.host_free = 24'000'000'000;
  return inputs;
}

int bench_main(int argc, char** argv) {
  if (argc != 3) throw common::Error(common::ErrorKind::usage, "bench_true_shape takes a folder and a type");
  const Placement placement{std::string(argv[2]) == "bfloat16" ? torch::kBFloat16 : torch::kFloat32,
                            torch::kCPU};
  std::optional<Llava> loaded;
  measure("load", [&] { loaded.emplace(Llava::load(ModelFolder(argv[1]), placement)); });
  TokenizerTraining words;
  words.phrases = prompt_phrases();
  words.lines = {"a b c"};
  at::Generator generator = make_generator(6, "bench");
  RunConfig config = config_for(loaded->decoder());
  const Compute compute(0, config.fusion.width, placement);
  const PlanInputs inputs = inputs_for(*loaded, compute);
  Experiment experiment{std::move(*loaded),
                        Tokenizer::parse(train_tokenizer(words), "tokenizer.json"),
                        torch::randn({k_sound_width}, generator),
                        {}};
  const Llava& base = experiment.base;
  experiment.train.vectors = torch::randn({k_clips, k_sound_width}, generator);
  const std::int64_t first = config.fusion.layers.front();
  torch::Tensor head;
  std::shared_ptr<const KvCache> prefix;
  measure("the image, in every layer", [&] {
    const torch::Tensor features =
        torch::randn({base.config().image_positions(), base.decoder().width()}, generator)
            .mul_(0.02)
            .to(placement.dtype);
    head = embed_head(base, row_of(base, 0, base.config().image_positions()), features);
    torch::Tensor states;
    prefix = std::make_shared<KvCache>(
        base.decoder().run_prefix(head.unsqueeze(0), 0, [&](std::int64_t layer, const torch::Tensor& hidden) {
          if (layer == first) states = hidden;
          return hidden;
        }));
    experiment.retention_prefixes = PrefixStore(1, first + 1, Kept::keys, {});
    experiment.retention_prefixes.put(0, states, *prefix);
  });
  measure("4 clips and 4 questions", [&] {
    for (std::int64_t i = 0; i < k_clips; ++i) {
      experiment.train_rows.push_back(
          encode_row(base, row_of(base, i, 0), {}, nullptr, first, Teacher::not_asked));
      experiment.train_clips.push_back(i);
    }
    for (std::int64_t i = 0; i < k_questions; ++i) {
      experiment.retention_rows.push_back(encode_row(base, row_of(base, i, base.config().image_positions()),
                                                     head, prefix, first, Teacher::asked));
      experiment.retention_rows.back().prefix = 0;
    }
  });
  SafeModel model(base, experiment.silence, config.projector, config.fusion, config.seed);
  Mechanisms mechanisms = make_mechanisms(config);
  const support::Scratch scratch;
  RunDirectory run =
      RunDirectory::create(scratch.path(), config.variant, {}, std::chrono::system_clock::now());
  measure("null space, and two steps",
          [&] { (void)train(config, experiment, model, mechanisms, run, "bench", compute, {}); });
  measure("10 answers, two conditions", [&] {
    std::vector<EncodedRow> rows;
    std::vector<SpokenRow> asked;
    for (std::int64_t i = 0; i < k_asked; ++i)
      rows.push_back(encode_row(base, row_of(base, 50 + i, base.config().image_positions()), head, prefix,
                                first, Teacher::not_asked));
    for (const EncodedRow& row : rows) asked.push_back({&row, head});
    AnswerLog log;
    const torch::Tensor clips = torch::randn({k_asked, k_sound_width}, generator);
    const SpokenSet said =
        speak(model, experiment.tokenizer, asked, {{{}, 1.0}, {clips, 1.0}},
              {16, 4, config.fusion.positions, "asking", common::Verbosity::quiet}, compute, log);
    for (const Spoken& one : said.safe[0])
      if (!one.same_bits)
        throw common::Error(common::ErrorKind::mismatch, "without sound SAFE is not its base");
    fmt::print("without sound SAFE is its base, bit for bit, in {} questions\n", said.safe[0].size());
  });
  fmt::print("\nsafe-trainer plan, of the same:\n{}", text_of(make_plan(config, inputs), inputs));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("bench_true_shape", [&] { return bench_main(argc, argv); });
}
