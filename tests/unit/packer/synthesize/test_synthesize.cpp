// The synthesised source tree as a whole: layouts, ids, determinism, publishing.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/media/audio.hpp"
#include "common/media/image.hpp"
#include "common/sealed/draft_file.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/majority.hpp"
#include "packer/synthesize/synthesize.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using common::Json;
using packer::SynthesizeRequest;
using packer::SynthesizeSummary;
using support::Scratch;

constexpr std::uint64_t k_limit_bytes = std::uint64_t{64} << 20;

SynthesizeRequest request_for(const fs::path& out, int clips, int questions, int train_questions) {
  return {out, clips, questions, train_questions, 7, 2, common::Verbosity::quiet};
}

struct Row {
  int caption_id = 0;
  std::string clip_id;
  int start_s = 0;
  std::string caption;
};

std::vector<Row> read_rows(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  REQUIRE(std::getline(file, line));
  CHECK(line == "audiocap_id,youtube_id,start_time,caption");
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string id, youtube_id, start, caption;
    REQUIRE(std::getline(cells, id, ','));
    REQUIRE(std::getline(cells, youtube_id, ','));
    REQUIRE(std::getline(cells, start, ','));
    REQUIRE(std::getline(cells, caption, ','));
    CHECK(cells.eof());
    rows.push_back({std::stoi(id), youtube_id, std::stoi(start), caption});
  }
  return rows;
}

std::map<std::string, std::string> digests_of(const fs::path& root) {
  std::map<std::string, std::string> digests;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.is_regular_file())
      digests[fs::relative(entry.path(), root).string()] = common::digest_file(entry.path()).digest.hex();
  return digests;
}

std::size_t count_entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

common::ErrorKind kind_of_failure(const SynthesizeRequest& request) {
  try {
    packer::synthesize(request);
  } catch (const common::Error& error) {
    return error.kind();
  }
  FAIL("nothing was thrown");
  return common::ErrorKind::stopped;
}

Json annotations_of(const fs::path& tree, const std::string& year) {
  return common::read_json(tree / "vqa" / ("v2_mscoco_" + year + "_annotations.json"), k_limit_bytes)
      .at("annotations");
}

// The best score that one answer to every question reaches, under VQA accuracy: min(1, votes / 3).
double best_constant_score(const Json& annotations) {
  std::map<std::string, double> scores;
  for (const Json& annotation : annotations) {
    std::map<std::string, double> votes;
    for (const Json& given : annotation.at("answers")) votes[given.at("answer").get<std::string>()] += 1;
    for (const auto& [text, count] : votes) scores[text] += std::min(1.0, count / 3.0);
  }
  double best = 0;
  for (const auto& [text, score] : scores) best = std::max(best, score);
  return best / static_cast<double>(annotations.size());
}

void check_audio_split(const fs::path& tree, const std::string& split, std::size_t clips, std::set<int>& ids,
                       std::set<std::string>& folded) {
  std::map<std::string, std::vector<Row>> by_clip;
  for (const Row& row : read_rows(tree / "audiocaps" / (split + ".csv"))) {
    CHECK(ids.insert(row.caption_id).second);
    by_clip[row.clip_id].push_back(row);
  }
  CHECK(by_clip.size() == clips);
  const fs::path folder = tree / "audiocaps" / "audio" / split;
  CHECK(count_entries(folder) == clips);
  for (const auto& clip : by_clip) {
    const std::string& youtube_id = clip.first;
    const std::vector<Row>& rows = clip.second;
    CAPTURE(youtube_id);
    CHECK(youtube_id.size() == 11);
    CHECK(youtube_id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
          std::string::npos);
    std::string lower = youtube_id;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    CHECK(folded.insert(lower).second);
    CHECK(rows.size() <= (split == "train" ? 1U : 5U));
    const bool is_flac = fs::exists(folder / (youtube_id + ".flac"));
    const fs::path path = folder / (youtube_id + (is_flac ? ".flac" : ".wav"));
    const common::Waveform sound =
        common::decode_audio(common::read_file(path, k_limit_bytes), path.string());
    const double length_s = static_cast<double>(sound.frames()) / sound.rate_hz;
    CHECK(length_s >= 10.0);
    for (const Row& row : rows) {
      CHECK(row.start_s == rows.front().start_s);
      if (length_s > 10.0) CHECK(row.start_s >= 1);
      if (length_s > 10.0) CHECK(row.start_s + 10.0 <= length_s);
    }
  }
}

