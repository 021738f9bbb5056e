#include "manifest/select.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/error.hpp"
#include "common/path.hpp"
#include "common/random.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/majority.hpp"
#include "manifest/stratify.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;

// How many to choose: `asked`, where 0 means all.
std::uint64_t wanted_of(std::size_t population, std::uint64_t asked, const char* what) {
  if (population < asked)
    throw Error(ErrorKind::mismatch,
                fmt::format("{} {} are asked for and only {} can be chosen; lower --subset-size, "
                            "or name larger tables",
                            asked, what, population));
  if (population == 0)
    throw Error(ErrorKind::mismatch,
                fmt::format("no {} can be chosen; name other tables, or exclude less", what));
  return asked == 0 ? population : asked;
}

// The original's words for its own manifest, and words of that kind for the others.
void describe(VqaManifest& vqa, const QuestionRequest& request) {
  vqa.seed = request.seed;
  switch (request.split) {
    case VqaSplit::val:
      vqa.subset_name = "vqa_val_overfit_v1";
      vqa.description = "VQA v2 validation subset for SAFE overfitting regression checks";
      vqa.source_dataset = "VQA v2 validation";
      return;
    case VqaSplit::retention:
      vqa.subset_name = "vqa_retention_overfit_v1";
      vqa.description = "VQA v2 validation subset for SAFE retention losses";
      vqa.source_dataset = "VQA v2 validation";
      return;
    case VqaSplit::unlike:
      vqa.subset_name = "vqa_unlike_overfit_v1";
      vqa.description = "VQA v2 validation subset in words that SAFE retention losses never see";
      vqa.source_dataset = "VQA v2 validation";
      return;
    case VqaSplit::base:
      vqa.subset_name = "vqa_base_overfit_v1";
      vqa.description = "VQA v2 train subset for training a small base model";
      vqa.source_dataset = "VQA v2 train";
      return;
  }
}

bool is_original(const SoundSet& set) { return &set == &original_sound_set(); }

void describe(SubsetManifest& subset, const ClipRequest& request) {
  subset.seed = request.seed;
  const SoundSet& set = *request.data_set;
  subset.audio_rel_root = "audio/" + request.split;
  subset.source_dataset = fmt::format("{} {} split", set.title, request.split);
  const bool train = request.split == set.train_split;
  subset.subset_name = fmt::format("{}{}_overfit_v1", set.name, train ? "" : "_" + request.split);
  subset.description = fmt::format("{} {} subset ({} samples) for SAFE overfitting {}", set.title,
                                   request.split, request.subset_size, train ? "ablation" : "evaluation");
  if (is_original(set)) return;
  subset.data_set = set.name;
  subset.columns.assign(1, std::string(set.columns.clip));
  subset.columns.insert(subset.columns.end(), set.columns.captions.begin(), set.columns.captions.end());
}

std::string image_filename(const std::string& data_subtype, std::int64_t image_id) {
  std::string name = question_set().image_filename(data_subtype, image_id);
  if (const std::string why = common::why_not_a_pack_path(image_path(name));
      !why.empty() || data_subtype.find('/') != std::string::npos)
    throw Error(ErrorKind::format,
                fmt::format("the image name \"{}\" cannot stand in a pack: {}; name the right "
                            "--data-subtype",
                            name.substr(0, 200), why.empty() ? "it holds a '/'" : why));
  return name;
}

std::string audio_relpath(const ClipRequest& request, const std::string& clip_id) {
  const std::string& split = request.split;
  std::string path = "audio/" + split + "/" + request.data_set->pack_stem(clip_id) + ".wav";
  if (const std::string why = common::why_not_a_pack_path(path);
      !why.empty() || split.find('/') != std::string::npos)
    throw Error(ErrorKind::format,
                fmt::format("\"{}\" cannot stand in a pack: {}; name another --split or correct "
                            "the id of the clip",
                            path.substr(0, 200), why.empty() ? "the split holds a '/'" : why));
  return path;
}

std::vector<std::size_t> original_sample(const std::vector<std::size_t>& population, std::uint64_t count,
                                         const common::Seed& seed) {
  std::vector<std::size_t> chosen;
  for (const std::uint64_t rank : common::Random(seed).sample(population.size(), count))
    chosen.push_back(population[rank]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

// What a clip's rows say together; `rows` has those of one clip in ascending order.
ClipEntry join_rows(const std::vector<const ClipEntry*>& rows, const ClipRequest& request) {
  ClipEntry clip = *rows.front();
  clip.audio_relpath = audio_relpath(request, clip.clip_id);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    // Captions of another ten seconds of the video say nothing about these.
    if (rows[i]->start_time_s != clip.start_time_s) continue;
    clip.captions.push_back(rows[i]->caption);
    clip.captions.insert(clip.captions.end(), rows[i]->captions.begin(), rows[i]->captions.end());
  }
  // The Python original's loader raises on a key beyond its five, and it reads the train split's manifest.
  if (is_original(*request.data_set)) {
    if (request.split == request.data_set->train_split) clip.captions.clear();
  } else {
    clip.schema = RowSchema::named;
    clip.caption_id = clip.clip_id;
  }
  return clip;
}

}  // namespace

