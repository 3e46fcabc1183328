// SPDX-License-Identifier: MIT
#pragma once

// Which classes the little network knows, and how the big network's classes map to them.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace biglittle {

/// Little classes are the K priority classes in the order given, then "other" (absent when every
/// class is priority).
struct PriorityMap {
  std::vector<std::int64_t> little_of_big;  ///< [big classes] -> little class
  std::vector<std::string> names;           ///< [little classes]; the last is "other" if has_other
  bool has_other = true;

  std::int64_t classes() const { return static_cast<std::int64_t>(names.size()); }
  /// How many little classes are priority classes; they come first.
  std::int64_t priorities() const { return classes() - (has_other ? 1 : 0); }
  /// The big class of each priority class: [priorities].
  std::vector<std::int64_t> big_of_priority() const;
  bool operator==(const PriorityMap&) const = default;
};

/// Resolves names; {"all"} makes every class a priority. Throws Error{missing_input} for a name
/// that is not a class (with the closest one) and Error{config} for none, a repeated name, or every
/// class listed one by one together with "other" left empty.
PriorityMap resolve_priorities(std::span<const std::string> priority,
                               std::span<const std::string> classes);

/// Little labels of big labels.
std::vector<std::int64_t> relabel(std::span<const std::int64_t> labels, const PriorityMap& map);

Json to_json(const PriorityMap& map);
PriorityMap priority_map_from_json(const Json& json, std::string_view name);

}  // namespace biglittle