void check_year(const fs::path& tree, const std::string& year, std::size_t count,
                std::set<std::int64_t>& images) {
  const Json questions =
      common::read_json(tree / "vqa" / ("v2_OpenEnded_mscoco_" + year + "_questions.json"), k_limit_bytes);
  const Json annotations = annotations_of(tree, year);
  CHECK(questions.at("task_type") == "Open-Ended");
  CHECK(questions.at("data_subtype") == year);
  REQUIRE(questions.at("questions").size() == count);
  REQUIRE(annotations.size() == count);
  std::set<std::int64_t> question_ids, own_images;
  for (std::size_t i = 0; i < count; ++i) {
    const Json& question = questions.at("questions")[i];
    const Json& annotation = annotations[i];
    const auto image_id = question.at("image_id").get<std::int64_t>();
    CHECK(annotation.at("question_id") == question.at("question_id"));
    CHECK(annotation.at("image_id") == image_id);
    CHECK(question.at("question_id").get<std::int64_t>() / 1000 == image_id);
    CHECK(question_ids.insert(question.at("question_id").get<std::int64_t>()).second);
    own_images.insert(image_id);
    std::vector<std::string> texts;
    for (const Json& given : annotation.at("answers")) {
      texts.push_back(given.at("answer").get<std::string>());
      CHECK(given.at("answer_id") == texts.size());
    }
    CHECK(texts.size() == 10);
    CHECK(annotation.at("multiple_choice_answer") == manifest::majority_answer(texts));
  }
  CHECK(count_entries(tree / "vqa" / "images" / year) == own_images.size());
  for (const std::int64_t image_id : own_images) {
    CHECK(images.insert(image_id).second);
    std::string digits = std::to_string(image_id);
    digits.insert(0, 12 - digits.size(), '0');
    const fs::path path = tree / "vqa" / "images" / year / ("COCO_" + year + "_" + digits + ".jpg");
    const common::Picture picture =
        common::decode_picture(common::read_file(path, k_limit_bytes), path.string());
    CHECK(std::min(picture.width, picture.height) >= 160);
  }
}

}  // namespace

TEST_CASE("a synthesised tree has the layouts of AudioCaps and VQA v2, and every file of it decodes") {
  const Scratch scratch;
  const fs::path tree = scratch / "new" / "tree";
  const SynthesizeSummary summary = packer::synthesize(request_for(tree, 16, 42, 0));
  CHECK(summary.train_clips == 16);
  CHECK(summary.val_clips == 4);
  CHECK(summary.full_videos == 1);
  CHECK(summary.val_questions == 42);
  CHECK(summary.train_questions == 168);
  std::set<int> ids;
  std::set<std::string> folded;
  check_audio_split(tree, "train", 16, ids, folded);
  check_audio_split(tree, "val", 4, ids, folded);
  CHECK(summary.captions == ids.size());
  CHECK(std::any_of(folded.begin(), folded.end(), [](const auto& id) { return id.front() == '-'; }));
  std::set<std::int64_t> images;
  check_year(tree, "val2014", 42, images);
  check_year(tree, "train2014", 168, images);
  CHECK(images.size() == summary.val_pictures + summary.train_pictures);
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(tree))
    if (entry.is_regular_file()) bytes += entry.file_size();
  CHECK(bytes == summary.bytes);
}

