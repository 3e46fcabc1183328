// SPDX-License-Identifier: MIT
#pragma once

// The training loop: epochs of steps, each step one batch shared by the replicas, one sum of
// gradients, one optimizer update; after each epoch the accuracy on tune decides what is kept.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/error.h"
#include "train/libtorch/device.h"
#include "train/libtorch/device_replica.h"
#include "train/libtorch/graph_module.h"
#include "train/libtorch/objective.h"
#include "train/libtorch/quantized_training.h"
#include "train/libtorch/rank_group.h"
#include "train/libtorch/worker_pool.h"
#include "train/optimizer.h"

namespace biglittle {

/// Loss, gradients or weights are no numbers any more.
class Diverged : public Error {
 public:
  explicit Diverged(const std::string& message) : Error(ErrorKind::gate, message) {}
};

class Trainer {
 public:
  /// The arguments must outlive the trainer. On a device the pool has one worker, and the network
  /// is not trained through int8.
  Trainer(const FitRequest& request, Place place, bool use_bf16, WorkerPool& pool,
          const RankGroup& ranks, Observer& observer);

  FitResult run();

  /// Times `steps` steps of the first epoch, each thread's part by part, after a few that are not
  /// timed; then measures the machine's peak. Ends the training: weights and step are used up.
  TrainingProfile profile(std::int64_t steps);

 private:
  // One worker's part: its own gradients and running statistics over shared weights. On a device
  // there is one, with the host's copies of both and no module.
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
  void restore_tensors(const TensorMap& tensors, std::int64_t replicas);
  void require_same_request() const;
  void keep_state(double epoch_loss) const;
  FitState state(double epoch_loss) const;
  TensorMap tensors() const;
  void require_same_computing(const FitState& state) const;
  std::int64_t epochs_done() const { return std::ssize(best_.history); }
  void fit_epoch(double loss);
  double run_epoch(std::int64_t epoch, double loss);
  void stop_if_asked(double epoch_loss);
  void part_if_asked() const;
  bool keep_if_best(const TensorMap& weights, std::int64_t epoch, const Json& metrics);
  std::span<const std::int64_t> batch_of(std::span<const std::int64_t> order,
                                         std::int64_t batch) const;
  double run_step(std::span<const std::int64_t> rows, std::int64_t epoch, double rate);
  double learning_rate(std::int64_t step) const;
  // trainer_budget.cpp
  void choose_epochs();
  void try_step(std::span<const std::int64_t> order, std::int64_t i);
  double time_a_step();
  std::int64_t by_first(std::int64_t value) const;
  // trainer_divergence.cpp
  void keep_good_state();
  void roll_back(const Diverged& diverged);
  std::string first_not_finite();
  [[noreturn]] void fail(const std::string& what) const;
  // trainer_device.cpp
  DeviceReplica::Host host_copies();
  void send_to_device();
  void fetch_from_device();
  void add_over_devices();
  bool update_on_device(double rate);

  Replica make_replica() const;
  void compute_gradients(Replica& replica, std::span<const std::int64_t> rows, std::int64_t epoch,
                         double batch_size);
  at::Tensor forward(Replica& replica, const at::Tensor& batch) const;
  double add_over_ranks(double loss);
  int stop_code() const;
  bool update_weights(double rate);
  void average_buffers();
  at::Tensor current_parameters() const;
  Json measure_tune(const at::Tensor& parameters, const TensorMap& weights);

  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  const FitRequest& request_;
  Place place_;
  bool use_bf16_;
  WorkerPool& pool_;
  const RankGroup& ranks_;
  Observer& observer_;
  FlatLayout layout_;
  std::optional<QuantizedTraining> quantized_;
  at::Tensor trainable_;  // weights, then learned scales
  std::vector<Replica> replicas_;
  std::optional<DeviceReplica> device_;  // what computes, when the place is a device
  DeviceReplica::Step device_step_;      // the last one, there
  Optimizer optimizer_;
  std::optional<TeacherBeliefs> teacher_;
  std::int64_t batch_size_;
  std::int64_t steps_an_epoch_;
  std::int64_t epochs_;    // of the whole run; 0 until a budget has decided
  std::int64_t step_ = 0;  // done, over all epochs
  int agreed_stop_ = 0;    // the exit code that some rank was asked for, known to all
  std::int64_t rollbacks_ = 0;
  TensorMap last_good_;  // at the end of the last epoch, where it may be returned to
  FitResult best_;       // with the history of all epochs
  double best_loss_ = 0.0;
  std::int64_t best_epoch_ = 0;
};

}  // namespace biglittle
