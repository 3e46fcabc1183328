// SPDX-License-Identifier: MIT
#pragma once

// Labelled images in the plainest file there is, which every compared program reads: for each one
// byte of label, then the pixels plane by plane. CIFAR-10's binary files have this form.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/dataset.h"

namespace biglittle::bench {

struct Records {
  Samples samples;                   ///< uint8
  std::vector<std::int64_t> labels;  ///< [N], in [0, classes)
};

/// Throws Error{missing_input} when the file cannot be read and Error{bad_data} when it is not a
/// whole number of records of `shape`, at least one, or a label is not below `classes`.
Records read_records(const std::filesystem::path& file, const Shape& shape, std::int64_t classes);

/// The first `count` of them, or all when there are fewer.
Records first_records(const Records& records, std::int64_t count);

/// What brings the pixels to mean 0 and deviation 1.
Preprocessing usual_preprocessing(const Records& records);

}  // namespace biglittle::bench
