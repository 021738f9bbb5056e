// What a few lines of Python make of the same tables. The script follows the specification of the original's
// generator: sampling over ascending ids, str.strip, str.lower, Counter's ties, json.dumps; and that of our
// stratified sampling.
#include <set>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "common/python_text.hpp"
#include "common/random.hpp"
#include "manifest/format/write.hpp"
#include "manifest/select.hpp"
#include "manifest/tables/vqa_tables.hpp"
#include "tests/support/process.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

namespace {

const char* const k_oracle = R"(
import json, random, sys
from collections import Counter

def rows(path, key):
    with open(path, encoding='utf-8') as file:
        return json.load(file)[key]

def stratified(kinds, size, seed):
    draw = random.Random(seed)
    start = draw.randrange(len(kinds))
    strata = {}
    for i in sorted(kinds):
        strata.setdefault(kinds[i], []).append(i)
    order = []
    for kind in sorted(strata):
        draw.shuffle(strata[kind])
        order += strata[kind]
    return [order[(k * len(order) + start) // size] for k in range(size)]

for case in range(int(sys.argv[1])):
    strategy, size, seed = open(f'{case}.txt').read().split()
    size, seed = int(size), int(seed)
    questions = {r['question_id']: r for r in rows(f'{case}.q.json', 'questions')}
    annotations = {r['question_id']: r for r in rows(f'{case}.a.json', 'annotations')}
    ids = sorted(questions.keys() & annotations.keys())
    if strategy == 'original':
        chosen = random.Random(seed).sample(ids, size)
    else:
        chosen = stratified({i: (annotations[i]['answer_type'], annotations[i]['question_type']) for i in ids}, size, seed)
    entries = []
    for i in sorted(chosen):
        answers = [a['answer'].strip() for a in annotations[i]['answers']]
        counts = Counter(a.lower() for a in answers if a)
        image = questions[i]['image_id']
        entries.append({
            'question_id': i,
            'image_id': image,
            'image_filename': f'COCO_val2014_{image:012d}.jpg',
            'question': questions[i]['question'].strip(),
            'answers': answers,
            'majority_answer': counts.most_common(1)[0][0] if counts else '',
        })
    manifest = {
        'subset_name': 'vqa_val_overfit_v1',
        'description': 'VQA v2 validation subset for SAFE overfitting regression checks',
        'seed': seed,
        'source_dataset': 'VQA v2 validation',
        'entries': entries,
    }
    with open(f'{case}.out.json', 'w', encoding='utf-8') as file:
        file.write(json.dumps(manifest, indent=2))
)";

class Cases {
 public:
  explicit Cases(std::int64_t seed) : random_(seed) {}

  // A text of pieces that strip, lower and the counting of ties stumble over.
  std::string text() {
    static const std::vector<std::string> k_pieces = {"yes",
                                                      "Yes",
                                                      "NO",
                                                      "no",
                                                      "2",
                                                      " ",
                                                      "\t",
                                                      "\n",
                                                      "\xc2\xa0",
                                                      "\xe3\x80\x80",
                                                      "\x1c",
                                                      "\x1f",
                                                      "\xc2\x85",
                                                      "\xe2\x80\xa8",
                                                      "\xe2\x80\x8b",
                                                      "\xc4\xb0",
                                                      "\xce\xa3",
                                                      "\xce\x91",
                                                      "'",
                                                      ".",
                                                      "\xc3\x89",
                                                      "\xe1\xba\x9e",
                                                      "\xf0\x9f\x98\x80",
                                                      "\xf0\x90\x90\x80",
                                                      "\"",
                                                      "\\",
                                                      "/",
                                                      "\x7f",
                                                      "\xcc\x81",
                                                      "\xca\xb0",
                                                      "\xc2\xad",
                                                      "I"};
    std::string text;
    const std::uint64_t count = random_.below(5);
    for (std::uint64_t i = 0; i < count; ++i) text += random_.choice(k_pieces);
    return text;
  }

  // Few distinct answers, so that there are ties.
  std::vector<std::string> answers() {
    const std::vector<std::string> pool = {text(), text(), text(), "", "Yes", "yes"};
    std::vector<std::string> answers(random_.below(8) == 0 ? random_.below(3) : 10);
    for (std::string& answer : answers) answer = random_.choice(pool);
    return answers;
  }

  // Writes tables and request; gives the manifest's bytes.
  std::string make(const support::Scratch& scratch, const std::string& name) {
    std::vector<common::Json> questions;
    std::vector<common::Json> annotations;
    std::set<std::int64_t> asked;
    std::set<std::int64_t> annotated;
    const std::uint64_t count = 1 + random_.below(60);
    const std::int64_t first_id = first_of_ids();
    // Ids from a small range: some stand twice, some have no partner.
    const auto id = [&] { return first_id + static_cast<std::int64_t>(random_.below(2 * count)); };
    for (std::uint64_t i = 0; i < count; ++i) {
      questions.push_back(support::question_row(id(), image_id(), text()));
      annotations.push_back(annotation(id()));
    }
    questions.push_back(support::question_row(first_id, image_id(), "last"));
    annotations.push_back(annotation(first_id));
    for (const common::Json& row : questions) asked.insert(row["question_id"].get<std::int64_t>());
    for (const common::Json& row : annotations) annotated.insert(row["question_id"].get<std::int64_t>());
    std::size_t both = 0;
    for (const std::int64_t one : asked) both += annotated.count(one);
    const std::uint64_t size = 1 + random_.below(both);
    const auto seed = static_cast<std::int64_t>(random_.getrandbits(random_.below(2) == 0 ? 10 : 64));
    const auto strategy =
        random_.below(2) == 0 ? manifest::Strategy::original : manifest::Strategy::stratified;
    support::put_file(scratch / (name + ".txt"), std::string(manifest::name_of(strategy)) + " " +
                                                     std::to_string(size) + " " + std::to_string(seed));
    // Half of them escaped, half as UTF-8.
    const bool escaped = random_.below(2) == 0;
    const auto put = [&](const std::string& suffix, const std::string& table) {
      support::put_file(scratch / (name + suffix), escaped ? table : common::parse_json(table, name).dump());
    };
    put(".q.json", support::questions_table(questions));
    put(".a.json", support::annotations_table(annotations));
    const auto tables = manifest::read_vqa_tables(scratch / (name + ".q.json"), scratch / (name + ".a.json"),
                                                  2, common::Verbosity::quiet);
    CHECK(tables.size() == both);
    return manifest::write_vqa(
        manifest::select_questions(tables, {manifest::VqaSplit::val, size, seed, "val2014", strategy}, {})
            .manifest);
  }

 private:
  // Of all sizes that a signed integer of 64 bits has, also where a double would round.
  std::int64_t first_of_ids() {
    static const std::vector<std::int64_t> k_firsts = {
        0, 262148000, (std::int64_t{1} << 53) - 40, INT64_MAX - 130, INT64_MIN, -50};
    return random_.choice(k_firsts);
  }

  std::int64_t image_id() {
    switch (random_.below(8)) {
      case 0:
        return static_cast<std::int64_t>(random_.getrandbits(64));
      case 1:
        return -static_cast<std::int64_t>(random_.below(900000));
      default:
        return static_cast<std::int64_t>(random_.below(900000));
    }
  }

  common::Json annotation(std::int64_t question_id) {
    static const std::vector<std::string> k_question_types = {"how many", "is the", "what", "caf\xc3\xa9"};
    static const std::vector<std::string> k_answer_types = {"yes/no", "number", "other"};
    common::Json row = support::annotation_row(question_id, answers());
    row["question_type"] = random_.choice(k_question_types);
    row["answer_type"] = random_.choice(k_answer_types);
    return row;
  }

  common::Random random_;
};

}  // namespace

TEST_CASE("a validation manifest has the bytes that Python makes of the same tables") {
  if (!support::has_python()) {
    MESSAGE("skipped: there is no python3");
    return;
  }
  constexpr std::int64_t k_seed = 2024;
  constexpr int k_cases = 1000;
  INFO("seed " << k_seed);
  const support::Scratch scratch;
  Cases cases(k_seed);
  std::vector<std::string> ours;
  for (int i = 0; i < k_cases; ++i) ours.push_back(cases.make(scratch, std::to_string(i)));
  const support::Finished finished =
      support::run_process({"python3", "-c", k_oracle, std::to_string(k_cases)}, scratch.path());
  CHECK(finished.err.empty());
  REQUIRE(finished.code == 0);
  for (int i = 0; i < k_cases; ++i)
    CHECK(ours[static_cast<std::size_t>(i)] ==
          support::text_of_file(scratch / (std::to_string(i) + ".out.json")));
}

TEST_CASE("strip and lower agree with Python on every character, alone and within a word") {
  if (!support::has_python()) {
    MESSAGE("skipped: there is no python3");
    return;
  }
  const support::Scratch scratch;
  // Characters that this Python does not know have no properties for it; one that knows more than ICU 72
  // (Unicode 15.0) lowers what were no letters then.
  const support::Finished finished = support::run_process({"python3", "-c", R"(
import sys, unicodedata
if tuple(map(int, unicodedata.unidata_version.split('.')))[:2] > (15, 1): sys.exit(9)
with open('texts', 'w', encoding='utf-8', newline='') as texts, \
     open('expected', 'w', encoding='utf-8', newline='') as expected:
    for code in range(1, 0x110000):
        if code == 0xA or unicodedata.category(chr(code)) in ('Cs', 'Cn'): continue
        for text in (chr(code), 'A' + chr(code) + '\u03a3', '\u0391\u03a3' + chr(code) + 'b'):
            texts.write(text + '\n')
            expected.write(text.strip() + '\n' + text.lower() + '\n')
)"},
                                                          scratch.path());
  if (finished.code == 9) {
    MESSAGE("skipped: this python3 knows a newer Unicode");
    return;
  }
  CHECK(finished.err.empty());
  REQUIRE(finished.code == 0);
  const std::string texts = support::text_of_file(scratch / "texts");
  const std::string expected = support::text_of_file(scratch / "expected");
  std::size_t wrong = 0;
  std::size_t lines = 0;
  std::size_t at = 0;
  for (std::size_t begin = 0; begin < texts.size(); ++lines) {
    const std::size_t end = texts.find('\n', begin);
    const std::string text = texts.substr(begin, end - begin);
    const std::string ours =
        std::string(common::python_strip(text)) + '\n' + common::python_lower(text) + '\n';
    if (expected.compare(at, ours.size(), ours) != 0 && ++wrong <= 5) MESSAGE("differs: " << text);
    for (int i = 0; i < 2; ++i) at = expected.find('\n', at) + 1;
    begin = end + 1;
  }
  CHECK(lines > 3 * 250000);
  CHECK(wrong == 0);
}
