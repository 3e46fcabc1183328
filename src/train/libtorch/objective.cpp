// SPDX-License-Identifier: MIT
#include "train/libtorch/objective.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

namespace biglittle {
namespace {

at::Tensor joined_table(std::vector<float> big_logits, std::int64_t outputs,
                        const PriorityMap& map) {
  const auto n = static_cast<std::int64_t>(big_logits.size()) / outputs;
  return joined_log_probabilities(at::from_blob(big_logits.data(), {n, outputs}, at::kFloat), map);
}

}  // namespace

at::Tensor joined_log_probabilities(const at::Tensor& big_logits, const PriorityMap& map) {
  const at::Tensor log_probabilities = at::log_softmax(big_logits, 1);
  std::vector<at::Tensor> columns;
  for (std::int64_t little = 0; little < map.classes(); ++little) {
    std::vector<std::int64_t> members;
    for (std::size_t big = 0; big < map.little_of_big.size(); ++big) {
      if (map.little_of_big[big] == little) members.push_back(static_cast<std::int64_t>(big));
    }
    const at::Tensor index = at::tensor(members, at::kLong).to(big_logits.device());
    columns.push_back(at::logsumexp(log_probabilities.index_select(1, index), 1));
  }
  return at::stack(columns, 1);
}

at::Tensor loss_sum(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& teacher,
                    const Distillation* distillation, double label_smoothing) {
  const at::Tensor hard =
      at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum, -100, label_smoothing);
  if (distillation == nullptr) return hard;
  const double t = distillation->temperature;
  const at::Tensor target = at::log_softmax(teacher / t, 1);
  const at::Tensor student = at::log_softmax(logits / t, 1);
  const at::Tensor divergence = (target.exp() * (target - student)).sum();
  return distillation->soft_weight * t * t * divergence + (1.0 - distillation->soft_weight) * hard;
}

TeacherBeliefs::TeacherBeliefs(const Distillation& distillation, const FitRequest& request,
                               WorkerPool& pool, const RankGroup& ranks, at::Device device,
                               bool use_bf16)
    : map_(distillation.map),
      network_(distillation.teacher, device),
      cached_(distillation.logits == TeacherLogits::cached) {
  if (!cached_) return;
  std::vector<at::Tensor> tables;
  for (const Mirror mirror : {Mirror::no, Mirror::yes}) {
    if (mirror == Mirror::yes && !request.options.augment.flip) continue;
    tables.push_back(joined_table(over_ranks(ranks, *request.train,
                                             [&](const Samples& part) {
                                               return infer(pool, network_, request.preprocessing,
                                                            part, mirror, use_bf16);
                                             }),
                                  network_.outputs(), map_));
  }
  table_ = at::stack(tables).to(device);
}

at::Tensor TeacherBeliefs::of(const at::Tensor& batch, const at::Tensor& rows,
                              const at::Tensor& mirrored) const {
  const c10::NoGradGuard no_gradients;
  if (!cached_) return joined_log_probabilities(network_.forward(batch).to(at::kFloat), map_);
  return table_.index({mirrored, rows});
}

}  // namespace biglittle
