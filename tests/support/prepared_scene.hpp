// What a mechanism sees before the first step.
#pragma once

#include <utility>

#include "tests/support/small_experiment.hpp"
#include "trainer/train/train.hpp"

namespace support {

// A model, its retention questions, and the mechanisms of a configuration, prepared as for training.
struct Prepared {
  trainer::RunConfig config;
  trainer::Experiment experiment;
  trainer::SafeModel model;
  trainer::RetentionStream stream;
  trainer::Compute compute;
  trainer::RetentionScene scene;
  trainer::Mechanisms mechanisms;

  explicit Prepared(trainer::RunConfig with)
      : config(std::move(with)),
        experiment(small_experiment(config)),
        model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed),
        stream(config.seed, static_cast<std::int64_t>(experiment.retention_rows.size()),
               experiment.train.vectors.size(0), config.retention.batch_size),
        compute(1, config.fusion.width, {}),
        scene{model,
              experiment.retention_rows,
              experiment.retention_prefixes,
              experiment.train.vectors,
              stream,
              16,
              compute},
        mechanisms(trainer::make_mechanisms(config)) {
    trainer::prepare(mechanisms, scene);
  }
};

}  // namespace support
