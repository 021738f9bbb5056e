// A real vocabulary of LLaMA's kind, 32,000 pieces, against `tokenizers` on many texts.
#include <fstream>

#include "common/json.hpp"
#include "tests/support/peers.hpp"
#include "tests/support/process.hpp"
#include "trainer/formats/tokenizer.hpp"
#include "trainer/model/tensor.hpp"

#include <doctest/doctest.h>

TEST_CASE("100,000 texts encode and decode with a vocabulary of 32,000 pieces as `tokenizers` does it") {
  const auto python = support::peer_python("transformers, sentencepiece and mistral-common");
  if (!python) return;
  constexpr const char* k_script = SAFE_SOURCE_DIR "/tests/interop/model_folders.py";
  const support::Scratch scratch;
  const std::string folder = (scratch / "tokenizer").string(), file = (scratch / "texts.jsonl").string();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{*python, k_script, "tokenizer", folder},
        std::vector<std::string>{*python, k_script, "texts", file, folder, "100000"}}) {
    const support::Finished made = support::run_process(command);
    REQUIRE_MESSAGE(made.code == 0, made.err);
  }
  const auto tokenizer = trainer::Tokenizer::load(trainer::ModelFolder(folder));
  std::ifstream lines(file);
  std::int64_t texts = 0, wrong = 0;
  for (std::string line; std::getline(lines, line); ++texts) {
    const common::Json row = common::parse_json(line, file);
    const auto text = row["text"].get<std::string>();
    const trainer::TokenIds ids = tokenizer.encode(text);
    if (ids == row["ids"].get<trainer::TokenIds>() &&
        tokenizer.decode(ids) == row["decoded"].get<std::string>())
      continue;
    if (++wrong <= 5) MESSAGE("differs: " << line);
  }
  CHECK(texts == 100000);
  CHECK(wrong == 0);
}
