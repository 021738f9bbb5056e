#include "packer/synthesize/vqa.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "common/media/image.hpp"
#include "common/parallel.hpp"
#include "common/random.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/majority.hpp"
#include "packer/synthesize/answers.hpp"
#include "packer/synthesize/picture.hpp"
#include "packer/synthesize/questions.hpp"

namespace packer {
namespace {

using common::Json;
using common::Random;

constexpr int k_jpeg_quality = 90;
// COCO's ids of 2014 end at 581,929.
constexpr std::uint64_t k_image_ids = 581'929;

struct AskedQuestion {
  PictureQuestion question;
  AnnotatorAnswers answers;
};

struct AskedPicture {
  std::uint64_t image_id = 0;
  std::size_t count = 0;  // of questions
  std::vector<AskedQuestion> questions;
};

// Three to five questions a picture, four on average, `questions` in all.
std::vector<AskedPicture> plan_pictures(std::size_t questions) {
  constexpr std::array<std::size_t, 4> k_counts{4, 3, 5, 4};
  std::vector<AskedPicture> pictures;
  for (std::size_t done = 0; done < questions; done += pictures.back().count) {
    AskedPicture picture;
    picture.count = std::min(k_counts[pictures.size() % k_counts.size()], questions - done);
    pictures.push_back(picture);
  }
  return pictures;
}

void write_picture(const std::string& year, std::size_t index, std::int64_t seed, AskedPicture& asked,
                   TreeWriter& tree) {
  Random random(seed, fmt::format("picture/{}/{}", year, index));
  const PictureScene scene = draw_picture_scene(random);
  for (PictureQuestion& question : draw_questions(scene, asked.count, random)) {
    const AnnotatorAnswers answers = draw_answers(question, random);
    asked.questions.push_back({std::move(question), answers});
  }
  tree.put(fmt::format("vqa/images/{0}/COCO_{0}_{1:012}.jpg", year, asked.image_id),
           common::encode_jpeg(paint(scene, random), k_jpeg_quality));
}

Json describe() {
  return {
      {"description",
       "Synthesised questions about synthesised pictures, in the form of VQA v2. Neither VQA nor COCO data."},
      {"url", ""},
      {"version", "1"},
      {"contributor", "safe-packer synthesize"}};
}

Json describe_license() {
  return {{"url", ""}, {"name", "Synthesised; no photograph and no annotator is behind it"}};
}

Json list_questions(const std::vector<AskedPicture>& pictures) {
  Json list = Json::array();
  for (const AskedPicture& picture : pictures)
    for (std::size_t k = 0; k < picture.questions.size(); ++k)
      list.push_back({{"image_id", picture.image_id},
                      {"question", picture.questions[k].question.text},
                      {"question_id", picture.image_id * 1000 + k}});
  return list;
}

Json annotate(const AskedPicture& picture, std::size_t k) {
  const AskedQuestion& asked = picture.questions[k];
  Json answers = Json::array();
  std::vector<std::string> texts;
  for (const AnnotatorAnswer& given : asked.answers) {
    texts.push_back(given.answer);
    answers.push_back(
        {{"answer", given.answer}, {"answer_confidence", given.confidence}, {"answer_id", texts.size()}});
  }
  return {{"question_type", question_type_of(asked.question.text)},
          {"multiple_choice_answer", manifest::majority_answer(texts)},
          {"answers", std::move(answers)},
          {"image_id", picture.image_id},
          {"answer_type", answer_type_of(asked.question.kind)},
          {"question_id", picture.image_id * 1000 + k}};
}

void write_tables(const std::string& year, const std::vector<AskedPicture>& pictures, TreeWriter& tree) {
  const Json questions{{"info", describe()},    {"task_type", "Open-Ended"},
                       {"data_type", "mscoco"}, {"license", describe_license()},
                       {"data_subtype", year},  {"questions", list_questions(pictures)}};
  Json annotations = Json::array();
  for (const AskedPicture& picture : pictures)
    for (std::size_t k = 0; k < picture.questions.size(); ++k) annotations.push_back(annotate(picture, k));
  const Json answers{{"info", describe()},
                     {"license", describe_license()},
                     {"data_subtype", year},
                     {"annotations", std::move(annotations)},
                     {"data_type", "mscoco"}};
  tree.put("vqa/v2_OpenEnded_mscoco_" + year + "_questions.json",
           common::view_of(common::dump_line(questions)));
  tree.put("vqa/v2_mscoco_" + year + "_annotations.json", common::view_of(common::dump_line(answers)));
}

}  // namespace

void write_vqa(const SynthesizeRequest& request, TreeWriter& tree, SynthesizeSummary& summary) {
  const auto val_questions = static_cast<std::size_t>(request.questions);
  const std::size_t train_questions =
      request.train_questions == 0 ? 4 * val_questions : static_cast<std::size_t>(request.train_questions);
  std::vector<AskedPicture> val = plan_pictures(val_questions), train = plan_pictures(train_questions);
  const std::size_t total = val.size() + train.size();
  // One draw for both years: no picture of one may have the id of one of the other.
  const auto ids = Random(request.seed, "image ids").sample(k_image_ids, total);
  tree.make_folder("vqa/images/val2014");
  tree.make_folder("vqa/images/train2014");
  common::Progress progress("synthesizing", "pictures", total, request.verbosity);
  common::parallel_for(total, request.threads, [&](std::size_t i) {
    const bool is_val = i < val.size();
    const std::size_t index = is_val ? i : i - val.size();
    AskedPicture& picture = is_val ? val[index] : train[index];
    picture.image_id = ids[i] + 1;
    write_picture(is_val ? "val2014" : "train2014", index, request.seed, picture, tree);
    progress.add(1);
  });
  write_tables("val2014", val, tree);
  write_tables("train2014", train, tree);
  summary.val_pictures = val.size();
  summary.train_pictures = train.size();
  summary.val_questions = val_questions;
  summary.train_questions = train_questions;
}

}  // namespace packer
