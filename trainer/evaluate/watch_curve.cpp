#include "trainer/evaluate/watch_curve.hpp"

#include <fmt/format.h>

#include <chrono>
#include <limits>

#include "common/error.hpp"
#include "trainer/evaluate/evaluate.hpp"

namespace trainer {
namespace {

// The last step that the file has a look at, which has all before it too.
std::int64_t last_look(const RunDirectory& run, const CurveConfig& curve, std::int64_t trained_steps) {
  std::int64_t last = 0;
  for (const CurveLook& look : read_curve(run.folder())) {
    if (look.step != last + curve.every) break;
    last = look.step;
  }
  if (last + curve.every < trained_steps)
    throw common::Error(
        common::ErrorKind::io,
        fmt::format("{} ends at step {} and the checkpoint is of step {}; start again without "
                    "--resume",
                    run.folder().path_of(k_curve_file).string(), last, trained_steps));
  return last;
}

}  // namespace

CurveWatch::CurveWatch(const RunConfig& config, const Experiment& experiment, const SafeModel& model,
                       const Compute& compute, const RunDirectory* run, std::int64_t trained_steps)
    : config_(config), experiment_(experiment), model_(model), compute_(compute) {
  if (!config_.curve.is_on()) return;
  last_step_ = std::numeric_limits<std::int64_t>::max();
  if (run != nullptr) {
    cut_curve(run->folder(), trained_steps);
    last_step_ = last_look(*run, config_.curve, trained_steps);
    lines_.emplace(run->folder(), k_curve_file);
  }
  last_step_ = compute_.group().least(last_step_);
}

bool CurveWatch::is_due(std::int64_t step, std::int64_t total) const {
  return is_look(config_.curve, step, total) && step > last_step_;
}

void CurveWatch::look(std::int64_t step) {
  const auto begin = std::chrono::steady_clock::now();
  RunConfig config = config_;
  config.verbosity = common::Verbosity::quiet;  // the progress of training is shown
  CurveLook seen;
  seen.step = step;
  for (const Prediction& one : evaluate_some(config, experiment_, model_, compute_, config.curve.items))
    (one.kind == PredictionKind::vl ? seen.questions : seen.clips)
        .push_back({one.id, one.prediction, one.kl_to_base});
  if (lines_) {
    lines_->append(to_json(seen));
    (void)lines_->save();  // a checkpoint may follow
  }
  last_step_ = step;
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace trainer
