// SPDX-License-Identifier: MIT
#pragma once

// Where each activation of the generated C code lies in its one static arena. Tensors that are
// never alive at the same step may share bytes.

#include <cstdint>
#include <span>
#include <vector>

namespace biglittle {

/// Every tensor begins at a multiple of this, so that int32 accumulators are aligned.
inline constexpr std::int64_t kArenaAlignment = 4;

/// One block of memory, alive from step `first` to step `last`, both included.
struct ArenaTensor {
  std::int64_t bytes = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

struct ArenaPlan {
  std::vector<std::int64_t> offsets;  ///< of each tensor, in the order given
  std::int64_t bytes = 0;             ///< of the whole arena
};

/// The largest sum of live bytes (rounded up to the alignment) over the steps: no plan is smaller.
std::int64_t liveness_bound(std::span<const ArenaTensor> tensors);

/// Places the tensors lowest-gap-first in several orders (largest first, longest-lived first, first
/// used first, and seeded variations of the best) and keeps the smallest arena. Placing optimally
/// is NP-hard (dynamic storage allocation); the same tensors always give the same plan.
ArenaPlan plan_arena(std::span<const ArenaTensor> tensors);

}  // namespace biglittle
