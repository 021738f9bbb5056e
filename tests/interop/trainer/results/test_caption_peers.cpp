// BLEU, ROUGE-L and CIDEr-D against coco-caption (the package pycocoevalcap) on random captions.
// SAFE_PEER_PYTHON names a Python that has it; without one the test says so and passes, unless
// SAFE_PEERS=required.
#include <cstdlib>
#include <cstring>

#include "common/json.hpp"
#include "common/random.hpp"
#include "tests/support/process.hpp"
#include "trainer/results/caption_metrics.hpp"
#include "trainer/results/ngram_metrics.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

// Few words, so that n-grams repeat within and between captions.
Tokens random_caption(common::Random& random) {
  Tokens tokens(1 + random.below(15));
  const std::uint64_t words = 5 + 5 * random.below(5);
  for (std::string& token : tokens) token = "w" + std::to_string(random.below(words));
  return tokens;
}

// Half of the predictions are one of their references, some of those cut short.
std::vector<TokenisedPair> random_pairs(common::Random& random, int count) {
  std::vector<TokenisedPair> pairs;
  for (int i = 0; i < count; ++i) {
    TokenisedPair pair;
    for (std::uint64_t left = 1 + random.below(5); left-- > 0;)
      pair.references.push_back(random_caption(random));
    pair.prediction = random.below(2) == 0 ? random_caption(random) : random.choice(pair.references);
    if (pair.prediction.size() > 2 && random.below(3) == 0) pair.prediction.pop_back();
    pairs.push_back(pair);
  }
  return pairs;
}

common::Json to_json(const std::vector<TokenisedPair>& pairs) {
  common::Json json = common::Json::array();
  for (const TokenisedPair& pair : pairs) json.push_back({pair.prediction, pair.references});
  return json;
}

}  // namespace

TEST_CASE("BLEU, ROUGE-L and CIDEr-D equal coco-caption's on random captions") {
  const char* python = std::getenv("SAFE_PEER_PYTHON");
  const char* peers = std::getenv("SAFE_PEERS");
  if (python == nullptr) {
    REQUIRE_MESSAGE((peers == nullptr || std::strcmp(peers, "required") != 0),
                    "SAFE_PEER_PYTHON names no Python");
    MESSAGE("skipped: SAFE_PEER_PYTHON names no Python with pycocoevalcap");
    return;
  }
  const std::int64_t seed = 20261;
  CAPTURE(seed);
  common::Random random(seed);
  const support::Scratch scratch;
  for (const int count : {2, 17, 200}) {
    CAPTURE(count);
    const std::vector<TokenisedPair> pairs = random_pairs(random, count);
    support::put_file(scratch / "pairs.json", common::dump_line(to_json(pairs)));
    const support::Finished peer =
        support::run_process({python, SAFE_SOURCE_DIR "/tests/interop/trainer/caption_peer.py",
                              (scratch / "pairs.json").string()});
    REQUIRE_MESSAGE(peer.code == 0, peer.err);
    const common::Json wanted = common::parse_json(peer.out, "the peer");
    const auto bleu = corpus_bleu(pairs);
    // The peer adds 1e-9 to its denominators.
    for (std::size_t n = 0; n < 4; ++n)
      CHECK(*bleu[n] == doctest::Approx(wanted["bleu"][n].get<double>()).epsilon(1e-6));
    const std::vector<double> cider = cider_d(pairs);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      CHECK(rouge_l(pairs[i]) == doctest::Approx(wanted["rouge"][i].get<double>()).epsilon(1e-12));
      CHECK(cider[i] == doctest::Approx(wanted["cider"][i].get<double>()).epsilon(1e-9));
    }
  }
}
