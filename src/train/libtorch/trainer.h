// SPDX-License-Identifier: MIT
#pragma once

// The training loop: epochs of steps, each step one batch shared by the replicas, one sum of
// gradients, one optimizer update; after each epoch the accuracy on tune decides what is kept.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "train/libtorch/graph_module.h"
#include "train/libtorch/objective.h"
#include "train/libtorch/quantized_training.h"
#include "train/libtorch/worker_pool.h"
#include "train/optimizer.h"

namespace biglittle {

class Trainer {
 public:
  /// The arguments must outlive the trainer.
  Trainer(const FitRequest& request, bool use_bf16, WorkerPool& pool, Observer& observer);

  FitResult run();

  /// Times `steps` steps of the first epoch, each thread's part by part, after a few that are not
  /// timed; then measures the machine's peak. Ends the training: weights and step are used up.
  TrainingProfile profile(std::int64_t steps);

 private:
  // One worker's part: its own gradients and running statistics over shared weights.
  struct Replica {
    at::Tensor gradients;
    at::Tensor buffers;
    std::unique_ptr<GraphModule> module;
    Int8Learned learned;       // in place of the module when training through the int8 network
    std::vector<float> batch;  // [n, H, W, C]
    std::vector<std::uint8_t> flipped;  // [n]
    double loss = 0.0;                  // sum over its samples of the last step
  };

  void start_fresh();
  void restore(const FitState& state);
  FitState state(double epoch_loss) const;
  void require_same_computing(const FitState& state) const;
  double run_epoch(std::int64_t epoch, double loss);
  bool keep_if_best(const TensorMap& weights, std::int64_t epoch, const Json& metrics);
  void repeat_steps(std::int64_t steps);
  double run_step(std::span<const std::int64_t> rows, std::int64_t epoch);
  Replica make_replica() const;
  void compute_gradients(Replica& replica, std::span<const std::int64_t> rows, std::int64_t epoch,
                         double batch_size);
  at::Tensor forward(Replica& replica, const at::Tensor& batch) const;
  void update_weights(double rate);
  void average_buffers();
  at::Tensor current_parameters() const;
  Json measure_tune(const at::Tensor& parameters, const TensorMap& weights);
  void check_finite(const TensorMap& weights, std::int64_t epoch) const;

  const FitRequest& request_;
  bool use_bf16_;
  WorkerPool& pool_;
  Observer& observer_;
  FlatLayout layout_;
  std::optional<QuantizedTraining> quantized_;
  at::Tensor trainable_;  // weights, then learned scales
  std::vector<Replica> replicas_;
  Optimizer optimizer_;
  std::optional<TeacherBeliefs> teacher_;
  std::int64_t batch_size_;
  std::int64_t steps_an_epoch_;
  std::int64_t step_ = 0;  // done, over all epochs
  FitResult best_;         // with the history of all epochs
  double best_loss_ = 0.0;
  std::int64_t best_epoch_ = 0;
};

}  // namespace biglittle
