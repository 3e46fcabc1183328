// SPDX-License-Identifier: MIT
#pragma once

// Everything that a training run needs to go on after an interruption, bit for bit. Batches,
// augmentation and dropout follow from the seed and the step alone and are not part of it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/json.h"
#include "core/tensor.h"

namespace biglittle {

inline constexpr int kFitStateVersion = 4;

struct FitState {
  std::int64_t step = 0;  ///< steps done, over all epochs
  std::int64_t steps_an_epoch = 1;
  double epoch_loss = 0.0;     ///< sum over the samples of the epoch's steps so far
  std::int64_t ranks = 1;      ///< processes that share a batch
  std::int64_t threads = 1;    ///< replicas of each; another number sums in another order
  std::int64_t epochs = 0;     ///< of the whole run; 0: a budget has not decided yet
  std::int64_t rollbacks = 0;  ///< returns after a divergence so far
  std::string device = "cpu";  ///< "cpu" or "cuda": what was used, not what was asked for
  std::string precision;       ///< "fp32" or "bf16": what was used, not what was asked for
  /// "trainable" [P], "buffers" [ranks threads, B], and the optimizer's "first", "second",
  /// "averaged" [P] where it has them.
  TensorMap tensors;
  /// The same at the end of the last epoch, inside an epoch of a run that may return to it.
  TensorMap last_good;
  TensorMap best;  ///< the weights best on tune so far; empty before the first epoch ended
  std::map<std::string, float> best_scales;  ///< learned with them, as in FitResult
  std::int64_t best_epoch = 0;
  double best_accuracy = 0.0;  ///< in [0, 1]
  double best_loss = 0.0;
  Json history = Json::array();  ///< one object an epoch that ended
};

/// What a run was made of: settings, dataset, program ... by name. A state goes on in no other.
using FitIdentity = std::map<std::string, std::string>;

/// Writes atomically.
void save_fit_state(const std::filesystem::path& file, const FitState& state,
                    const FitIdentity& identity);

/// Reads a state and says whose it is. Throws Error{missing_input} or Error{bad_data}.
FitState load_fit_state(const std::filesystem::path& file, FitIdentity& identity);

/// One line for each thing in which the two differ: "dataset is 12ab..., was 34cd...", for settings
/// in TOML the options by name.
std::vector<std::string> differences(const FitIdentity& saved, const FitIdentity& now);

}  // namespace biglittle
