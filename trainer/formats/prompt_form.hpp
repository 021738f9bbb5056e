// How a question is put to LLaVA-1.5.
#pragma once

namespace trainer {

// original: as the Python original asks, "USER: <image>\nAnswer in one word or a number. Question: {question}
// ASSISTANT:", and "USER: Question: {question} ASSISTANT:" without a picture. llava: as llava-hf's template
// has it, with LLaVA-1.5's instruction for short answers, "USER: <image>\n{question}\nAnswer the question
// using a single word or phrase. ASSISTANT:", and "USER: {question} ASSISTANT:".
enum class PromptForm { original, llava };

// Of a question about a picture. as_trained: as retention and evaluation ask. instruction_moved: the same
// instruction at the other end of the question. no_picture: as trained, but that no picture is shown.
enum class Asking { as_trained, instruction_moved, no_picture };

}  // namespace trainer