Excluded read_excluded(const std::vector<std::filesystem::path>& manifests) {
  Excluded excluded;
  const auto add_clips = [&](const std::vector<ClipEntry>& clips) {
    for (const ClipEntry& clip : clips) excluded.clip_ids.insert(clip.clip_id);
  };
  for (const std::filesystem::path& path : manifests) {
    const AnyManifest any = read_any(path, Repeats::refuse);
    if (const auto* subset = std::get_if<SubsetManifest>(&any)) {
      add_clips(subset->entries);
      continue;
    }
    const auto& vqa = std::get<VqaManifest>(any);
    for (const QuestionEntry& entry : vqa.entries) {
      excluded.image_ids.insert(entry.image_id);
      excluded.question_ids.insert(entry.question_id);
    }
    add_clips(vqa.captions);
  }
  return excluded;
}

std::string words_of(std::string_view question) {
  std::string words;
  for (const char c : question) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_letter =
        byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_letter)
      words += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!words.empty() && words.back() != ' ')
      words += ' ';
  }
  if (!words.empty() && words.back() == ' ') words.pop_back();
  return words;
}

void exclude_words(const std::vector<std::filesystem::path>& manifests, Excluded& excluded) {
  for (const std::filesystem::path& path : manifests) {
    const AnyManifest any = read_any(path, Repeats::refuse);
    const auto* vqa = std::get_if<VqaManifest>(&any);
    if (vqa == nullptr)
      throw Error(ErrorKind::usage,
                  path.string() + " holds clips, which ask nothing; name a manifest of questions (--unlike)");
    for (const QuestionEntry& entry : vqa->entries) excluded.questions.insert(words_of(entry.question));
  }
}

const char* name_of(Strategy strategy) {
  return strategy == Strategy::stratified ? "stratified" : "original";
}

QuestionChoice select_questions(const VqaTables& tables, const QuestionRequest& request,
                                const Excluded& excluded) {
  std::vector<std::size_t> population;
  for (std::size_t i = 0; i < tables.size(); ++i)
    if (!excluded.image_ids.contains(tables.image_id(i)) &&
        !excluded.question_ids.contains(tables.question_id(i)) &&
        (excluded.questions.empty() || !excluded.questions.contains(words_of(tables.question(i)))))
      population.push_back(i);
  const std::uint64_t wanted = wanted_of(population.size(), request.subset_size, "annotated questions");

  QuestionChoice choice;
  choice.population = population.size();
  describe(choice.manifest, request);
  const std::vector<std::size_t> chosen = request.strategy == Strategy::stratified
                                              ? stratified_sample(tables, population, wanted, request.seed)
                                              : original_sample(population, wanted, request.seed);
  for (const std::size_t i : chosen) {
    QuestionEntry entry;
    entry.question_id = tables.question_id(i);
    entry.image_id = tables.image_id(i);
    entry.image_filename = image_filename(request.data_subtype, entry.image_id);
    entry.question = tables.question(i);
    entry.answers = tables.answers(i);
    entry.majority_answer = majority_answer(entry.answers);
    choice.manifest.entries.push_back(std::move(entry));
  }
  return choice;
}

ClipChoice select_clips(const std::vector<ClipEntry>& rows, const ClipRequest& request,
                        const Excluded& excluded) {
  std::map<std::string, std::vector<const ClipEntry*>> rows_of;
  std::vector<const std::vector<const ClipEntry*>*> population;
  for (const ClipEntry& row : rows) {
    if (excluded.clip_ids.contains(row.clip_id)) continue;
    auto& own = rows_of[row.clip_id];
    own.push_back(&row);
    if (own.size() == 1) population.push_back(&own);
  }
  const std::uint64_t wanted = wanted_of(population.size(), request.subset_size, "clips");

  ClipChoice choice;
  choice.population = population.size();
  describe(choice.manifest, request);
  auto& entries = choice.manifest.entries;
  common::Random random(request.seed);
  common::SampleDraws draws(random, population.size(), wanted);
  while (entries.size() < wanted) {
    if (entries.size() + choice.skipped.size() == population.size()) {
      if (request.subset_size == 0 && !entries.empty()) break;
      throw Error(
          ErrorKind::mismatch,
          fmt::format("{} clips are asked for and only {} of the {} that can be chosen have a file; lower "
                      "--subset-size, or fetch more of them",
                      wanted, entries.size(), population.size()));
    }
    ClipEntry clip = join_rows(*population[draws.next()], request);
    if (!request.is_available || request.is_available(clip))
      entries.push_back(std::move(clip));
    else
      choice.skipped.push_back({clip.clip_id, "no source file"});
  }
  std::sort(entries.begin(), entries.end(),
            [](const ClipEntry& a, const ClipEntry& b) { return a.clip_id < b.clip_id; });
  return choice;
}

std::vector<ClipEntry> select_captions(const std::vector<ClipEntry>& rows, const Excluded& excluded) {
  std::vector<ClipEntry> captions;
  for (const ClipEntry& row : rows) {
    if (excluded.clip_ids.contains(row.clip_id)) continue;
    captions.push_back(row);
    captions.back().captions.clear();
    for (std::size_t i = 0; i < row.captions.size(); ++i) {
      captions.push_back(captions.back());
      captions.back().caption_id = fmt::format("{}_{}", row.caption_id, i + 2);
      captions.back().caption = row.captions[i];
    }
  }
  return captions;
}

}  // namespace manifest
