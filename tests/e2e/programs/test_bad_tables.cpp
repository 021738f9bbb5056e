// Tables as people have them: each fault with a sentence of its own that names the row, says what is wrong
// and what to do; no manifest is written.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Finished;

namespace {

using support::holds;

}  // namespace

TEST_CASE("a table that is wrong is one sentence with its row, and no manifest is written") {
  const support::Scratch scratch;
  const std::string header = "audiocap_id,youtube_id,start_time,caption\n";
  const std::string questions = support::questions_table({support::question_row(1, 2, "q")}, "val2014");
  const std::string annotations = support::annotations_table({support::annotation_row(1, {"a"})});
  const struct {
    const char* law;
    std::vector<std::string> arguments;
    std::string file, text, said;
  } cases[] = {
      {"an id twice, CSV",
       {"audio", "--metadata", "t.csv"},
       "t.csv",
       header + "1,a,3,x\n1,b,3,y\n",
       "t.csv, line 3: the audiocap_id 1 stands in line 2 too; correct the table"},
      {"an id twice, JSON",
       {"audio", "--metadata", "t.json"},
       "t.json",
       R"([{"id": 1, "ytid": "a", "caption": "c"}, {"id": 1, "ytid": "b", "caption": "d"}])",
       "t.json, row 2: the audiocap_id 1 stands in row 1 too; correct the table"},
      {"a missing column",
       {"audio", "--metadata", "t.csv"},
       "t.csv",
       "audiocap_id,youtube_id,caption\n1,a,x\n",
       "t.csv, line 1: there is no column start_time (needed: audiocap_id, youtube_id, start_time, caption)"},
      {"a broken quote",
       {"audio", "--metadata", "t.csv"},
       "t.csv",
       header + "1,a,3,\"x\n2,b,3,y\n",
       "t.csv, line 2: a quote that never closes; correct the table"},
      {"an answer that is no string",
       {"val", "--questions", "q.json", "--annotations", "a.json"},
       "a.json",
       R"({"annotations": [{"question_id": 1, "answers": [{"answer": 5}]}]})",
       "a.json: annotations row 1: \"answer\" cannot be an integer; check that it is the right file"},
      {"a caption that is no string",
       {"audio", "--metadata", "t.json"},
       "t.json",
       R"([{"id": 1, "ytid": "a", "answer": 5}])",
       "t.json, row 1: a caption must be a text or a list of texts, found number; correct the table"},
      {"a question without an image",
       {"val", "--questions", "q.json", "--annotations", "a.json"},
       "q.json",
       R"({"questions": [{"question_id": 1, "question": "q"}]})",
       "q.json: questions row 1: the question has no image: there is no key \"image_id\"; check that"}};
  for (const auto& one : cases) {
    CAPTURE(std::string(one.law));
    support::put_file(scratch / "q.json", questions);
    support::put_file(scratch / "a.json", annotations);
    support::put_file(scratch / one.file, one.text);
    std::vector<std::string> arguments = one.arguments;
    arguments.insert(arguments.begin(), SAFE_BIN "/safe-manifest");
    arguments.insert(arguments.end(), {"--quiet", "--subset-size", "1", "--output", "out.json"});
    const Finished refused = support::run_process(arguments, scratch.path());
    CHECK(refused.code == 3);
    CHECK(refused.out.empty());
    CHECK_MESSAGE(holds(refused.err, one.said), refused.err);
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
    for (const auto& entry : fs::directory_iterator(scratch.path()))
      CHECK_FALSE(holds(entry.path().filename().string(), "out.json"));
  }
}
