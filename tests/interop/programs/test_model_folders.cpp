// Models that transformers saved in the published configurations, through safe-trainer inspect: the table of
// trainer/README.md. SAFE_PEER_PYTHONS names further Pythons, separated by colons, each with another
// transformers.
#include "tests/support/peers.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

namespace {

constexpr const char* k_script = SAFE_SOURCE_DIR "/tests/interop/model_folders.py";

std::vector<std::string> all_pythons(const std::string& first) {
  std::vector<std::string> all = {first};
  const char* more = std::getenv("SAFE_PEER_PYTHONS");
  std::string text = more == nullptr ? "" : more;
  while (!text.empty()) {
    const std::size_t end = std::min(text.size(), text.find(':'));
    if (end > 0) all.push_back(text.substr(0, end));
    text.erase(0, end + 1);
  }
  return all;
}

void ok(const support::Finished& finished) {
  REQUIRE_MESSAGE(finished.code == 0, finished.out << finished.err);
}

}  // namespace

TEST_CASE(
    "folders of the published configurations that transformers saved give its tokens, numbers and answers") {
  const auto python = support::peer_python("transformers, sentencepiece and mistral-common");
  if (!python) return;
  const support::Scratch scratch;
  const std::string tokenizer = (scratch / "tokenizer").string();
  ok(support::run_process({*python, k_script, "tokenizer", tokenizer}));
  for (const std::string& peer : all_pythons(*python)) {
    CAPTURE(peer);
    const support::Scratch folder;
    ok(support::run_process({peer, k_script, "make", folder.path().string(), tokenizer}));
    const support::Finished checked =
        support::run_process({peer, k_script, "check", folder.path().string(), SAFE_BIN "/safe-trainer"});
    MESSAGE(checked.out);
    ok(checked);
  }
}

#endif
