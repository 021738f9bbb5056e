#include "trainer/train/train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/program.hpp"
#include "common/progress.hpp"
#include "trainer/model/compat.hpp"
#include "trainer/retention/ordered_sum.hpp"
#include "trainer/train/training_record.hpp"

namespace trainer {
namespace {

// What one pass over some rows found.
struct AudioPass {
  double loss_sum = 0;  // nats over the answer positions
  std::int64_t positions = 0;
  std::int64_t right = 0;  // positions whose most likely token is the right one
};

struct PassResult {
  AudioPass pass;
  std::vector<torch::Tensor> gradients;  // of loss_sum
};

PassResult run_audio(const Experiment& experiment, const SafeModel& model,
                     const std::vector<std::int64_t>& rows, const std::vector<torch::Tensor>& leaves) {
  const Batch batch = make_batch(pick(experiment.train_rows, rows), nullptr, model.device());
  std::vector<std::int64_t> clips_of_rows;
  for (const std::int64_t row : rows)
    clips_of_rows.push_back(experiment.train_clips[static_cast<std::size_t>(row)]);
  const torch::Tensor clips = pick_rows(experiment.train.vectors, clips_of_rows);
  const torch::Tensor logits = model.answer_logits(batch, model.hear(clips, 1.0));
  const torch::Tensor loss = at::cross_entropy_loss(logits, batch.targets, {}, at::Reduction::Sum);
  PassResult result;
  result.pass.loss_sum = loss.item<double>();
  result.pass.positions = batch.targets.size(0);
  result.pass.right = logits.detach().argmax(1).eq(batch.targets).sum().item<std::int64_t>();
  result.gradients = torch::autograd::grad({loss}, leaves, {}, false, false, true);
  return result;
}

// The trained leaves, and after them those that mechanisms watch.
std::vector<torch::Tensor> task_leaves(const SafeModel& model, const Mechanisms& mechanisms) {
  std::vector<torch::Tensor> leaves = leaves_of(model);
  for (const auto& mechanism : mechanisms)
    for (torch::Tensor& leaf : mechanism->watched()) leaves.push_back(std::move(leaf));
  return leaves;
}

// What one step computed, before anything moves.
struct StepResult {
  std::vector<AudioPass> audio;
  std::vector<torch::Tensor> audio_gradients;  // of the sum of their losses
  std::vector<RetentionTerm> terms;            // one a mechanism
  bool asked_to_stop = false;                  // of several processes, one
};

StepResult compute_step(std::int64_t step, const Experiment& experiment, SafeModel& model,
                        Mechanisms& mechanisms, RetentionScene* scene, const std::vector<std::int64_t>& rows,
                        std::size_t rows_at_once, const Compute& compute,
                        const std::vector<torch::Tensor>& leaves) {
  StepResult result;
  result.audio.resize((rows.size() + rows_at_once - 1) / rows_at_once);
  result.terms.resize(mechanisms.size());
  OrderedSum gradients;
  std::vector<std::function<void()>> tasks;
  for (const auto& mechanism : mechanisms) mechanism->renew(step, *scene);
  for (std::size_t m = 0; m < mechanisms.size(); ++m)
    tasks.emplace_back([&, m] { result.terms[m] = mechanisms[m]->term(step, *scene); });
  for (std::size_t p = 0, own = 0; p < result.audio.size(); ++p) {
    if (!compute.group().takes(p)) continue;
    tasks.emplace_back([&, p, place = own++] {
      const std::size_t begin = p * rows_at_once;
      const std::size_t end = std::min(rows.size(), begin + rows_at_once);
      PassResult one = run_audio(experiment, model,
                                 {rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                  rows.begin() + static_cast<std::ptrdiff_t>(end)},
                                 leaves);
      result.audio[p] = one.pass;
      gradients.add(place, std::move(one.gradients));
    });
  }
  compute.run(tasks);
  result.audio_gradients = gradients.take();
  return result;
}

// What the passes of the other processes found goes into `result`, the same in all of them; and whether one
// of them was asked to stop.
void share(const ProcessGroup& group, const std::vector<torch::Tensor>& leaves,
           const std::vector<torch::Tensor>& task, StepResult& result) {
  if (group.is_alone()) return;
  std::vector<RetentionTerm*> shared;
  for (RetentionTerm& term : result.terms)
    if (term.of == RetentionTerm::Of::own_passes) shared.push_back(&term);
  std::vector<double> numbers = {common::stop_requested() ? 1.0 : 0.0};
  for (const AudioPass& pass : result.audio)  // the one process that ran it has them, all others 0
    numbers.insert(numbers.end(),
                   {pass.loss_sum, static_cast<double>(pass.positions), static_cast<double>(pass.right)});
  std::vector<torch::Tensor> gradients = std::move(result.audio_gradients), like = task;
  gradients.resize(task.size());
  for (RetentionTerm* term : shared) {
    numbers.push_back(term->value);
    term->gradients.resize(leaves.size());
    std::move(term->gradients.begin(), term->gradients.end(), std::back_inserter(gradients));
    like.insert(like.end(), leaves.begin(), leaves.end());
  }
  group.sum(gradients, like, numbers);
  auto number = numbers.begin();
  result.asked_to_stop = *number++ > 0;
  for (AudioPass& pass : result.audio) {
    pass = {number[0], static_cast<std::int64_t>(number[1]), static_cast<std::int64_t>(number[2])};
    number += 3;
  }
  auto gradient = gradients.begin();
  const auto take = [&gradient](std::size_t count) {
    const auto begin = std::exchange(gradient, gradient + static_cast<std::ptrdiff_t>(count));
    return std::vector<torch::Tensor>(begin, gradient);
  };
  result.audio_gradients = take(task.size());
  for (RetentionTerm* term : shared) {
    term->value = *number++;
    term->gradients = take(leaves.size());
    term->gradient_norm = gradient_norm(term->gradients);
  }
}

// Shows each mechanism the gradients of the task, of which those of trained leaves stay.
void show_task(const Mechanisms& mechanisms, const SafeModel& model, std::size_t trained,
               StepResult& result) {
  const std::vector<torch::Tensor> watched(
      result.audio_gradients.begin() + static_cast<std::ptrdiff_t>(trained), result.audio_gradients.end());
  result.audio_gradients.resize(trained);
  auto next = watched.begin();
  for (const auto& mechanism : mechanisms) {
    const auto begin = std::exchange(next, next + static_cast<std::ptrdiff_t>(mechanism->watched().size()));
    mechanism->see_task(result.audio_gradients, {begin, next}, model);
  }
}

// Takes one tensor after the other, so that memory never holds two more than it must.
void add_to(std::vector<torch::Tensor>& sums, std::vector<torch::Tensor>& gradients, double factor) {
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    const torch::Tensor gradient = std::exchange(gradients[k], {});
    if (!gradient.defined()) continue;
    const torch::Tensor part = factor == 1.0 ? gradient : gradient * factor;
    sums[k] = sums[k].defined() ? sums[k] + part : part;
  }
}

struct StepSummary {
  double audio_loss = 0, token_accuracy = 0, audio_norm = 0, total_loss = 0;
  std::vector<torch::Tensor> gradients;
};

// The gradients of `result` go into the summary, rounded once all are added.
StepSummary summarise_step(StepResult& result, const std::vector<torch::Tensor>& leaves) {
  StepSummary summary;
  summary.gradients.resize(leaves.size());
  std::int64_t positions = 0;
  std::int64_t right = 0;
  for (const AudioPass& pass : result.audio) {
    positions += pass.positions;
    right += pass.right;
    summary.audio_loss += pass.loss_sum;
  }
  const auto count = static_cast<double>(positions);
  summary.audio_loss /= count;
  summary.token_accuracy = static_cast<double>(right) / count;
  add_to(summary.gradients, result.audio_gradients, 1.0 / count);
  summary.audio_norm = gradient_norm(summary.gradients);
  summary.total_loss = summary.audio_loss;
  for (std::size_t m = 0; m < result.terms.size(); ++m) {
    add_to(summary.gradients, result.terms[m].gradients, 1.0);
    summary.total_loss += result.terms[m].value;
  }
  for (std::size_t k = 0; k < leaves.size(); ++k)
    if (summary.gradients[k].defined()) summary.gradients[k] = summary.gradients[k].to(leaves[k].dtype());
  return summary;
}

common::Json history_record(std::int64_t step, std::int64_t epoch, const RunConfig& config, double factor,
                            const StepSummary& summary, double norm, const StepResult& result,
                            const Mechanisms& mechanisms) {
  common::Json record;
  record["step"] = step;
  record["epoch"] = epoch;
  record["lr_projector"] = config.projector_rate * factor;
  record["lr_adapter"] = config.adapter_rate * factor;
  record["total_loss"] = summary.total_loss;
  record["audio_task_loss"] = summary.audio_loss;
  record["audio_gradient_norm"] = summary.audio_norm;
  for (std::size_t m = 0; m < mechanisms.size(); ++m) {
    const std::string name = mechanisms[m]->name();
    if (mechanisms[m]->kind() == MechanismKind::constraint) {
      record[name + "_removed"] = mechanisms[m]->removed();
      continue;
    }
    record[name + "_loss"] = result.terms[m].value;
    record[name + "_gradient_norm"] = result.terms[m].gradient_norm;
  }
  record["gradient_norm"] = norm;
  if (step <= config.accuracy_first || (config.accuracy_every > 0 && step % config.accuracy_every == 0))
    record["train_token_accuracy"] = summary.token_accuracy;
  return record;
}

std::string losses_text(const StepSummary& summary, const StepResult& result, const Mechanisms& mechanisms) {
  std::string text = fmt::format("loss: audio {:.4g}", summary.audio_loss);
  for (std::size_t m = 0; m < mechanisms.size(); ++m)
    if (mechanisms[m]->kind() == MechanismKind::loss)
      text += fmt::format(", {} {:.4g}", mechanisms[m]->name(), result.terms[m].value);
  return text;
}

void refuse_idle(const std::map<std::string, MechanismActivity>& activity) {
  for (const auto& [name, one] : activity)
    if (one.acted_steps == 0)
      throw common::Error(
          common::ErrorKind::mismatch,
          "the mechanism " + name + " was switched on and never acted in " +
              std::to_string(one.enabled_steps) +
              " steps, so the run would not be what its name says; train for more steps or switch "
              "the mechanism off");
}

// SHA-256 of the bits of every trained tensor.
common::Digest digest_of_adapter(const SafeModel& model) {
  common::Hasher hasher;
  for (const torch::Tensor& leaf : leaves_of(model)) {
    const torch::Tensor plain = leaf.detach().to(torch::kCPU).contiguous();
    hasher.update({static_cast<const std::uint8_t*>(plain.data_ptr()), plain.nbytes()});
  }
  return hasher.finish();
}

[[noreturn]] void diverged(std::int64_t step) {
  throw common::Error(common::ErrorKind::mismatch, "the loss is no longer a number at step " +
                                                       std::to_string(step) +
                                                       "; lower --lr-projector and --lr-adapter");
}

}  // namespace