TEST_CASE("among the sounds are FLAC, stereo, other rates and longer sources") {
  const Scratch scratch;
  packer::synthesize(request_for(scratch / "tree", 16, 1, 1));
  std::set<common::AudioContainer> containers;
  std::set<int> rates, channels;
  double longest_s = 0;
  for (const auto& entry : fs::directory_iterator(scratch / "tree" / "audiocaps" / "audio" / "train")) {
    const auto facts =
        common::probe_audio(common::read_file(entry.path(), k_limit_bytes), entry.path().string());
    containers.insert(facts.container);
    rates.insert(facts.rate_hz);
    channels.insert(facts.channels);
    longest_s = std::max(longest_s, facts.duration_s());
  }
  CHECK(containers == std::set{common::AudioContainer::wav, common::AudioContainer::flac});
  CHECK(rates == std::set{32000, 44100, 48000});
  CHECK(channels == std::set{1, 2});
  CHECK(longest_s >= 18.0);
}

TEST_CASE("the bytes of a tree depend on its seed and not on the number of threads") {
  const Scratch scratch;
  SynthesizeRequest request = request_for(scratch / "one", 9, 20, 20);
  request.threads = 1;
  packer::synthesize(request);
  request.out = scratch / "three";
  request.threads = 3;
  packer::synthesize(request);
  request.out = scratch / "other";
  request.seed = 8;
  packer::synthesize(request);
  const auto one = digests_of(scratch / "one");
  CHECK(one == digests_of(scratch / "three"));
  const auto other = digests_of(scratch / "other");
  CHECK(one.at("audiocaps/train.csv") != other.at("audiocaps/train.csv"));
  CHECK(one.at("vqa/v2_mscoco_val2014_annotations.json") !=
        other.at("vqa/v2_mscoco_val2014_annotations.json"));
}

TEST_CASE("no answer that is the same for all of 2000 questions scores above 25 percent") {
  const Scratch scratch;
  packer::synthesize(request_for(scratch / "tree", 1, 2000, 2000));
  for (const char* year : {"val2014", "train2014"}) {
    const Json annotations = annotations_of(scratch / "tree", year);
    REQUIRE(annotations.size() == 2000);
    const double best = best_constant_score(annotations);
    CHECK(best < 0.25);
    CHECK(best > 0.02);
  }
}

TEST_CASE("an empty folder is filled and one that holds something is left as it is") {
  const Scratch scratch;
  fs::create_directory(scratch / "empty");
  packer::synthesize(request_for(scratch / "empty", 1, 1, 1));
  CHECK(fs::exists(scratch / "empty" / "audiocaps" / "train.csv"));

  fs::create_directory(scratch / "full");
  common::write_file(scratch / "full" / "mine", "kept");
  CHECK(kind_of_failure(request_for(scratch / "full", 1, 1, 1)) == common::ErrorKind::usage);
  CHECK(kind_of_failure(request_for(scratch / "full" / "mine", 1, 1, 1)) == common::ErrorKind::usage);
  CHECK(common::read_text(scratch / "full" / "mine", 100) == "kept");
  CHECK(count_entries(scratch / "full") == 1);
  CHECK(count_entries(scratch.path()) == 2);
}

TEST_CASE("counts that cannot be meant are refused before anything is made") {
  const Scratch scratch;
  for (const SynthesizeRequest& request :
       {request_for(scratch / "x", 0, 1, 1), request_for(scratch / "x", 1, 0, 1),
        request_for(scratch / "x", 1, 1, -1), request_for(scratch / "x", 2'000'000, 1, 1),
        request_for({}, 1, 1, 1)})
    CHECK(kind_of_failure(request) == common::ErrorKind::usage);
  CHECK(count_entries(scratch.path()) == 0);
}

TEST_CASE("a tree that could not be written whole leaves nothing behind") {
  const Scratch scratch;
  // No file of this process may grow beyond 100 kB: the first sound fails, as on a full disk.
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  const rlimit limit{100'000, old_limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const common::ErrorKind kind = kind_of_failure(request_for(scratch / "deep" / "tree", 4, 4, 4));
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  CHECK(kind == common::ErrorKind::io);
  CHECK(count_entries(scratch.path()) == 0);
}
