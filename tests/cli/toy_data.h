// SPDX-License-Identifier: MIT
#pragma once

// A small seeded problem that networks learn in seconds: 8x8 gray images of four classes, each a
// bright quadrant in noise.

#include <filesystem>

namespace biglittle::testing {

/// Writes the four IDX files of MNIST's layout into `folder`, with that many samples in each part.
void write_toy_idx(const std::filesystem::path& folder, int train_samples, int test_samples);

}  // namespace biglittle::testing
