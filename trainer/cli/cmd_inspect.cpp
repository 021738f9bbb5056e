#include <fmt/format.h>

#include <memory>

#include "common/cli/print_json.hpp"
#include "common/terminal.hpp"
#include "trainer/cli/commands.hpp"
#include "trainer/cli/run_flags.hpp"
#include "trainer/inspect/inspect_model.hpp"

namespace trainer {
namespace {

using common::Json;

void say(const std::string& line) { common::print_line(stdout, line); }

std::string tokens_text(const Json& tokens) {
  std::string text;
  for (std::size_t i = 0; i < tokens.at("ids").size(); ++i)
    text += fmt::format("{}{} {}", i == 0 ? "" : " | ", tokens.at("ids")[i].get<std::int64_t>(),
                        common::escape_for_terminal(tokens.at("pieces")[i].get<std::string>()));
  return text;
}

void print_stages(const Json& stages) {
  say(fmt::format("{:<18}{:<20}{:>13}{:>13}  first values", "stage", "shape", "mean", "norm"));
  for (const Json& stage : stages) {
    std::string first;
    for (const Json& value : stage.at("first")) first += fmt::format(" {:.5g}", value.get<double>());
    say(fmt::format("{:<18}{:<20}{:>13.6g}{:>13.6g} {}", stage.at("stage").get<std::string>(),
                    stage.at("shape").dump(), stage.at("mean").get<double>(), stage.at("norm").get<double>(),
                    first));
  }
}

void print_inspection(const Json& result) {
  say(fmt::format("{}: {}, {} parameters in {} tensors, stored as {}", result.at("model").get<std::string>(),
                  result.at("kind").get<std::string>(), result.at("parameters").get<std::int64_t>(),
                  result.at("tensors").get<std::int64_t>(), result.at("stored_as").dump()));
  for (const char* part : {"decoder", "image"})
    if (result.contains(part)) say(fmt::format("{}: {}", part, result.at(part).dump()));
  if (result.contains("texts"))
    for (const Json& text : result.at("texts"))
      say("text: " + common::escape_for_terminal(text.at("text").get<std::string>()) + "\n  " +
          tokens_text(text));
  if (result.contains("prompt"))
    say("prompt: " + common::escape_for_terminal(result.at("prompt").at("text").get<std::string>()) + "\n  " +
        tokens_text(result.at("prompt")));
  if (result.contains("stages")) print_stages(result.at("stages"));
  if (result.contains("top"))
    for (const Json& one : result.at("top"))
      say(fmt::format("logit {:.6g}: {} {}", one.at("logit").get<double>(), one.at("id").get<std::int64_t>(),
                      common::escape_for_terminal(one.at("piece").get<std::string>())));
  if (result.contains("said"))
    say("it says: " + common::escape_for_terminal(result.at("said").at("text").get<std::string>()) + "\n  " +
        tokens_text(result.at("said")));
  if (result.contains("answer"))
    say(fmt::format("nll of \"{}\": {:.6g} nats a token",
                    common::escape_for_terminal(result.at("answer").at("text").get<std::string>()),
                    result.at("answer").at("nll").get<double>()));
}

struct InspectFlags {
  InspectRequest request;
  std::string prompt = "original", device = "auto", dtype = "auto";
};

}  // namespace

void add_inspect(common::Program& program) {
  common::Verb& verb =
      program.add({"inspect",
                   "Show what a model makes of a text, a picture or a clip, stage by stage, to compare it "
                   "with transformers",
                   {"inspect llava-hf/llava-1.5-7b-hf --image cat.jpg --text Colour?",
                    "inspect clap-htsat-unfused --clip dog.wav --json"},
                   {{1, "files of the model that do not belong together, or a damaged picture or clip"},
                    {3, k_io},
                    {130, k_interrupted}}});
  const auto f = std::make_shared<InspectFlags>();
  verb.path("MODEL,--model", f->request.model,
            "Inspect this folder, or this id in the Hugging Face cache: a LLaVA-1.5 or a CLAP")
      .required();
  verb.texts("--text", f->request.texts,
             "Show the tokens of this text; the first is the question about --image");
  verb.path("--image", f->request.image, "Show what the model makes of this JPEG or PNG and the question");
  verb.path("--clip", f->request.clip, "Show what the audio encoder makes of this sound");
  verb.text("--answer", f->request.answer, "Measure the likelihood of this answer").needs("--image");
  add_prompt_flag(verb, f->prompt);
  verb.whole("--generation-max-new-tokens", f->request.token_limit, common::k_positive_whole,
             "Answer in at most this many tokens");
  verb.choice("--device", f->device,
              {{"auto", "CUDA where LibTorch has it, else the CPU"}, {"cpu", "the CPU"}, {"cuda", "a GPU"}},
              "Compute on this device");
  add_dtype_flag(verb, f->dtype);
  verb.action([f](const common::CommonFlags& flags) {
    f->request.prompt = prompt_form(f->prompt);
    f->request.device = device_of(f->device);
    f->request.dtype = dtype_of(f->dtype);
    return on_device([&] {
      const Json result = inspect_model(f->request);
      if (flags.json)
        common::print_json(result, common::JsonLayout::line);
      else
        print_inspection(result);
      return 0;
    });
  });
}

}  // namespace trainer
