// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>

#include "core/error.h"
#include "data/dataset.h"

namespace biglittle {
namespace {

template <typename Value>
std::vector<Value> select_values(const std::vector<Value>& values, std::int64_t count,
                                 std::int64_t sample_size, std::span<const std::int64_t> rows) {
  std::vector<Value> selected(rows.size() * static_cast<std::size_t>(sample_size));
  auto out = selected.begin();
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= count) {
      throw Error(ErrorKind::internal, "sample row " + std::to_string(row) + " of " +
                                           std::to_string(count) + " was asked for");
    }
    out = std::copy_n(values.begin() + row * sample_size, sample_size, out);
  }
  return selected;
}

}  // namespace

std::int64_t Samples::count() const {
  const std::int64_t sample_size = shape.count();
  if (sample_size <= 0) return 0;
  const std::size_t size = std::visit([](const auto& list) { return list.size(); }, values);
  return static_cast<std::int64_t>(size) / sample_size;
}

std::span<const std::uint8_t> Samples::bytes() const {
  const auto* list = std::get_if<std::vector<std::uint8_t>>(&values);
  if (list == nullptr) throw Error(ErrorKind::internal, "float32 samples were read as uint8");
  return *list;
}

std::span<const float> Samples::floats() const {
  const auto* list = std::get_if<std::vector<float>>(&values);
  if (list == nullptr) throw Error(ErrorKind::internal, "uint8 samples were read as float32");
  return *list;
}

Samples select(const Samples& samples, std::span<const std::int64_t> rows) {
  Samples selected;
  selected.shape = samples.shape;
  std::visit(
      [&](const auto& list) {
        selected.values = select_values(list, samples.count(), samples.shape.count(), rows);
      },
      samples.values);
  return selected;
}

}  // namespace biglittle
