// SPDX-License-Identifier: MIT
#pragma once

// From raw samples to the numbers of one training batch in a single pass: crop, flip, cutout and
// normalization together, written in the channels-last order that convolutions want.

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "train/engine.h"

namespace biglittle {

/// The order in which epoch `epoch` visits `count` rows: a permutation that depends on the seed and
/// the epoch alone.
std::vector<std::int64_t> epoch_order(std::int64_t count, std::uint64_t seed, std::int64_t epoch);

/// Where randomness of one epoch comes from; a row's changes do not depend on its batch or thread.
struct AugmentSeed {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
};

/// One sample's random changes: its origin shifts by (dy, dx), then it may be mirrored left-right,
/// then the rectangle [blank_top, blank_bottom) x [blank_left, blank_right) is blanked.
struct SampleChange {
  std::int64_t dy = 0;
  std::int64_t dx = 0;
  bool mirrored = false;
  std::int64_t blank_top = 0;
  std::int64_t blank_bottom = 0;
  std::int64_t blank_left = 0;
  std::int64_t blank_right = 0;

  /// The shift along the width as the mirrored sample sees it.
  std::int64_t shift_x() const { return mirrored ? -dx : dx; }
};

/// The changes of sample `row`.
SampleChange draw_change(const AugmentOptions& augment, const Shape& shape, AugmentSeed seed,
                         std::int64_t row);

/// Writes augmented, normalized samples `rows` to `batch` [rows, H, W, C] and whether each was
/// mirrored to `flipped` [rows]. A crop that reaches beyond the sample repeats its nearest row and
/// column; under the cutout square everything is 0, i.e. the preprocessing's offset.
void fill_training_batch(const Samples& samples, std::span<const std::int64_t> rows,
                         const Preprocessing& preprocessing, const AugmentOptions& augment,
                         AugmentSeed seed, std::span<float> batch, std::span<std::uint8_t> flipped);

enum class Mirror { no, yes };

/// Writes rows [begin, end) normalized, and mirrored left-right if asked, to `batch` [end - begin,
/// H, W, C].
void fill_batch(const Samples& samples, std::int64_t begin, std::int64_t end,
                const Preprocessing& preprocessing, Mirror mirror, std::span<float> batch);

}  // namespace biglittle
