#include "trainer/train/sample_rows.hpp"

#include "tests/support/small_experiment.hpp"

#include <doctest/doctest.h>

using namespace trainer;

TEST_CASE("each caption of a clip is a row that answers the question of the clip's data set") {
  const Tokenizer tokenizer = support::small_tokenizer();
  const Llava base = support::small_llava(tokenizer);
  const PromptWriter writer(base, tokenizer);
  const common::PackPath path("audio/train/x.wav");
  const std::vector<ClipSample> clips = {{"x", {"a dog barks", "a bell rings"}, path, "How many are there?"},
                                         {"y", {"a dog barks"}, path, "Is it red?"}};
  RowProblems problems;
  const std::vector<std::vector<Row>> rows = caption_rows(writer, clips, problems);
  problems.refuse_any();
  REQUIRE(rows.size() == 2);
  REQUIRE(rows[0].size() == 2);
  for (std::size_t i = 0; i < clips.size(); ++i)
    for (std::size_t k = 0; k < clips[i].captions.size(); ++k)
      CHECK(rows[i][k].ids ==
            writer.with_answer(writer.text_row(clips[i].question), clips[i].captions[k]).ids);
  CHECK(rows[0][0].ids != rows[1][0].ids);
}
