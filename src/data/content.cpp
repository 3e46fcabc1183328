// SPDX-License-Identifier: MIT
#include "data/content.h"

#include <unordered_map>
#include <unordered_set>

namespace biglittle {

std::string_view content_of(const Samples& samples, std::int64_t row) {
  return std::visit(
      [&](const auto& list) {
        const auto size = static_cast<std::size_t>(samples.shape.count());
        const auto* first = list.data() + static_cast<std::size_t>(row) * size;
        return std::string_view(reinterpret_cast<const char*>(first), size * sizeof(*first));
      },
      samples.values);
}

std::vector<std::vector<std::int64_t>> group_by_content(const Samples& samples,
                                                        const std::vector<std::int64_t>& rows) {
  std::unordered_map<std::string_view, std::size_t> group_of;
  group_of.reserve(rows.size());
  std::vector<std::vector<std::int64_t>> groups;
  for (const std::int64_t row : rows) {
    const auto [entry, added] = group_of.emplace(content_of(samples, row), groups.size());
    if (added) groups.emplace_back();
    groups[entry->second].push_back(row);
  }
  return groups;
}

std::vector<std::int64_t> rows_absent_from(const Samples& samples, const Samples& others) {
  std::unordered_set<std::string_view> present;
  present.reserve(static_cast<std::size_t>(others.count()));
  for (std::int64_t row = 0; row < others.count(); ++row) present.insert(content_of(others, row));
  std::vector<std::int64_t> absent;
  for (std::int64_t row = 0; row < samples.count(); ++row) {
    if (!present.contains(content_of(samples, row))) absent.push_back(row);
  }
  return absent;
}

}  // namespace biglittle
