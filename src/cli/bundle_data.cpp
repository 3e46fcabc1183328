// SPDX-License-Identifier: MIT
#include "cli/bundle_data.h"

#include <fmt/format.h>

#include "core/error.h"

namespace biglittle {

void require_same_task(const Bundle& bundle, const Dataset& dataset,
                       const std::filesystem::path& file) {
  const Shape& expected = bundle.big.network.graph.input().shape;
  if (!(dataset.input_shape == expected)) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: samples are {}, the bundle's networks expect {}", file.string(),
                            to_string(dataset.input_shape), to_string(expected)));
  }
  if (dataset.classes != bundle.big.classes) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: its classes are not those of the bundle ({} and {} names); import "
                            "it with the bundle's class names, in the same order",
                            file.string(), dataset.classes.size(), bundle.big.classes.size()));
  }
}

bool is_bundles_own(const Bundle& bundle, const Dataset& dataset) {
  return bundle.big.dataset_digest == dataset.digest;
}

}  // namespace biglittle
