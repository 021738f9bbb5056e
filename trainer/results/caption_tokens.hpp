// The native stand-in for the Penn Treebank tokeniser (Stanford CoreNLP 3.4.1) that coco-caption calls
// through Java: the words that BLEU, ROUGE-L and CIDEr-D count. tests/unit/trainer/results/ptb_tokens.tsv has
// what the two agree on; they part where marks stand between letters without a space ("hello!world", "c++"),
// in addresses of the web, and in faces made of marks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trainer {

using Tokens = std::vector<std::string>;

// Lower case, clitics split off (n't 's 're 've 'll 'd 'm), cannot -> can not, "(" -> -lrb-, punctuation
// split and dropped, but for the dots of abbreviations.
[[nodiscard]] Tokens tokenise_caption(std::string_view caption);

}  // namespace trainer
