// SPDX-License-Identifier: MIT
#include "data/digests.h"

#include <bit>
#include <span>

#include "core/hash.h"
#include "data/layout.h"

namespace biglittle {

static_assert(std::endian::native == std::endian::little,
              "digests are over the bytes in memory, which must be little-endian as in the file");

std::string split_digest(const Split& split) {
  Sha256 hash;
  hash.update(std::string(name_of(split.samples.type())) + " " +
              std::to_string(split.samples.count()) + "x" + to_string(split.samples.shape) + "\n");
  std::visit([&](const auto& list) { hash.update(std::as_bytes(std::span(list))); },
             split.samples.values);
  hash.update(std::as_bytes(std::span(split.labels)));
  return hash.finish();
}

std::string dataset_digest(const Dataset& dataset) {
  Sha256 hash;
  hash.update(std::string(layout::kFormat) + " " + std::to_string(layout::kVersion) + "\n");
  for (const std::string& name : dataset.classes) {
    // The length keeps {"ab", "c"} and {"a", "bc"} apart.
    hash.update(std::to_string(name.size()) + ":" + name + "\n");
  }
  hash.update(to_string(dataset.input_shape) + "\n");
  for (const Split& split : dataset.splits) hash.update(split.digest + "\n");
  return hash.finish();
}

}  // namespace biglittle
