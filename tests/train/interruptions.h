// SPDX-License-Identifier: MIT
#pragma once

// Training that is interrupted and resumed, as a user's would be: the state goes through its file.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "train/engine.h"

namespace biglittle::testing {

/// Asks to stop once `step` steps are done; never for 0.
class StopsAfter : public Observer {
 public:
  explicit StopsAfter(std::int64_t step) : step_(step) {}
  void progress(std::int64_t done, std::int64_t) override { done_ = done; }
  int stop_requested() const override { return step_ > 0 && done_ >= step_ ? 143 : 0; }

 private:
  std::int64_t step_;
  std::int64_t done_ = 0;
};

/// Fits `request`, interrupted after each of `steps` (ascending, counted from 1) and resumed from
/// `state_file`.
FitResult fit_with_interruptions(const Engine& engine, const FitRequest& request,
                                 const std::vector<std::int64_t>& steps,
                                 const std::filesystem::path& state_file);

/// The requests that must resume exactly: {SGD, AdamW} x {1, 2 threads}, with batch norm, dropout,
/// augmentation and averaged weights, one network wide enough for every kernel of our own. The
/// problem must outlive them.
struct ToyProblem;
std::vector<FitRequest> resumable_requests(const ToyProblem& problem);

}  // namespace biglittle::testing
