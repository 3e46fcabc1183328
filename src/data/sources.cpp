// SPDX-License-Identifier: MIT
#include "data/sources.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace biglittle {

ImportFormat detect_format(const std::filesystem::path& folder) {
  std::vector<ImportFormat> found;
  if (holds_idx(folder)) found.push_back(ImportFormat::idx);
  if (holds_cifar10(folder)) found.push_back(ImportFormat::cifar10);
  if (holds_images(folder)) found.push_back(ImportFormat::images);
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw Error(ErrorKind::missing_input,
                fmt::format("{}: neither IDX files nor CIFAR-10's data_batch_*.bin nor folders "
                            "train and test, expected one of them; set import.source",
                            folder.string()));
  }
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: files of formats {} and {}, expected one; set import.format",
                          folder.string(), name_of(found[0]), name_of(found[1])));
}

void check_label_range(std::span<const std::int64_t> labels, std::size_t classes,
                       std::string_view file) {
  const auto limit = static_cast<std::int64_t>(classes);
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [&](std::int64_t label) { return label >= limit; });
  if (found == labels.end()) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: label {} in row {}, expected 0 to {} for {} classes; name all "
                          "classes in import.classes",
                          file, *found, found - labels.begin(), limit - 1, limit));
}

}  // namespace biglittle
