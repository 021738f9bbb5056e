// One KL step, beside the same step in Python with transformers (kl_step.py).
//
//   bench_kl_step FOLDER ADAPTER QUESTIONS TIMES float32|bfloat16 keys|states [ROWS [DEVICE]]
//
// FOLDER is one of random_llava.py's, or a tiny base's. keys: the keys and values of what stands before the
// questions are kept; states: they are computed again in every step. ROWS are computed at once; a run on a
// CPU takes one, of a tiny base sixteen. DEVICE is cpu or cuda. Writes the adapter to ADAPTER, and prints
// seconds and processor seconds a step, the loss, the gradient's norm and the peak memory as JSON. One thread
// for a tiny base, two else.
#include <sys/resource.h>
#include <time.h>

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

constexpr std::int64_t k_text = 36, k_answer = 3, k_sound_width = 512;

bool is_tiny(const Llava& base) { return base.decoder().width() <= Compute::k_wide; }

FusionConfig fusion_of(const Llava& base) {
  FusionConfig fusion;
  fusion.layers = is_tiny(base) ? std::vector<std::int64_t>{1, 2} : std::vector<std::int64_t>{3, 6, 12};
  fusion.heads = base.decoder().config().heads;
  fusion.width = base.decoder().width();
  fusion.rank = is_tiny(base) ? 0 : 8;
  return fusion;
}

Row row_of(const Llava& base, std::int64_t number) {
  constexpr std::int64_t k_words = 500;
  Row row;
  row.ids = {1};
  row.ids.insert(row.ids.end(), static_cast<std::size_t>(base.config().image_positions()),
                 base.config().image_token);
  row.fused_begin = static_cast<std::int64_t>(row.ids.size());
  for (std::int64_t i = 0; i < k_text + k_answer; ++i) row.ids.push_back(5 + (7 * i + 13 * number) % k_words);
  row.answer_begin = row.fused_begin + k_text;
  return row;
}

torch::Tensor features_of(const Llava& base, std::int64_t number) {
  const std::int64_t width = base.decoder().width(), positions = base.config().image_positions();
  return (torch::sin(torch::arange(positions * width, torch::kFloat32) * 0.7 + static_cast<double>(number)) *
          0.05)
      .view({positions, width})
      .to(base.placement().device, base.placement().dtype);
}

// A model whose adapter has moved, so that there is something to pull back; and its file for the peer.
void move_and_write(const SafeModel& model, const torch::Tensor& clips, const std::string& path) {
  const torch::NoGradGuard no_graph;
  at::Generator generator = make_generator(5, "bench");
  TensorFile file;
  for (const Parameter& parameter : model.parameters()) {
    torch::Tensor value = parameter.value.detach();
    value.add_((torch::randn(value.sizes(), generator) * 0.01).to(value.device()));
    file.tensors[parameter.name] = value.cpu();
  }
  for (const auto& [name, tensor] : model.frozen()) file.tensors[name] = tensor.cpu();
  file.tensors["silence"] = model.silence().cpu();
  file.tensors["clips"] = clips.cpu();
  write_safetensors(path, file);
}

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

int bench_main(int argc, char** argv) {
  if (argc < 7) throw common::Error(common::ErrorKind::usage, "bench_kl_step takes six to eight arguments");
  const std::int64_t questions = std::atoll(argv[3]), times = std::atoll(argv[4]);
  const Placement placement =
      placement_for(argc > 8 && std::string(argv[8]) == "cuda" ? DeviceChoice::cuda : DeviceChoice::cpu,
                    std::string(argv[5]) == "bfloat16" ? DtypeChoice::bfloat16 : DtypeChoice::float32);
  const Kept kept = std::string(argv[6]) == "keys" ? Kept::keys : Kept::states;
  const ModelFolder folder(argv[1]);
  const Llava base = Llava::load(folder, placement);
  const std::int64_t width = base.decoder().width();
  const Compute compute(is_tiny(base) ? 1 : 2, width, placement);
  at::Generator generator = make_generator(6, "bench");
  const torch::Tensor clips = torch::randn({questions, k_sound_width}, generator).to(placement.device),
                      silence = torch::randn({k_sound_width}, generator);
  const FusionConfig fusion = fusion_of(base);
  const std::int64_t first_layer = fusion.layers.front(), bottleneck = is_tiny(base) ? 128 : 1024,
                     tokens = is_tiny(base) ? 4 : 16;
  SafeModel model(base, silence, {k_sound_width, bottleneck, tokens, width, SilenceBaseline::subtract},
                  fusion, 1);
  move_and_write(model, clips, argv[2]);

  PrefixStore prefixes(questions, first_layer + 1, kept, {});
  std::vector<EncodedRow> rows;
  for (std::int64_t i = 0; i < questions; ++i) {
    const Row row = row_of(base, i);
    const torch::Tensor head = embed_head(base, row, features_of(base, i));
    torch::Tensor states;
    const auto prefix = std::make_shared<KvCache>(
        base.decoder().run_prefix(head.unsqueeze(0), 0, [&](std::int64_t layer, const torch::Tensor& hidden) {
          if (layer == first_layer) states = hidden;
          return hidden;
        }));
    prefixes.put(i, states, *prefix);
    rows.push_back(encode_row(base, row, head, prefix, first_layer, Teacher::asked));
    rows.back().prefix = i;
  }
  // Of one epoch, so that a step draws all questions; each hears the clip of its own number below.
  const RetentionStream stream(1, questions, questions, questions);
  RetentionScene scene{model,  rows,   prefixes,
                       clips,  stream, argc > 7 ? std::atoll(argv[7]) : compute.rows_at_once(0, questions),
                       compute};
  RetentionDraw draw;
  for (std::int64_t i = 0; i < questions; ++i) draw.questions.push_back(i), draw.clips.push_back(i);
  common::Json seconds = common::Json::array(), processor = common::Json::array();
  RetentionTerm term;
  for (std::int64_t i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const double before = processor_seconds();
    term = kl_term({}, draw, scene);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    processor.push_back(processor_seconds() - before);
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const common::Json result = {{"seconds", seconds},
                               {"processor_seconds", processor},
                               {"loss", term.value},
                               {"gradient_norm", term.gradient_norm},
                               {"peak_gb", static_cast<double>(usage.ru_maxrss) * 1024 / 1e9},
                               {"torch", TORCH_VERSION}};
  std::printf("%s\n", common::dump_line(result).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("bench_kl_step", [&] { return bench_main(argc, argv); });
}
