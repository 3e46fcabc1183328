// SPDX-License-Identifier: MIT
#include "train/libtorch/trainer.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "train/batch.h"
#include "train/libtorch/step_clock.h"
#include "train/schedule.h"

namespace biglittle {
namespace {

// bf16 arithmetic for what autocast lists as safe, in this thread, while it lives.
class AutocastScope {
 public:
  explicit AutocastScope(bool enabled) {
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_autocast_cache_enabled(false);  // each weight is used once a step
    at::autocast::set_cpu_enabled(enabled);
  }
  ~AutocastScope() { at::autocast::set_cpu_enabled(false); }
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::optional<QuantizedTraining> quantized_training(const FitRequest& request,
                                                    const FlatLayout& layout) {
  if (!request.quantization) return std::nullopt;
  return std::make_optional<QuantizedTraining>(request, layout);
}

std::int64_t parameter_count(const FlatLayout& layout,
                             const std::optional<QuantizedTraining>& quantized) {
  return layout.trainable_count() + (quantized ? quantized->scale_count() : 0);
}

// Learned scales do not decay.
std::vector<std::uint8_t> decays(const FlatLayout& layout, std::int64_t parameters) {
  std::vector<std::uint8_t> result = layout.decays();
  result.resize(static_cast<std::size_t>(parameters), 0);
  return result;
}

}  // namespace

Trainer::Trainer(const FitRequest& request, bool use_bf16, WorkerPool& pool, Observer& observer)
    : request_(request),
      use_bf16_(use_bf16),
      pool_(pool),
      observer_(observer),
      layout_(request.graph),
      quantized_(quantized_training(request, layout_)),
      trainable_(at::zeros({parameter_count(layout_, quantized_)}, at::kFloat)),
      optimizer_(request.options, decays(layout_, trainable_.numel())),
      batch_size_(std::min(request.options.batch_size, request.train->count())),
      steps_an_epoch_(request.train->count() / batch_size_) {
  for (std::int64_t worker = 0; worker < pool.size(); ++worker) {
    replicas_.push_back(make_replica());
  }
  if (request.resume) {
    restore(*request.resume);
  } else {
    start_fresh();
  }
  if (request.distillation) teacher_.emplace(*request.distillation, request, pool);
}

Trainer::Replica Trainer::make_replica() const {
  Replica replica;
  replica.gradients = at::zeros_like(trainable_);
  replica.buffers = at::empty({layout_.buffer_count()}, at::kFloat);
  if (quantized_) {
    replica.learned = quantized_->leaves(trainable_, replica.gradients);
  } else {
    replica.module = std::make_unique<GraphModule>(request_.graph, layout_, trainable_,
                                                   replica.buffers, replica.gradients);
  }
  return replica;
}

void Trainer::start_fresh() {
  const at::NoGradGuard no_gradients;
  const TensorMap start =
      request_.initial ? *request_.initial
                       : fresh_weights(request_.graph, static_cast<std::uint64_t>(request_.seed));
  for (const Replica& replica : replicas_) layout_.load(start, trainable_, replica.buffers);
}

FitResult Trainer::run() {
  const TrainOptions& options = request_.options;
  double loss_so_far = request_.resume ? request_.resume->epoch_loss : 0.0;
  for (std::int64_t epoch = step_ / steps_an_epoch_ + 1; epoch <= options.epochs; ++epoch) {
    const bool lost_patience = options.patience > 0 && epoch - 1 - best_epoch_ >= options.patience;
    if (lost_patience) break;
    const auto start = std::chrono::steady_clock::now();
    const double train_loss = run_epoch(epoch, std::exchange(loss_so_far, 0.0));
    average_buffers();
    const at::Tensor parameters = current_parameters();
    const TensorMap weights = layout_.store(parameters, replicas_.front().buffers);
    check_finite(weights, epoch);
    Json metrics = {{"epoch", epoch}, {"train_loss", train_loss}};
    metrics.update(measure_tune(parameters, weights));
    best_.history.push_back(metrics);
    observer_.epoch(epoch, options.epochs,
                    {{"train_loss", train_loss},
                     {"tune_accuracy", metrics["tune_accuracy"]},
                     {"tune_loss", metrics["tune_loss"]}});
    const bool improved = keep_if_best(weights, epoch, metrics);
    if (improved && quantized_) best_.scales = quantized_->scales(parameters);
    metrics["seconds"] = seconds_since(start);
    if (request_.on_epoch) request_.on_epoch(metrics);
    if (improved && request_.on_improved) request_.on_improved(best_.weights, best_.history);
    if (request_.on_state) request_.on_state(state(0.0));
  }
  return best_;
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
  for (std::int64_t batch = step_ % steps_an_epoch_; batch < steps_an_epoch_; ++batch) {
    if (const int signal_code = observer_.stop_requested()) {
      if (request_.on_state) request_.on_state(state(loss));
      throw Interrupted(signal_code);
    }
    loss += run_step(std::span(order).subspan(static_cast<std::size_t>(batch * batch_size_),
                                              static_cast<std::size_t>(batch_size_)),
                     epoch);
    observer_.progress(step_, steps_an_epoch_ * request_.options.epochs);
  }
  return loss / static_cast<double>(steps_an_epoch_ * batch_size_);
}

double Trainer::run_step(std::span<const std::int64_t> rows, std::int64_t epoch) {
  const auto count = static_cast<std::int64_t>(rows.size());
  if (quantized_) quantized_->refresh(trainable_);
  pool_.run([&](std::int64_t worker) {
    const ScopedPart part(Part::other);
    const auto [begin, end] = share(count, worker, pool_.size());
    // Dropout follows from the step alone, so that a resumed run draws the same.
    Random random(static_cast<std::uint64_t>(request_.seed), static_cast<std::uint64_t>(step_),
                  static_cast<std::uint64_t>(worker));
    Replica& replica = replicas_[static_cast<std::size_t>(worker)];
    if (replica.module) replica.module->seed_dropout(random.next());
    compute_gradients(
        replica,
        rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)), epoch,
        static_cast<double>(count));
  });
  double loss = 0.0;
  for (const Replica& replica : replicas_) loss += replica.loss;
  const double rate =
      learning_rate_at(request_.options, step_, steps_an_epoch_ * request_.options.epochs);
  ++step_;
  if (!std::isfinite(loss)) {
    throw Error(ErrorKind::gate,
                fmt::format("loss is {} at step {} (epoch {}, learning rate {:.4g}): lower "
                            "learning_rate or lengthen warmup; the best checkpoint so far is kept",
                            loss, step_, epoch, rate));
  }
  update_weights(rate);
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
    const AutocastScope scope(use_bf16_);
    if (teacher_) {
      const ScopedPart part(Part::teacher);
      const at::Tensor seen = quantized_ ? x * request_.preprocessing.scale : x;
      beliefs = teacher_->of(seen, rows, replica.flipped);
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

void Trainer::update_weights(double rate) {
  optimizer_.begin_step(rate);
  const std::span<float> sum = numbers(replicas_.front().gradients);
  pool_.run([&](std::int64_t worker) {
    const ScopedPart part(Part::optimizer);
    const auto [begin, end] = share(trainable_.numel(), worker, pool_.size());
    for (std::size_t other = 1; other < replicas_.size(); ++other) {
      const std::span<const float> gradients = numbers(replicas_[other].gradients);
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        sum[i] += gradients[i];
      }
    }
    optimizer_.update(numbers(trainable_), sum, static_cast<std::size_t>(begin),
                      static_cast<std::size_t>(end));
  });
}

void Trainer::average_buffers() {
  const at::NoGradGuard no_gradients;
  const at::Tensor& first = replicas_.front().buffers;
  for (std::size_t i = 1; i < replicas_.size(); ++i) first.add_(replicas_[i].buffers);
  first.div_(static_cast<double>(replicas_.size()));
  for (std::size_t i = 1; i < replicas_.size(); ++i) replicas_[i].buffers.copy_(first);
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
    values = quantized_->infer(pool_, *request_.tune);
  } else {
    const FrozenNetwork network({request_.graph, weights});
    values = infer(pool_, network, request_.preprocessing, *request_.tune);
  }
  const at::NoGradGuard no_gradients;
  const at::Tensor logits = at::from_blob(
      values.data(), {request_.tune->count(), request_.graph.output().shape.channels}, at::kFloat);
  const at::Tensor labels = at::from_blob(const_cast<std::int64_t*>(request_.tune_labels.data()),
                                          {request_.tune->count()}, at::kLong);
  const double correct = logits.argmax(1).eq(labels).sum().item<double>();
  const double loss = at::cross_entropy_loss(logits, labels).item<double>();
  return {{"tune_accuracy", correct / static_cast<double>(request_.tune->count())},
          {"tune_loss", loss}};
}

void Trainer::check_finite(const TensorMap& weights, std::int64_t epoch) const {
  for (const auto& [name, tensor] : weights) {
    const auto values = tensor.values<float>();
    if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) continue;
    throw Error(ErrorKind::gate,
                fmt::format("weight {} is not finite after epoch {}: lower learning_rate; the best "
                            "checkpoint so far is kept",
                            name, epoch));
  }
}

}  // namespace biglittle
