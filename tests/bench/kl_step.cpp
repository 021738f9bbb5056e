// One KL step of a LLaVA of 0.27 B parameters with 576 image positions, beside the same step in Python with
// transformers (kl_step.py).
//
//   random_llava.py FOLDER small
//   bench_kl_step FOLDER ADAPTER QUESTIONS TIMES float32|bfloat16 keys|states [ROWS]
//
// keys: the keys and values of what stands before the questions are kept; states: they are computed again in
// every step. ROWS are computed at once; a run on a CPU takes one. Writes the adapter to ADAPTER, and prints
// seconds a step, the loss, the gradient's norm and the peak memory as JSON.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "common/error.hpp"
#include "common/json.hpp"
#include "common/program.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/safetensors.hpp"
#include "trainer/retention/kl.hpp"

namespace {

using namespace trainer;

constexpr std::int64_t k_positions = 576, k_text = 36, k_answer = 3, k_sound_width = 512, k_first_layer = 3;

Row row_of(std::int64_t number, std::int64_t image_token) {
  Row row;
  row.ids = {1};
  row.ids.insert(row.ids.end(), k_positions, image_token);
  for (std::int64_t i = 0; i < k_text + k_answer; ++i) row.ids.push_back(5 + (7 * i + 13 * number) % 1000);
  row.fused_begin = 1 + k_positions;
  row.answer_begin = row.fused_begin + k_text;
  return row;
}

torch::Tensor features_of(const Llava& base, std::int64_t number) {
  const std::int64_t width = base.decoder().width();
  return (torch::sin(torch::arange(k_positions * width, torch::kFloat32) * 0.7 +
                     static_cast<double>(number)) *
          0.05)
      .view({k_positions, width})
      .to(base.placement().dtype);
}

// A model whose adapter has moved, so that there is something to pull back; and its file for the peer.
void move_and_write(const SafeModel& model, const torch::Tensor& clips, const std::string& path) {
  const torch::NoGradGuard no_graph;
  at::Generator generator = make_generator(5, "bench");
  TensorFile file;
  for (const Parameter& parameter : model.parameters()) {
    torch::Tensor value = parameter.value.detach();
    value.add_(torch::randn(value.sizes(), generator) * 0.01);
    file.tensors[parameter.name] = value;
  }
  for (const auto& [name, tensor] : model.frozen()) file.tensors[name] = tensor;
  file.tensors["silence"] = model.silence();
  file.tensors["clips"] = clips;
  write_safetensors(path, file);
}

int bench_main(int argc, char** argv) {
  if (argc < 7) throw common::Error(common::ErrorKind::usage, "bench_kl_step takes six arguments or seven");
  const std::int64_t questions = std::atoll(argv[3]), times = std::atoll(argv[4]);
  const Placement placement{std::string(argv[5]) == "bfloat16" ? torch::kBFloat16 : torch::kFloat32,
                            torch::kCPU};
  const Kept kept = std::string(argv[6]) == "keys" ? Kept::keys : Kept::states;
  const ModelFolder folder(argv[1]);
  const Llava base = Llava::load(folder, placement);
  const std::int64_t width = base.decoder().width();
  const Compute compute(2, width, placement);
  at::Generator generator = make_generator(6, "bench");
  const torch::Tensor clips = torch::randn({questions, k_sound_width}, generator),
                      silence = torch::randn({k_sound_width}, generator);
  FusionConfig fusion;
  fusion.layers = {k_first_layer, 6, 12};
  fusion.heads = 16;
  fusion.width = width;
  fusion.rank = 8;
  SafeModel model(base, silence, {k_sound_width, 1024, 16, width, SilenceBaseline::subtract}, fusion, 1);
  move_and_write(model, clips, argv[2]);

  PrefixStore prefixes(questions, k_first_layer + 1, kept, {});
  std::vector<EncodedRow> rows;
  for (std::int64_t i = 0; i < questions; ++i) {
    const Row row = row_of(i, base.config().image_token);
    const torch::Tensor head = embed_head(base, row, features_of(base, i));
    torch::Tensor states;
    const auto prefix = std::make_shared<KvCache>(
        base.decoder().run_prefix(head.unsqueeze(0), 0, [&](std::int64_t layer, const torch::Tensor& hidden) {
          if (layer == k_first_layer) states = hidden;
          return hidden;
        }));
    prefixes.put(i, states, *prefix);
    rows.push_back(encode_row(base, row, head, prefix, k_first_layer, Teacher::asked));
    rows.back().prefix = i;
  }
  // Of one epoch, so that a step draws all questions; each hears the clip of its own number below.
  const RetentionStream stream(1, questions, questions, questions);
  RetentionScene scene{model, rows,   prefixes,
                       clips, stream, argc > 7 ? std::atoll(argv[7]) : compute.rows_at_once(0)};
  RetentionDraw draw;
  for (std::int64_t i = 0; i < questions; ++i) draw.questions.push_back(i), draw.clips.push_back(i);
  common::Json seconds = common::Json::array();
  RetentionTerm term;
  for (std::int64_t i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    term = kl_term({}, draw, scene);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const common::Json result = {{"seconds", seconds},
                               {"loss", term.value},
                               {"gradient_norm", term.gradient_norm},
                               {"peak_gb", static_cast<double>(usage.ru_maxrss) / 1e6},
                               {"torch", TORCH_VERSION}};
  std::printf("%s\n", common::dump_line(result).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("bench_kl_step", [&] { return bench_main(argc, argv); });
}
