// What it costs to encode clips and pictures once for a run, and once again for every step that sees them.
//
//   bench_step PACK BASE [STEPS]      BASE holds vl/ and audio/, as safe-trainer make-base leaves them
//
// STEPS is 120; Fisher acts from step 100 on, so fewer than 104 are refused. "again" is what a training step
// adds when its 32 clips and 16 pictures are decoded and run through the frozen encoders inside the step, one
// item at a time on all threads, as a run does once at its start.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "common/error.hpp"
#include "common/program.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/model/open_model.hpp"
#include "trainer/samples/streams.hpp"
#include "trainer/train/experiment.hpp"
#include "trainer/train/train.hpp"

namespace {

namespace fs = std::filesystem;
using namespace trainer;

constexpr std::int64_t k_clips = 32, k_questions = 16;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

RunConfig config_for(const std::string& variant, const fs::path& base) {
  RunConfig config;
  config.variant = variant;
  config.retention = preset_of(variant);
  config.base = base / "vl";
  config.audio_encoder = base / "audio";
  config.train_batch_size = k_clips;
  config.checkpoint_every = 0;
  config.verbosity = common::Verbosity::quiet;
  apply_model_config(config);
  return config;
}

struct Bench {
  packer::VerifiedPack pack;
  RunConfig config;
  std::unique_ptr<AudioEncoder> audio;
  Compute compute;
  Experiment experiment;
  double encode_s = 0;
};

Bench open_bench(const fs::path& pack_root, const fs::path& base_root) {
  RunConfig config = config_for("no_retention", base_root);
  find_models(config);
  packer::VerifiedPack pack = packer::open_pack(pack_root, {std::nullopt, 0, common::Verbosity::quiet});
  FrozenModels models = open_models(config);
  std::unique_ptr<AudioEncoder> audio = open_audio_encoder(config.audio_encoder, models.placement);
  const Compute compute(0, config.fusion.width, models.placement);
  std::optional<Experiment> experiment;
  const double encode_s = seconds_of([&] {
    experiment.emplace(open_experiment(pack, select_samples(read_samples(pack), config), config,
                                       std::move(models), {}, compute));
  });
  return {std::move(pack), config, std::move(audio), compute, std::move(*experiment), encode_s};
}

// Seconds of one training step, from a run of `steps`.
double step_s(Bench& bench, const std::string& variant, std::int64_t steps, const fs::path& scratch) {
  RunConfig config = bench.config;
  config.variant = variant;
  config.retention = preset_of(variant);
  const auto rows = static_cast<std::int64_t>(bench.experiment.train_rows.size());
  const std::int64_t per_epoch = (rows + k_clips - 1) / k_clips;
  config.epochs = std::max<std::int64_t>(1, steps / per_epoch);
  SafeModel model(*bench.experiment.base, bench.experiment.silence, config.projector, config.fusion, 1);
  Mechanisms mechanisms = make_mechanisms(config);
  RunDirectory run = RunDirectory::create(scratch, variant, {}, std::chrono::system_clock::now());
  const double took = seconds_of(
      [&] { train(config, bench.experiment, model, mechanisms, &run, "bench", bench.compute, {}); });
  return took / static_cast<double>(config.epochs * per_epoch);
}

double clips_again_s(const Bench& bench) {
  const std::vector<ClipItem>& items = bench.experiment.train.items;
  std::vector<common::PackPath> clips;
  for (std::size_t i = 0; i < k_clips; ++i) clips.push_back(items[i % items.size()].sample.path);
  common::Progress progress("encoding", "clips", clips.size(), common::Verbosity::quiet);
  return seconds_of(
      [&] { (void)encode_clips(bench.pack, *bench.audio, clips, {}, bench.compute, progress); });
}

double pictures_again_s(const Bench& bench) {
  std::vector<QuestionSample> questions = bench.experiment.selection.retention;
  questions.resize(std::min<std::size_t>(questions.size(), k_questions));
  const PixelsConfig pixels = load_pixels_config(bench.config.base);
  return seconds_of(
      [&] { (void)encode_images(bench.pack, *bench.experiment.base, pixels, questions, {}, bench.compute); });
}

int bench_main(int argc, char** argv) {
  if (argc < 3)
    throw common::Error(common::ErrorKind::usage, "bench_step PACK BASE [STEPS] takes a pack and a base");
  const std::int64_t steps = argc > 3 ? std::atoll(argv[3]) : 120;
  Bench bench = open_bench(argv[1], argv[2]);
  const support::Scratch scratch;
  (void)clips_again_s(bench);
  const double clips = clips_again_s(bench);
  const double pictures = pictures_again_s(bench);
  fmt::print("| | cached | clips and pictures encoded in every step |\n|---|---|---|\n");
  for (const std::string& variant : k_variants) {
    const double cached = step_s(bench, variant, steps, scratch.path());
    const double again = cached + clips + (variant == "no_retention" ? 0 : pictures);
    fmt::print("| {} | {:.1f} ms a step | {:.1f} ms a step, {:.1f} times |\n", variant, cached * 1e3,
               again * 1e3, again / cached);
  }
  fmt::print("\nencoding once for the run: {:.2f} s; {} clips {:.1f} ms, {} pictures {:.1f} ms\n",
             bench.encode_s, k_clips, clips * 1e3, k_questions, pictures * 1e3);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("bench_step", [&] { return bench_main(argc, argv); });
}