Mechanisms make_mechanisms(const RunConfig& config) { return make_mechanisms(config.retention, config.seed); }

TrainingResult train(const RunConfig& config, Experiment& experiment, SafeModel& model,
                     Mechanisms& mechanisms, RunDirectory* run, const std::string& config_digest,
                     const Compute& compute, const std::optional<Checkpoint>& checkpoint,
                     TrainingWatch* watch) {
  const ProcessGroup& group = compute.group();
  const std::int64_t audio_rows = config.train_batch_size * config.gradient_accumulation,
                     questions = config.retention.batch_size * config.gradient_accumulation;
  const EpochStream audio(config.seed, "audio", static_cast<std::int64_t>(experiment.train_rows.size()),
                          audio_rows);
  const std::int64_t rows_at_once = compute.rows_at_once(config.micro_batch, audio_rows);
  std::unique_ptr<RetentionStream> stream;
  std::unique_ptr<RetentionScene> scene;
  if (!mechanisms.empty()) {
    // Where there is no question, no mechanism asks one: preconditions.hpp.
    stream = std::make_unique<RetentionStream>(
        config.seed, std::max<std::int64_t>(static_cast<std::int64_t>(experiment.retention_rows.size()), 1),
        experiment.train.vectors.size(0), questions);
    scene = std::make_unique<RetentionScene>(RetentionScene{
        model, experiment.retention_rows, experiment.retention_prefixes, experiment.train.vectors, *stream,
        compute.rows_at_once(config.micro_batch, questions), compute});
  }
  if (scene) prepare(mechanisms, *scene);

  AdamW optimiser(model.parameters(), {.weight_decay = config.weight_decay});
  if (checkpoint) restore(*checkpoint, model, optimiser, mechanisms);
  const std::int64_t done = checkpoint ? checkpoint->step : 0;
  TrainingRecord record(run, config_digest, checkpoint);
  const auto save = [&](std::int64_t step) {
    if (!group.is_alone()) group.require_same("the adapter", digest_of_adapter(model).hex());
    record.save(step, model, optimiser, mechanisms);
  };

  const std::int64_t total = audio.steps_per_epoch() * config.epochs;
  if (done > total)
    throw common::Error(
        common::ErrorKind::mismatch,
        fmt::format("the run's checkpoint is of step {} and it has {}; start again without --resume", done,
                    total));
  const std::int64_t warmup = warmup_steps(total);
  common::Progress progress("training " + config.variant, "steps", static_cast<std::uint64_t>(total),
                            config.verbosity);
  progress.go_on_from(static_cast<std::uint64_t>(done));
  bool is_stopping = group.any(common::stop_requested());
  const auto stop_after = [&](std::int64_t step) {
    save(step);
    group.wait_for_all();  // nobody ends before it is saved
    throw common::Error(
        common::ErrorKind::stopped,
        fmt::format("stopped after step {} of {}; the same command with --resume goes on", step, total));
  };
  for (std::int64_t step = done + 1; step <= total; ++step) {
    if (group.is_alone() ? common::stop_requested() : is_stopping) stop_after(step - 1);
    if (watch != nullptr && watch->is_due(step - 1, total)) {
      try {
        watch->look(step - 1);
      } catch (const common::Error& error) {
        if (error.kind() != common::ErrorKind::interrupted) throw;
        stop_after(step - 1);
      }
    }
    const std::vector<torch::Tensor> leaves = leaves_of(model), task = task_leaves(model, mechanisms);
    StepResult result = compute_step(step, experiment, model, mechanisms, scene.get(), audio.rows(step),
                                     static_cast<std::size_t>(rows_at_once), compute, task);
    share(group, leaves, task, result);
    show_task(mechanisms, model, leaves.size(), result);
    is_stopping = result.asked_to_stop;
    StepSummary summary = summarise_step(result, leaves);
    for (const auto& mechanism : mechanisms) mechanism->before_update(summary.gradients, model);
    const double norm = clip_gradients(summary.gradients, config.gradient_limit);
    if (!std::isfinite(summary.total_loss) || !std::isfinite(norm)) diverged(step);
    const double factor = schedule_factor(step, total, warmup);
    optimiser.step(summary.gradients, config.projector_rate * factor, config.adapter_rate * factor);
    for (const auto& mechanism : mechanisms) mechanism->after_update(model);
    record.append(
        history_record(step, audio.epoch_of(step), config, factor, summary, norm, result, mechanisms));
    progress.note(losses_text(summary, result, mechanisms));
    progress.add(1);
    if (config.checkpoint_every > 0 && step % config.checkpoint_every == 0 && step < total) save(step);
  }
  save(total);
  for (const auto& mechanism : mechanisms) mechanism->finish(model);
  TrainingResult result{total, record.activity_of(mechanisms)};
  refuse_idle(result.activity);
  return result;
}

}  // namespace trainer
