// SPDX-License-Identifier: MIT
#include "data/checks.h"
#include "data/dataset.h"
#include "data/digests.h"
#include "data/statistics.h"

namespace biglittle {

void finish_dataset(Dataset& dataset, std::string_view name) {
  check_dataset(dataset, name);
  for (Split& split : dataset.splits) split.digest = split_digest(split);
  dataset.digest = dataset_digest(dataset);
  dataset.statistics = channel_statistics(dataset.split(SplitName::train).samples);
}

}  // namespace biglittle
