// SPDX-License-Identifier: MIT
#include "train/libtorch/trainer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/random.h"
#include "train/batch.h"
#include "train/finite.h"
#include "train/libtorch/initial_weights.h"
#include "train/libtorch/seconds.h"
#include "train/libtorch/step_clock.h"
#include "train/schedule.h"

namespace biglittle {
namespace {

constexpr std::int64_t kStepsBetweenChecks = 100;

std::optional<QuantizedTraining> quantized_training(const FitRequest& request,
                                                    const FlatLayout& layout) {
  if (!request.quantization) return std::nullopt;
  return std::make_optional<QuantizedTraining>(request, layout);
}

std::int64_t parameter_count(const FlatLayout& layout,
                             const std::optional<QuantizedTraining>& quantized) {
  return layout.trainable_count() + (quantized ? quantized->scale_count() : 0);
}

at::Tensor row_numbers(std::span<const std::int64_t> rows) {
  return at::from_blob(const_cast<std::int64_t*>(rows.data()), {std::ssize(rows)}, at::kLong);
}

at::Tensor as_long(std::span<std::uint8_t> values) {
  return at::from_blob(values.data(), {std::ssize(values)}, at::kByte).to(at::kLong);
}

// Learned scales do not decay.
std::vector<std::uint8_t> decays(const FlatLayout& layout, std::int64_t parameters) {
  std::vector<std::uint8_t> result = layout.decays();
  result.resize(static_cast<std::size_t>(parameters), 0);
  return result;
}

}  // namespace

Trainer::Trainer(const FitRequest& request, Place place, bool use_bf16, WorkerPool& pool,
                 const RankGroup& ranks, Observer& observer)
    : request_(request),
      place_(place),
      use_bf16_(use_bf16),
      pool_(pool),
      ranks_(ranks),
      observer_(observer),
      layout_(request.graph),
      quantized_(quantized_training(request, layout_)),
      trainable_(at::zeros({parameter_count(layout_, quantized_)}, at::kFloat)),
      optimizer_(request.options, decays(layout_, trainable_.numel())),
      batch_size_(std::min(request.options.batch_size, request.train->count())),
      steps_an_epoch_(request.train->count() / batch_size_),
      epochs_(request.options.budget_minutes > 0.0 ? 0 : request.options.epochs) {
  require_same_request();
  for (std::int64_t worker = 0; worker < pool.size(); ++worker) {
    replicas_.push_back(make_replica());
  }
  if (place_) device_.emplace(request, layout_, *place_, use_bf16);
  if (request.resume) {
    restore(*request.resume);
  } else {
    start_fresh();
  }
  ranks_.copy_from_first(trainable_);
  send_to_device();
  if (request.distillation) {
    teacher_.emplace(*request.distillation, request, pool, ranks, device_of(place_), use_bf16_);
  }
}

Trainer::Replica Trainer::make_replica() const {
  Replica replica;
  replica.gradients = at::zeros_like(trainable_);
  replica.buffers = at::empty({layout_.buffer_count()}, at::kFloat);
  if (quantized_) {
    replica.learned = quantized_->leaves(trainable_, replica.gradients);
  } else if (!place_) {
    replica.module = std::make_unique<GraphModule>(request_.graph, layout_, trainable_,
                                                   replica.buffers, replica.gradients);
  }
  return replica;
}

void Trainer::start_fresh() {
  const c10::NoGradGuard no_gradients;
  const TensorMap start = initial_weights(request_);
  for (const Replica& replica : replicas_) layout_.load(start, trainable_, replica.buffers);
}

FitResult Trainer::run() {
  const std::int64_t patience = request_.options.patience;
  const bool inside_epoch = step_ > epochs_done() * steps_an_epoch_;
  double loss_so_far = inside_epoch ? request_.resume->epoch_loss : 0.0;
  if (epochs_ == 0) choose_epochs();
  if (last_good_.empty()) keep_good_state();
  while (epochs_done() < epochs_) {
    if (patience > 0 && epochs_done() - best_epoch_ >= patience) break;
    try {
      fit_epoch(std::exchange(loss_so_far, 0.0));
    } catch (const Diverged& diverged) {
      roll_back(diverged);
    }
  }
  ranks_.require_same_weights(numbers(trainable_), step_);
  ranks_.part();
  return best_;
}

void Trainer::fit_epoch(double loss) {
  const std::int64_t epoch = epochs_done() + 1;
  const auto start = std::chrono::steady_clock::now();
  const double train_loss = run_epoch(epoch, loss);
  fetch_from_device();
  average_buffers();
  const at::Tensor parameters = current_parameters();
  const at::Tensor& buffers = replicas_.front().buffers;
  if (!all_finite(numbers(parameters)) || !all_finite(numbers(buffers))) fail(first_not_finite());
  const TensorMap weights = layout_.store(parameters, buffers);
  Json metrics = {{"epoch", epoch}, {"train_loss", train_loss}};
  if (rollbacks_ > 0) metrics["rollbacks"] = rollbacks_;
  metrics.update(measure_tune(parameters, weights));
  const double tune_loss = metrics["tune_loss"];
  if (!std::isfinite(tune_loss)) fail(fmt::format("tune loss is {}", tune_loss));
  best_.history.push_back(metrics);
  observer_.epoch(epoch, epochs_,
                  {{"train_loss", train_loss},
                   {"tune_accuracy", metrics["tune_accuracy"]},
                   {"tune_loss", metrics["tune_loss"]}});
  const bool improved = keep_if_best(weights, epoch, metrics);
  if (improved && quantized_) best_.scales = quantized_->scales(parameters);
  metrics["seconds"] = seconds_since(start);
  if (request_.on_epoch) request_.on_epoch(metrics);
  if (improved && request_.on_improved) request_.on_improved(best_.weights, best_.history);
  keep_good_state();
  keep_state(0.0);
  // The state was saved just now: a run that is asked to stop need not save it again.
  if (epochs_done() < epochs_) part_if_asked();
}

bool Trainer::keep_if_best(const TensorMap& weights, std::int64_t epoch, const Json& metrics) {
  const double accuracy = metrics["tune_accuracy"];
  const double loss = metrics["tune_loss"];
  const bool improved = best_epoch_ == 0 || accuracy > best_.tune_accuracy ||
                        (accuracy == best_.tune_accuracy && loss < best_loss_);
  if (!improved) return false;
  best_.weights = weights;
  best_.tune_accuracy = accuracy;
  best_loss_ = loss;
  best_epoch_ = epoch;
  return true;
}

double Trainer::run_epoch(std::int64_t epoch, double loss) {
  const std::vector<std::int64_t> order =
      epoch_order(request_.train->count(), static_cast<std::uint64_t>(request_.seed), epoch);
  for (std::int64_t batch = step_ - epochs_done() * steps_an_epoch_;; ++batch) {
    stop_if_asked(loss);
    if (batch == steps_an_epoch_) break;
    loss += run_step(batch_of(order, batch), epoch, learning_rate(step_));
    observer_.progress(step_, steps_an_epoch_ * epochs_);
  }
  return loss / static_cast<double>(steps_an_epoch_ * batch_size_);
}

void Trainer::stop_if_asked(double epoch_loss) {
  if (stop_code() == 0) return;
  fetch_from_device();
  keep_state(epoch_loss);
  part_if_asked();
}

void Trainer::part_if_asked() const {
  const int signal_code = stop_code();
  if (signal_code == 0) return;
  ranks_.part();
  throw Interrupted(signal_code);
}

std::span<const std::int64_t> Trainer::batch_of(std::span<const std::int64_t> order,
                                                std::int64_t batch) const {
  return order.subspan(static_cast<std::size_t>(batch * batch_size_),
                       static_cast<std::size_t>(batch_size_));
}

double Trainer::learning_rate(std::int64_t step) const {
  return learning_rate_at(request_.options, step, steps_an_epoch_ * epochs_) *
         std::pow(kRollbackFactor, static_cast<double>(rollbacks_));
}

double Trainer::run_step(std::span<const std::int64_t> rows, std::int64_t epoch, double rate) {
  const auto count = static_cast<std::int64_t>(rows.size());
  if (quantized_) {
    // What is no number has no integers either.
    if (!all_finite(numbers(trainable_))) fail(first_not_finite());
    quantized_->refresh(trainable_);
  }
  pool_.run([&](std::int64_t worker) {
    const ScopedPart part(Part::other);
    const std::int64_t place = ranks_.rank() * pool_.size() + worker;  // among all ranks' replicas
    const auto [begin, end] = share(count, place, ranks_.size() * pool_.size());
    // Dropout follows from the step alone, so that a resumed run draws the same.
    Random random(static_cast<std::uint64_t>(request_.seed), static_cast<std::uint64_t>(step_),
                  static_cast<std::uint64_t>(place));
    Replica& replica = replicas_[static_cast<std::size_t>(worker)];
    const auto mine =
        rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    if (device_) {
      device_step_ = device_->compute_gradients(mine, epoch, static_cast<double>(count),
                                                random.next(), teacher_ ? &*teacher_ : nullptr);
      replica.loss = device_step_.loss;
      return;
    }
    if (replica.module) replica.module->seed_dropout(random.next());
    compute_gradients(replica, mine, epoch, static_cast<double>(count));
  });
  double loss = 0.0;
  for (const Replica& replica : replicas_) loss += replica.loss;
  if (ranks_.size() > 1) loss = add_over_ranks(loss);
  ++step_;
  if (!std::isfinite(loss)) fail(fmt::format("loss is {}, {}", loss, first_not_finite()));
  if (!update_weights(rate)) fail(first_not_finite());
  if (ranks_.size() > 1 && step_ % kStepsBetweenChecks == 0) {
    fetch_from_device();
    ranks_.require_same_weights(numbers(trainable_), step_);
  }
  return loss;
}

void Trainer::compute_gradients(Replica& replica, std::span<const std::int64_t> rows,
                                std::int64_t epoch, double batch_size) {
  replica.gradients.zero_();
  replica.loss = 0.0;
  if (rows.empty()) return;
  const Shape& shape = request_.train->shape;
  replica.batch.resize(rows.size() * static_cast<std::size_t>(shape.count()));
  replica.flipped.resize(rows.size());
  const Preprocessing& raw = quantized_ ? quantized_->unscaled() : request_.preprocessing;
  {
    const ScopedPart part(Part::augmentation);
    fill_training_batch(*request_.train, rows, raw, request_.options.augment,
                        {static_cast<std::uint64_t>(request_.seed), epoch}, replica.batch,
                        replica.flipped);
  }
  const at::Tensor x = as_batch(replica.batch, shape);  // [n, C, H, W]
  const at::Tensor labels = at::empty({static_cast<std::int64_t>(rows.size())}, at::kLong);  // [n]
  for (std::size_t i = 0; i < rows.size(); ++i) {
    labels.data_ptr<std::int64_t>()[i] = request_.train_labels[static_cast<std::size_t>(rows[i])];
  }
  at::Tensor logits;
  at::Tensor beliefs;
  {
    const AutocastScope scope(at::kCPU, use_bf16_);
    if (teacher_) {
      const ScopedPart part(Part::teacher);
      const at::Tensor seen = quantized_ ? x * request_.preprocessing.scale : x;
      beliefs = teacher_->of(seen, row_numbers(rows), as_long(replica.flipped));
    }
    logits = forward(replica, x);
  }
  const ScopedPart part(Part::loss);
  const at::Tensor loss =
      loss_sum(logits, labels, beliefs, request_.distillation ? &*request_.distillation : nullptr,
               request_.options.label_smoothing);
  replica.loss = loss.item<double>();
  const ScopedPart backward(Part::other);
  (loss / batch_size).backward();
}

at::Tensor Trainer::forward(Replica& replica, const at::Tensor& batch) const {
  if (quantized_) return quantized_->logits(replica.learned, batch);
  return replica.module->forward(batch, Mode::training).to(at::kFloat);
}

bool Trainer::update_weights(double rate) {
  if (device_) return update_on_device(rate);
  std::atomic<bool> finite = true;
  optimizer_.begin_step(rate);
  const std::span<float> sum = numbers(replicas_.front().gradients);
  // With several ranks the sum is there already.
  const std::size_t addends = ranks_.size() > 1 ? 1 : replicas_.size();
  pool_.run([&](std::int64_t worker) {
    const ScopedPart part(Part::optimizer);
    const auto [begin, end] = share(trainable_.numel(), worker, pool_.size());
    for (std::size_t other = 1; other < addends; ++other) {
      const std::span<const float> gradients = numbers(replicas_[other].gradients);
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        sum[i] += gradients[i];
      }
    }
    if (!all_finite(
            sum.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)))) {
      finite = false;
      return;
    }
    optimizer_.update(numbers(trainable_), sum, static_cast<std::size_t>(begin),
                      static_cast<std::size_t>(end));
  });
  return finite;
}

