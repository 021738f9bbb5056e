#include "trainer/report/pack_check.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "common/json.hpp"
#include "manifest/datasets/scorer.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"
#include "trainer/results/vqa_accuracy.hpp"
#include "trainer/samples/samples.hpp"

namespace trainer {
namespace {

constexpr const char* k_file = "predictions.jsonl";
constexpr std::uint64_t k_config_limit_bytes = std::uint64_t{64} << 20;

class PackCheck {
 public:
  // `captions`: references of each clip; 0: all that it has.
  PackCheck(const PackSamples& samples, std::size_t captions) : captions_(captions) {
    for (const QuestionSample& question : samples.validation)
      questions_.emplace(std::to_string(question.question_id), &question);
    for (const QuestionSample& question : samples.unlike)
      unlike_.emplace(std::to_string(question.question_id), &question);
    for (const auto* clips : {&samples.clips, &samples.held_out})
      for (const ClipSample& clip : *clips) clips_.emplace(clip.clip_id, &clip);
  }

  void check(std::size_t number, const Prediction& item) {
    where_ = fmt::format("line {} ({})", number, item_key(item));
    if (item.kind == PredictionKind::audio) {
      const auto found = clips_.find(item.id);
      if (found == clips_.end()) return find("the pack has no such clip");
      std::vector<std::string> captions = found->second->captions;
      if (captions_ > 0 && captions_ < captions.size()) captions.resize(captions_);
      require("references", item.references, captions);
      require("scorer", manifest::name_of(scorer_of(item)), manifest::name_of(found->second->scorer));
      return;
    }
    const auto& questions = parts_of(item.condition).set == question_set::k_unlike ? unlike_ : questions_;
    const auto found = questions.find(item.id);
    if (found == questions.end()) return find("the pack has no such question");
    const QuestionSample& question = *found->second;
    require("question", item.question, question.question);
    require("references", item.references, question.answers);
    require("answer_type", item.answer_type, answer_type_of(question.majority_answer));
    require("scorer", manifest::name_of(scorer_of(item)), manifest::name_of(usual_scorer(item.kind)));
    if (item.distractor && !clips_.contains(*item.distractor))
      find(fmt::format("the pack has no clip {}", *item.distractor));
  }

  common::Findings findings;

 private:
  void find(const std::string& what) {
    findings.push_back({k_file, "R9", fmt::format("{}: {}", where_, what)});
  }
  template <typename T>
  void require(const char* field, const T& found, const T& expected) {
    if (found != expected)
      find(fmt::format("{} is {}; the pack has {}", field, common::dump_line(found),
                       common::dump_line(expected)));
  }

  std::size_t captions_;
  std::string where_;
  std::map<std::string, const QuestionSample*> questions_, unlike_;
  std::map<std::string, const ClipSample*> clips_;
};

}  // namespace

common::Findings check_against_pack(const std::filesystem::path& run, const packer::VerifiedPack& pack) {
  const common::Json config = common::read_json(run / "config.json", k_config_limit_bytes);
  const std::string id = common::string_member(config, "pack_id", "config.json");
  if (id != pack.id().hex())
    return {{"config.json", "R9", fmt::format("pack_id is {}; the pack has the id {}", id, pack.id().hex())}};
  const PackSamples samples = read_samples(pack);
  const std::int64_t captions = config.contains(k_captions_per_clip)
                                    ? common::integer_member(config, k_captions_per_clip, "config.json")
                                    : 0;
  PackCheck check(samples, static_cast<std::size_t>(captions));
  const std::vector<Prediction> items = read_predictions(run / k_file);
  for (std::size_t i = 0; i < items.size(); ++i) check.check(i + 1, items[i]);
  common::sort_findings(check.findings);
  return check.findings;
}

}  // namespace trainer
