// SPDX-License-Identifier: MIT
#pragma once

// What training minimises: cross-entropy with label smoothing, and in distillation the distance to
// the big network's softened beliefs about the little network's classes.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "train/engine.h"
#include "train/libtorch/inference.h"
#include "train/libtorch/rank_group.h"

namespace biglittle {

/// log p over little classes from logits over big classes [N, big] -> [N, little]: log-softmax,
/// then log-sum-exp over the big classes that a little class joins. Temperature 1 on purpose:
/// softening before joining would inflate "other", which joins many classes.
at::Tensor joined_log_probabilities(const at::Tensor& big_logits, const PriorityMap& map);

/// Sum over the batch of a T^2 KL(softmax(q / T) || softmax(z / T)) + (1 - a) CE(z, label), with q
/// = `teacher` log-probabilities [n, little] (Hinton, Vinyals, Dean 2015, section 2). Without a
/// distillation: the sum of CE alone. `logits` z [n, classes], `labels` int64 [n].
at::Tensor loss_sum(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& teacher,
                    const Distillation* distillation, double label_smoothing);

/// The big network's joined log-probabilities for training batches: from a table made once for each
/// sample and its mirror image, or computed for each augmented batch.
class TeacherBeliefs {
 public:
  /// `ranks` share the work of making the table; it and the big network lie on `device`.
  TeacherBeliefs(const Distillation& distillation, const FitRequest& request, WorkerPool& pool,
                 const RankGroup& ranks, at::Device device, bool use_bf16);

  /// [n, little] for a batch of `rows`; `mirrored` tells which were, 0 or 1. Both int64 [n], where
  /// the batch is. Any thread.
  at::Tensor of(const at::Tensor& batch, const at::Tensor& rows, const at::Tensor& mirrored) const;

 private:
  PriorityMap map_;
  FrozenNetwork network_;
  bool cached_;
  at::Tensor table_;  // [1, N, little], or with mirror images [2, N, little]
};

}  // namespace biglittle