void Trainer::average_buffers() {
  const c10::NoGradGuard no_gradients;
  const at::Tensor& first = replicas_.front().buffers;
  for (std::size_t i = 1; i < replicas_.size(); ++i) first.add_(replicas_[i].buffers);
  ranks_.sum(first);
  first.div_(static_cast<double>(ranks_.size() * pool_.size()));
  for (std::size_t i = 1; i < replicas_.size(); ++i) replicas_[i].buffers.copy_(first);
  if (ranks_.size() > 1) send_to_device();
}

at::Tensor Trainer::current_parameters() const {
  if (optimizer_.averaged().empty()) return trainable_;
  const at::Tensor averaged = at::empty_like(trainable_);
  std::ranges::copy(optimizer_.averaged(), averaged.data_ptr<float>());
  return averaged;
}

Json Trainer::measure_tune(const at::Tensor& parameters, const TensorMap& weights) {
  std::vector<float> values;  // [N, classes]
  if (quantized_) {
    quantized_->refresh(parameters);
    values = over_ranks(ranks_, *request_.tune,
                        [&](const Samples& part) { return quantized_->infer(pool_, part); });
  } else {
    const FrozenNetwork network({request_.graph, weights}, device_of(place_));
    values = over_ranks(ranks_, *request_.tune, [&](const Samples& part) {
      return infer(pool_, network, request_.preprocessing, part);
    });
  }
  const c10::NoGradGuard no_gradients;
  const at::Tensor logits = at::from_blob(
      values.data(), {request_.tune->count(), request_.graph.output().shape.channels}, at::kFloat);
  const at::Tensor labels = at::from_blob(const_cast<std::int64_t*>(request_.tune_labels.data()),
                                          {request_.tune->count()}, at::kLong);
  ranks_.copy_from_first(logits);  // one machine's rounding decides what is kept
  const double correct = logits.argmax(1).eq(labels).sum().item<double>();
  const double loss = at::cross_entropy_loss(logits, labels).item<double>();
  return {{"tune_accuracy", correct / static_cast<double>(request_.tune->count())},
          {"tune_loss", loss}};
}

}  // namespace biglittle
