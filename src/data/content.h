// SPDX-License-Identifier: MIT
#pragma once

// Samples compared by content. The key is the sample's bytes themselves, so that equal keys are
// equal samples and not merely equal hashes.

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace biglittle {

/// The bytes of the sample at `row`, a view that lives as long as `samples`.
std::string_view content_of(const Samples& samples, std::int64_t row);

/// `rows` gathered by equal content: each group ascending, groups in order of their first row.
std::vector<std::vector<std::int64_t>> group_by_content(const Samples& samples,
                                                        const std::vector<std::int64_t>& rows);

/// The rows of `samples` whose content is not in `others`, ascending.
std::vector<std::int64_t> rows_absent_from(const Samples& samples, const Samples& others);

}  // namespace biglittle
