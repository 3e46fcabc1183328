// SPDX-License-Identifier: MIT
#include "bench/records.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/files.h"
#include "data/statistics.h"

namespace biglittle::bench {

Records read_records(const std::filesystem::path& file, const Shape& shape, std::int64_t classes) {
  const std::vector<std::byte> content = read_bytes(file);
  const auto pixels = static_cast<std::size_t>(shape.count());
  const std::size_t count = content.size() / (1 + pixels);
  if (count == 0 || content.size() % (1 + pixels) != 0) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: {} bytes are not a whole number of records of 1 + {} bytes",
                            file.string(), content.size(), pixels));
  }
  Records records;
  std::vector<std::uint8_t> values(count * pixels);
  for (std::size_t i = 0; i < count; ++i) {
    const auto record = content.begin() + static_cast<std::ptrdiff_t>(i * (1 + pixels));
    const auto label = std::to_integer<std::int64_t>(*record);
    if (label >= classes) {
      throw Error(ErrorKind::bad_data, fmt::format("{}: record {} has label {} of {} classes",
                                                   file.string(), i, label, classes));
    }
    records.labels.push_back(label);
    std::transform(record + 1, record + 1 + static_cast<std::ptrdiff_t>(pixels),
                   values.begin() + static_cast<std::ptrdiff_t>(i * pixels),
                   [](std::byte value) { return std::to_integer<std::uint8_t>(value); });
  }
  records.samples = Samples{shape, std::move(values)};
  return records;
}

Records first_records(const Records& records, std::int64_t count) {
  std::vector<std::int64_t> rows(
      static_cast<std::size_t>(std::min(count, records.samples.count())));
  std::iota(rows.begin(), rows.end(), 0);
  return {select(records.samples, rows),
          {records.labels.begin(), records.labels.begin() + std::ssize(rows)}};
}

Preprocessing usual_preprocessing(const Records& records) {
  const PooledStatistics pooled = pool(channel_statistics(records.samples));
  return {SampleType::u8, 1.0 / pooled.deviation, std::round(pooled.mean)};
}

}  // namespace biglittle::bench
