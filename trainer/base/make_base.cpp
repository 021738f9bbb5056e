#include "trainer/base/make_base.hpp"

#include "common/error.hpp"
#include "common/json.hpp"
#include "trainer/base/base_folder.hpp"
#include "trainer/base/base_training.hpp"
#include "trainer/base/tiny_models.hpp"
#include "trainer/model/clap_encoder.hpp"
#include "trainer/model/tokenizer_training.hpp"

namespace trainer {
namespace {

constexpr const char* k_width = "width";

common::Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

std::string base_tokenizer(const PackSamples& samples) {
  TokenizerTraining training;
  training.phrases = prompt_phrases();
  for (const QuestionSample& question : samples.base) {
    training.lines.push_back(question.question);
    for (const std::string& answer : question.answers) training.lines.push_back(answer);
  }
  for (const std::string& caption : samples.base_captions) training.lines.push_back(caption);
  training.lines.push_back(samples.base_question);
  if (!samples.held_out.empty() && samples.held_out.front().question != samples.base_question)
    training.lines.push_back(samples.held_out.front().question);
  return train_tokenizer(training);
}

common::Json recipe_of(const MakeBaseRequest& request, const packer::VerifiedPack& pack) {
  return {{"format", 3},  // 2: the patches of the vision tower were not whitened
          {"pack_id", pack.id().hex()},
          {k_width, request.width},
          {"steps", request.steps},
          {"batch_size", request.batch_size},
          {"learning_rate", request.learning_rate},
          {"seed", request.seed}};
}

// Of an earlier base that is whole and was made from the same pack with the same numbers.
std::optional<MakeBaseSummary> find_same(const std::filesystem::path& out, const common::Json& recipe,
                                         unsigned threads) {
  const std::optional<common::Json> record = read_base_record(out, threads);
  if (!record) return std::nullopt;
  for (const auto& [key, value] : recipe.items()) {
    // Records before there was a choice have no width.
    const bool as_always = key == k_width && !record->contains(key) && value == k_base_width;
    if (!as_always && (!record->contains(key) || record->at(key) != value)) return std::nullopt;
  }
  const std::string where = (out / k_base_record_name).string();
  const auto vl = common::parse_digest(common::string_member(*record, "vl_digest", where));
  const auto audio = common::parse_digest(common::string_member(*record, "audio_digest", where));
  if (!vl || !audio) return std::nullopt;
  return MakeBaseSummary{*vl,
                         *audio,
                         common::integer_member(*record, "questions", where),
                         common::integer_member(*record, "captions", where),
                         common::number_member(*record, "loss", where),
                         true};
}

void put_vl(common::Draft& draft, Llava& base, const Tokenizer& tokenizer) {
  ModelFiles files = base.files();
  files["tokenizer.json"] = bytes_of(tokenizer.json());
  files["tokenizer_config.json"] = bytes_of(common::dump_pretty(tokenizer_config()));
  files["preprocessor_config.json"] =
      bytes_of(common::dump_pretty(format_pixels_config(tiny_pixels_config())));
  put_model(draft, "vl", files);
}

void put_audio(common::Draft& draft, std::int64_t seed) {
  ModelFiles files = make_tiny_clap(seed).files();
  files["preprocessor_config.json"] =
      bytes_of(common::dump_pretty(format_log_mel_config(tiny_log_mel_config())));
  put_model(draft, "audio", files);
}

// As a run will name them: by the files that it reads.
common::Digest digest_vl(const std::filesystem::path& folder) {
  const ModelFolder model(folder);
  (void)Llava::load(model);
  (void)Tokenizer::load(model);
  (void)load_pixels_config(model);
  return model.digest();
}

common::Digest digest_audio(const std::filesystem::path& folder) {
  const ModelFolder model(folder);
  (void)ClapEncoder::load(model, {});
  return model.digest();
}

}  // namespace

MakeBaseSummary make_base(const MakeBaseRequest& request) {
  common::check_replaceable(request.out, base_replaceable());
  const packer::VerifiedPack pack =
      packer::open_pack(request.pack, {std::nullopt, request.threads, request.verbosity});
  common::Json record = recipe_of(request, pack);
  if (auto same = find_same(request.out, record, request.threads)) return *same;

  const PackSamples samples = read_samples(pack);
  if (samples.base.empty())
    throw common::Error(
        common::ErrorKind::mismatch,
        request.pack.string() +
            " has no base_manifest.json; make one with safe-manifest base and build the pack with it");
  common::Draft draft(request.out, base_replaceable());
  draft.remove_all_but([](const std::string&) { return false; });
  const Tokenizer tokenizer = Tokenizer::parse(base_tokenizer(samples), "tokenizer.json");
  Llava base = make_tiny_llava(tiny_llava_config(request.width, tokenizer.size(), tokenizer.id_of("<image>"),
                                                 tokenizer.id_of("<pad>")),
                               request.seed);
  const TrainingRows rows = make_rows(pack, samples, PromptWriter(base, tokenizer), request);
  MakeBaseSummary summary;
  summary.loss = train_base(base, rows, request);
  summary.questions = static_cast<std::int64_t>(samples.base.size());
  summary.captions = static_cast<std::int64_t>(rows.captions.size());

  put_vl(draft, base, tokenizer);
  put_audio(draft, request.seed);
  summary.vl_digest = digest_vl(draft.folder().path_of("vl"));
  summary.audio_digest = digest_audio(draft.folder().path_of("audio"));
  record["questions"] = summary.questions;
  record["captions"] = summary.captions;
  record["loss"] = summary.loss;
  record["vl_digest"] = summary.vl_digest.hex();
  record["audio_digest"] = summary.audio_digest.hex();
  publish_base(draft, record);
  return summary;
}

}  // namespace trainer
