#include "trainer/base/base_training.hpp"

#include <algorithm>
#include <map>

#include "common/parallel.hpp"
#include "common/program.hpp"
#include "common/random.hpp"
#include "trainer/base/tiny_models.hpp"
#include "trainer/base/whiten.hpp"
#include "trainer/data/encoders.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/samples/streams.hpp"
#include "trainer/train/adamw.hpp"
#include "trainer/train/sample_rows.hpp"

namespace trainer {
namespace {

constexpr std::int64_t k_shards = 2;  // fixed, so that the sum of gradients does not depend on threads
constexpr std::int64_t k_caption_share = 10;  // one row in ten is a caption without sound
constexpr std::int64_t k_shift = 1;  // pixels of the tiny picture, of which a cell of its grid has ten

// Rows that begin alike (all the questions about one picture) as one: the beginning is computed once.
struct PackedRow {
  TokenIds ids;
  std::vector<std::int64_t> branch, position;  // as Decoder::branched_context has them
  std::vector<std::int64_t> supervised,
      targets;  // positions that predict an answer's token, and those tokens
};

PackedRow pack_rows(const std::vector<Row>& rows) {
  PackedRow packed;
  const auto shared = static_cast<std::size_t>(rows.front().fused_begin);
  const auto append = [&](const TokenIds& ids, std::size_t begin, std::size_t end, std::int64_t branch) {
    for (std::size_t p = begin; p < end; ++p) {
      packed.ids.push_back(ids[p]);
      packed.branch.push_back(branch);
      packed.position.push_back(static_cast<std::int64_t>(p));
    }
  };
  append(rows.front().ids, 0, shared, 0);
  std::int64_t branch = 0;
  for (const Row& row : rows) {
    const auto offset = static_cast<std::int64_t>(packed.ids.size()) - static_cast<std::int64_t>(shared);
    append(row.ids, shared, row.ids.size(), ++branch);
    for (auto p = row.answer_begin; p < static_cast<std::int64_t>(row.ids.size()); ++p) {
      packed.supervised.push_back(offset + p - 1);
      packed.targets.push_back(row.ids[static_cast<std::size_t>(p)]);
    }
  }
  return packed;
}

// How a picture is seen this time: a little to the side, lighter or darker, never so that an answer changes.
// Without it the tiny tower learns its few thousand pictures by heart instead of how to look.
struct View {
  std::int64_t down = k_shift, right = k_shift;  // 0 .. 2 k_shift
  double contrast = 1, brightness = 0;
};

// A shard of one step.
struct Shard {
  std::vector<PackedRow> rows;
  std::vector<std::int64_t> pictures;  // of the first rows; the others have none
  std::vector<View> views;             // one a picture
};

View draw_view(common::Random& random) {
  View view;
  view.down = static_cast<std::int64_t>(random.below(2 * k_shift + 1));
  view.right = static_cast<std::int64_t>(random.below(2 * k_shift + 1));
  view.contrast = random.uniform(0.8, 1.2);
  view.brightness = random.uniform(-0.2, 0.2);
  return view;
}

// pixels [3, S, S] -> [3, S, S]
torch::Tensor look(const torch::Tensor& pixels, const View& view) {
  const std::int64_t side = pixels.size(1);
  const torch::Tensor wide =
      at::reflection_pad2d(pixels.unsqueeze(0), {k_shift, k_shift, k_shift, k_shift}).squeeze(0);
  return wide.slice(1, view.down, view.down + side).slice(2, view.right, view.right + side) * view.contrast +
         view.brightness;
}

// The rows of one step: pictures in shuffled epochs with all their questions, and captions drawn at random.
class RowSchedule {
 public:
  RowSchedule(const TrainingRows& rows, const MakeBaseRequest& request) : rows_(rows), request_(request) {}

  std::vector<Shard> draw(std::int64_t step) {
    std::vector<Shard> shards(static_cast<std::size_t>(k_shards));
    Shard spoken;  // captions are short: beside the questions they would be mostly padding
    common::Random random(request_.seed, "base/step/" + std::to_string(step));
    const std::int64_t captions = rows_.captions.empty() ? 0 : request_.batch_size / k_caption_share;
    std::size_t turn = 0;
    for (auto row = captions; row < request_.batch_size; ++turn) {
      Shard& shard = shards[turn % shards.size()];
      const std::int64_t picture = next_picture();
      const std::vector<Row>& questions = rows_.questions[static_cast<std::size_t>(picture)];
      shard.rows.push_back(pack_rows(questions));
      shard.pictures.push_back(picture);
      shard.views.push_back(draw_view(random));
      row += static_cast<std::int64_t>(questions.size());
    }
    for (std::int64_t row = 0; row < captions; ++row)
      spoken.rows.push_back(pack_rows({random.choice(rows_.captions)}));
    if (!spoken.rows.empty()) shards.push_back(std::move(spoken));
    return shards;
  }

