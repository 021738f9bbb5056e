// The native stand-in for the Penn Treebank tokeniser that coco-caption calls through Java: the words that
// BLEU, ROUGE-L and CIDEr-D count.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trainer {

using Tokens = std::vector<std::string>;

// Lower case, clitics split off (n't 's 're 've 'll 'd 'm), cannot -> can not, punctuation split and dropped.
[[nodiscard]] Tokens tokenise_caption(std::string_view caption);

}  // namespace trainer
