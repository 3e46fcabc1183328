// SPDX-License-Identifier: MIT
// What a trainer does together with those of other ranks: the same request at the start, one sum of
// gradients a step, one decision to stop, and the same weights throughout.

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/hash.h"
#include "core/version.h"
#include "train/checkpoint.h"
#include "train/libtorch/trainer.h"

namespace biglittle {
namespace {

std::string digest_of(const Samples& samples, std::span<const std::int64_t> labels) {
  Sha256 hash;
  std::visit([&](const auto& values) { hash.update(std::as_bytes(std::span(values))); },
             samples.values);
  return hash.update(std::as_bytes(labels)).finish();
}

std::string options_text(TrainOptions options) {
  return write_toml([&](OptionVisitor& visitor) { describe(options, visitor); });
}

/// A digest short enough to be read.
std::string short_of(const std::string& digest) { return digest.substr(0, 12); }

}  // namespace

void Trainer::require_same_request() const {
  if (ranks_.size() == 1) return;
  const FitRequest& request = request_;
  ranks_.require_alike(
      {{"program version", std::string(program_version())},
       {"network", short_of(sha256_hex(to_json(request.graph).dump()))},
       {"training options", short_of(sha256_hex(options_text(request.options)))},
       {"train samples", short_of(digest_of(*request.train, request.train_labels))},
       {"tune samples", short_of(digest_of(*request.tune, request.tune_labels))},
       {"teacher",
        request.distillation ? short_of(network_digest(request.distillation->teacher)) : "none"},
       {"seed", std::to_string(request.seed)},
       {"device", name_of(place_)},
       {"precision", use_bf16_ ? "bf16" : "fp32"},
       {"first step", std::to_string(request.resume ? request.resume->step : 0)}});
}

double Trainer::add_over_ranks(double loss) {
  double total = 0.0;
  // Before the gradients: a rank that has ended is missed here and not by a GPU that waits for it.
  for (const StepReport& report : ranks_.tell({loss, observer_.stop_requested()})) {
    total += report.loss;
    if (agreed_stop_ == 0) agreed_stop_ = static_cast<int>(report.stop);
  }
  if (device_) {
    add_over_devices();
    return total;
  }
  const at::Tensor& sum = replicas_.front().gradients;
  pool_.run([&](std::int64_t worker) {
    const c10::NoGradGuard no_gradients;
    const auto [begin, end] = share(sum.numel(), worker, pool_.size());
    for (std::size_t other = 1; other < replicas_.size(); ++other) {
      sum.narrow(0, begin, end - begin)
          .add_(replicas_[other].gradients.narrow(0, begin, end - begin));
    }
  });
  ranks_.sum(sum);
  return total;
}

int Trainer::stop_code() const {
  return ranks_.size() > 1 ? agreed_stop_ : observer_.stop_requested();
}

}  // namespace biglittle
