// SPDX-License-Identifier: MIT
#include "calibrate/score_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include "calibrate/distances.h"
#include "core/error.h"

namespace biglittle {
namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& problem) {
  throw Error(ErrorKind::bad_data, fmt::format("{}: {}; export the bundle again", name, problem));
}

/// -limit to limit.
std::int64_t integer_within(const Json& value, std::int64_t limit, std::string_view name,
                            std::string_view what) {
  const bool fits = value.is_number_unsigned()
                        ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(limit)
                        : value.is_number_integer() && value.get<std::int64_t>() >= -limit &&
                              value.get<std::int64_t>() <= limit;
  if (fits) return value.get<std::int64_t>();
  refuse(name, fmt::format("{} is {}, expected an integer from {} to {}", what, value.dump(),
                           -limit, limit));
}

ScoreKind kind_from_json(const Json& json, std::string_view name) {
  for (const ScoreKind kind : {ScoreKind::margin, ScoreKind::top_other, ScoreKind::gate}) {
    if (json == name_of(kind)) return kind;
  }
  refuse(name, fmt::format("kind is {}, expected margin, top-other or gate", json.dump()));
}

void require_keys(const Json& json, std::string_view name) {
  if (!json.is_object()) refuse(name, "expected an object");
  constexpr std::array<std::string_view, 4> kKeys = {"kind", "margin_weight", "other_weight",
                                                     "offsets"};
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(kKeys, key) == kKeys.end()) {
      refuse(name, fmt::format("unknown key '{}'", key));
    }
  }
  for (const std::string_view key : kKeys) {
    if (!json.contains(key)) refuse(name, fmt::format("key '{}' is missing", key));
  }
}

ScoreRule unfitted_rule(ScoreKind kind, std::int64_t classes) {
  const bool by_other = kind == ScoreKind::top_other;
  return {.kind = kind,
          .margin_weight = by_other ? 0 : 1,
          .other_weight = by_other ? 1 : 0,
          .offsets = std::vector<std::int64_t>(static_cast<std::size_t>(classes), 0)};
}

}  // namespace

Distances distances_of(std::span<const std::int32_t> accumulators, const PriorityMap& map) {
  const auto top = std::ranges::max_element(accumulators);
  Distances distances{.answer = top - accumulators.begin()};
  distances.to_second = std::numeric_limits<std::int64_t>::max();
  for (auto rival = accumulators.begin(); rival != accumulators.end(); ++rival) {
    if (rival == top) continue;
    distances.to_second = std::min(distances.to_second, std::int64_t{*top} - *rival);
  }
  if (map.has_other) {
    const bool is_other = distances.answer == map.priorities();
    distances.to_other = is_other ? distances.to_second : std::int64_t{*top} - accumulators.back();
  }
  return distances;
}

std::int64_t score_of(const Distances& distances, const ScoreRule& rule) {
  if (distances.to_second == 0) return kTieScore;
  return rule.margin_weight * distances.to_second + rule.other_weight * distances.to_other +
         rule.offsets[static_cast<std::size_t>(distances.answer)];
}

std::int64_t score_of(std::span<const std::int32_t> accumulators, const ScoreRule& rule,
                      const PriorityMap& map) {
  return score_of(distances_of(accumulators, map), rule);
}

ScoreRule plain_rule(ScoreKind kind, const PriorityMap& map) {
  if (kind == ScoreKind::gate) {
    throw Error(ErrorKind::internal, "a gate was made without fitting it");
  }
  if (kind == ScoreKind::top_other && !map.has_other) {
    throw Error(ErrorKind::config,
                "calibrate: score is 'top-other' but every class is a priority, so none is "
                "'other'; set score = \"margin\"");
  }
  return unfitted_rule(kind, map.classes());
}

Json to_json(const ScoreRule& rule) {
  return {{"kind", name_of(rule.kind)},
          {"margin_weight", rule.margin_weight},
          {"other_weight", rule.other_weight},
          {"offsets", rule.offsets}};
}

ScoreRule score_rule_from_json(const Json& json, std::int64_t classes, std::string_view name) {
  require_keys(json, name);
  ScoreRule rule;
  rule.kind = kind_from_json(json.at("kind"), name);
  rule.margin_weight =
      integer_within(json.at("margin_weight"), kLargestScoreWeight, name, "margin_weight");
  rule.other_weight =
      integer_within(json.at("other_weight"), kLargestScoreWeight, name, "other_weight");
  const Json& offsets = json.at("offsets");
  if (!offsets.is_array() || std::ssize(offsets) != classes) {
    refuse(name, fmt::format("offsets is not a list of {} integers, one a class of the little "
                             "network",
                             classes));
  }
  for (const Json& offset : offsets) {
    rule.offsets.push_back(integer_within(offset, kLargestScoreOffset, name,
                                          fmt::format("offset {}", rule.offsets.size())));
  }
  if (rule.kind != ScoreKind::gate && rule != unfitted_rule(rule.kind, classes)) {
    refuse(name,
           fmt::format("weights and offsets are not those of a {} score", name_of(rule.kind)));
  }
  return rule;
}

}  // namespace biglittle