 private:
  std::int64_t next_picture() {
    if (next_ == order_.size()) {
      order_ = epoch_order(request_.seed, "base", epoch_++, static_cast<std::int64_t>(rows_.pixels.size()));
      next_ = 0;
    }
    return order_[next_++];
  }

  const TrainingRows& rows_;
  const MakeBaseRequest& request_;
  std::vector<std::int64_t> order_;
  std::size_t next_ = 0;
  std::int64_t epoch_ = 0;
};

struct ShardResult {
  double loss_sum = 0;  // nats over all supervised positions
  std::int64_t positions = 0;
  std::vector<torch::Tensor> gradients;  // of loss_sum
};

ShardResult run_shard(const Llava& base, const TrainingRows& all, const Shard& shard,
                      const std::vector<torch::Tensor>& leaves) {
  std::vector<torch::Tensor> pixels;
  for (std::size_t i = 0; i < shard.pictures.size(); ++i)
    pixels.push_back(look(all.pixels[static_cast<std::size_t>(shard.pictures[i])], shard.views[i]));
  const torch::Tensor features =
      pixels.empty() ? torch::Tensor{} : base.encode_images(torch::stack(pixels));  // [pictures, P, H]
  std::size_t longest = 0;
  for (const PackedRow& row : shard.rows) longest = std::max(longest, row.ids.size());
  const auto count = static_cast<std::int64_t>(shard.rows.size());
  const auto length = static_cast<std::int64_t>(longest);
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> branch;
  std::vector<std::int64_t> position;
  std::vector<std::int64_t> supervised;
  std::vector<std::int64_t> targets;
  for (const PackedRow& row : shard.rows) {
    const auto begin = static_cast<std::int64_t>(ids.size());
    for (const std::int64_t p : row.supervised) supervised.push_back(begin + p);
    targets.insert(targets.end(), row.targets.begin(), row.targets.end());
    const auto extend = [&](std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from,
                            std::int64_t pad) {
      to.insert(to.end(), from.begin(), from.end());
      to.resize(static_cast<std::size_t>(begin) + longest, pad);
    };
    extend(ids, row.ids, base.config().pad_token);
    extend(branch, row.branch, -1);
    extend(position, row.position, 0);
  }
  const auto matrix = [&](const std::vector<std::int64_t>& values) {
    return torch::tensor(values, torch::kLong).view({count, length});
  };
  const Decoder& decoder = base.decoder();
  const torch::Tensor last = decoder.run_layers(base.embed(matrix(ids), features), 0, decoder.layers(),
                                                decoder.branched_context(matrix(branch), matrix(position)));
  const torch::Tensor picked =
      last.reshape({-1, last.size(2)}).index_select(0, torch::tensor(supervised, torch::kLong));
  const torch::Tensor loss = at::cross_entropy_loss(
      decoder.logits(picked), torch::tensor(targets, torch::kLong), {}, at::Reduction::Sum);
  ShardResult result;
  result.loss_sum = loss.item<double>();
  result.positions = static_cast<std::int64_t>(supervised.size());
  result.gradients = torch::autograd::grad({loss}, leaves, {}, false, false, true);
  return result;
}

std::vector<torch::Tensor> mean_gradients(std::vector<ShardResult>& shards) {
  std::int64_t positions = 0;
  for (const ShardResult& shard : shards) positions += shard.positions;
  std::vector<torch::Tensor> sums = std::move(shards.front().gradients);
  for (std::size_t s = 1; s < shards.size(); ++s)
    for (std::size_t k = 0; k < sums.size(); ++k) {
      const torch::Tensor& other = shards[s].gradients[k];
      if (other.defined()) sums[k] = sums[k].defined() ? sums[k] + other : other;
    }
  for (torch::Tensor& sum : sums)
    if (sum.defined()) sum = sum / static_cast<double>(positions);
  return sums;
}

// The first map of the vision tower gives what is left of the mean patch by its main directions, each as
// strong as the other. As drawn it gives colour and brightness, whose variance is hundreds of times that of
// outlines, and shapes are learnt late.
void whiten_patches(Llava& base, const std::vector<torch::Tensor>& pictures) {
  constexpr std::size_t k_pictures = 2000;  // are enough to know a few hundred directions
  constexpr double k_floor = 1e-5;
  const torch::NoGradGuard no_graph;
  NamedTensors weights = base.parameters();
  const std::string embeddings = "vision_tower.vision_model.embeddings.";
  torch::Tensor patches_to = weights.at(embeddings + "patch_embedding.weight");  // [D, 3, P, P]
  torch::Tensor places = weights.at(embeddings + "position_embedding.weight");   // [1 + patches, D]
  const std::int64_t side = patches_to.size(2);
  std::vector<torch::Tensor> patches;
  for (std::size_t i = 0; i < std::min(pictures.size(), k_pictures); ++i)
    patches.push_back(pictures[i]
                          .unfold(1, side, side)
                          .unfold(2, side, side)
                          .permute({1, 2, 0, 3, 4})
                          .reshape({-1, 3 * side * side}));
  const Whitening whitening = whiten(torch::cat(patches), patches_to.size(0), k_floor);
  patches_to.copy_(whitening.matrix.view(patches_to.sizes()).to(torch::kFloat32));
  // The map has no bias; the class token, which sees no patch, comes first.
  places.slice(0, 1).sub_(whitening.matrix.mv(whitening.mean).to(torch::kFloat32));
}

}  // namespace

TrainingRows make_rows(const packer::VerifiedPack& pack, const PackSamples& samples,
                       const PromptWriter& writer, const MakeBaseRequest& request) {
  TrainingRows rows;
  RowProblems problems;
  const std::vector<Row> asked = question_rows(writer, samples.base, problems);
  for (std::size_t i = 0; i < samples.base_captions.size(); ++i)
    rows.captions.push_back(problems.row("caption " + std::to_string(i + 1) + " of base_manifest.json", [&] {
      return writer.with_answer(writer.text_row(samples.base_question), samples.base_captions[i]);
    }));
  problems.refuse_any();
  std::map<common::PackPath, std::size_t> picture_index;
  std::vector<common::PackPath> pictures;
  for (std::size_t i = 0; i < samples.base.size(); ++i) {
    const common::PackPath& image = samples.base[i].image;
    const auto [found, fresh] = picture_index.emplace(image, pictures.size());
    if (fresh) {
      pictures.push_back(image);
      rows.questions.emplace_back();
    }
    rows.questions[found->second].push_back(asked[i]);
  }
  common::Progress progress("reading", "pictures", pictures.size(), request.verbosity);
  rows.pixels.resize(pictures.size());
  common::parallel_for(pictures.size(), common::thread_count(request.threads), [&](std::size_t i) {
    at::set_num_threads(1);  // of the resizing; the pictures are the threads' work
    rows.pixels[i] = read_pixels(pack, pictures[i], tiny_pixels_config());
    progress.add(1);
  });
  return rows;
}

double train_base(Llava& base, const TrainingRows& rows, const MakeBaseRequest& request) {
  if (!rows.pixels.empty()) whiten_patches(base, rows.pixels);
  std::vector<Parameter> parameters;
  std::vector<torch::Tensor> leaves;
  for (auto& [name, tensor] : base.parameters()) {
    tensor.set_requires_grad(true);
    parameters.push_back({name, ParameterGroup::projector, tensor});
    leaves.push_back(tensor);
  }
  AdamW optimiser(parameters, {});
  RowSchedule schedule(rows, request);
  const Compute compute(request.threads, base.decoder().width(), {});
  common::Progress progress("training the base", "steps", static_cast<std::uint64_t>(request.steps),
                            request.verbosity);
  double recent = 0;
  for (std::int64_t step = 1; step <= request.steps; ++step) {
    common::throw_if_stop_requested();
    const std::vector<Shard> shards = schedule.draw(step);
    std::vector<ShardResult> results(shards.size());
    std::vector<std::function<void()>> tasks;
    for (std::size_t s = 0; s < shards.size(); ++s)
      tasks.emplace_back([&, s] { results[s] = run_shard(base, rows, shards[s], leaves); });
    compute.run(tasks);
    double loss = 0;
    std::int64_t positions = 0;
    for (const ShardResult& result : results) {
      loss += result.loss_sum;
      positions += result.positions;
    }
    loss /= static_cast<double>(positions);
    std::vector<torch::Tensor> gradients = mean_gradients(results);
    clip_gradients(gradients, 1.0);
    const double rate = request.learning_rate *
                        schedule_factor(step, request.steps, std::min<std::int64_t>(100, request.steps));
    optimiser.step(gradients, rate, rate);
    recent =
        step == 1 ? loss : recent + (loss - recent) / static_cast<double>(std::min<std::int64_t>(step, 100));
    progress.note("loss " + common::python_repr(std::round(recent * 1e4) / 1e4));
    progress.add(1);
  }
  for (auto& [name, tensor] : base.parameters()) tensor.set_requires_grad(false);
  return recent;
}

}  // namespace trainer
