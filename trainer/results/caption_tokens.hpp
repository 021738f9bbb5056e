// The native stand-in for the Penn Treebank tokeniser (Stanford CoreNLP 3.4.1) that coco-caption calls
// through Java: the words that BLEU, ROUGE-L and CIDEr-D count. tests/unit/trainer/results/ptb_tokens.tsv has
// what the two agree on; they part where marks stand between letters without a space ("hello!world", "c++"),
// in addresses of the web, and in faces made of marks. A last word of one letter and a dot ("The letter E.")
// is one word here, as it is there in a caption alone; in a list of captions Java's tokeniser lets the first
// word of the next caption decide.
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
