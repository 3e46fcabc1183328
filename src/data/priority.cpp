// SPDX-License-Identifier: MIT
#include "data/priority.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

constexpr const char* kAll = "all";
constexpr const char* kOther = "other";

PriorityMap all_classes(std::span<const std::string> classes) {
  PriorityMap map;
  map.names.assign(classes.begin(), classes.end());
  map.has_other = false;
  for (std::int64_t index = 0; index < map.classes(); ++index) map.little_of_big.push_back(index);
  return map;
}

void check_choice(std::span<const std::string> priority, std::span<const std::string> classes) {
  if (priority.empty()) {
    throw Error(ErrorKind::config,
                "priority is empty, expected class names or \"all\"; name " + join_or(classes));
  }
  std::set<std::string> seen;
  for (const std::string& name : priority) {
    if (name == kAll) {
      throw Error(ErrorKind::config,
                  "priority lists 'all' beside other names, expected \"all\" alone or class names; "
                  "remove one or the other");
    }
    if (std::find(classes.begin(), classes.end(), name) == classes.end()) {
      throw Error(ErrorKind::missing_input, "priority class '" + name +
                                                "' is not in the dataset, expected " +
                                                join_or(classes) + did_you_mean(name, classes));
    }
    if (!seen.insert(name).second) {
      throw Error(ErrorKind::config,
                  "priority lists '" + name + "' twice, expected each class once; remove one");
    }
  }
  if (seen.size() == classes.size()) {
    throw Error(ErrorKind::config, "priority lists all " + std::to_string(classes.size()) +
                                       " classes, so that nothing is left for 'other'; use "
                                       "priority = \"all\" or remove a class");
  }
  if (seen.contains(kOther)) {
    throw Error(ErrorKind::config,
                "priority class 'other' has the name of the class of everything else; rename it "
                "in the dataset");
  }
}

[[noreturn]] void refuse(std::string_view name, const std::string& message) {
  throw Error(ErrorKind::bad_data,
              std::string(name) + ": priority map " + message + "; write the file again");
}

/// Each priority class comes from exactly one big class, and "other" from at least one.
void check_map(const PriorityMap& map, std::string_view name) {
  std::vector<std::int64_t> sources(map.names.size(), 0);
  for (const std::int64_t little : map.little_of_big) {
    if (little < 0 || little >= map.classes()) {
      refuse(name, "has little class " + std::to_string(little) + ", expected 0 to " +
                       std::to_string(map.classes() - 1));
    }
    ++sources[static_cast<std::size_t>(little)];
  }
  if (map.priorities() < 1) refuse(name, "has no priority class, expected at least one");
  for (std::size_t little = 0; little < sources.size(); ++little) {
    const bool is_other = map.has_other && little + 1 == sources.size();
    if (is_other ? sources[little] >= 1 : sources[little] == 1) continue;
    refuse(name, "gives '" + map.names[little] + "' " + std::to_string(sources[little]) +
                     " big classes, expected " + (is_other ? "at least one" : "one"));
  }
  if (map.has_other && map.names.back() != kOther) {
    refuse(name, "ends with '" + map.names.back() + "', expected 'other'");
  }
}

}  // namespace

std::vector<std::int64_t> PriorityMap::big_of_priority() const {
  std::vector<std::int64_t> big(static_cast<std::size_t>(priorities()));
  for (std::size_t index = 0; index < little_of_big.size(); ++index) {
    const std::int64_t little = little_of_big[index];
    if (little < priorities()) {
      big.at(static_cast<std::size_t>(little)) = static_cast<std::int64_t>(index);
    }
  }
  return big;
}

PriorityMap resolve_priorities(std::span<const std::string> priority,
                               std::span<const std::string> classes) {
  if (priority.size() == 1 && priority.front() == kAll) return all_classes(classes);
  check_choice(priority, classes);
  PriorityMap map;
  map.names.assign(priority.begin(), priority.end());
  const auto other = static_cast<std::int64_t>(priority.size());
  for (const std::string& name : classes) {
    const auto found = std::find(priority.begin(), priority.end(), name);
    map.little_of_big.push_back(found == priority.end() ? other : found - priority.begin());
  }
  map.names.emplace_back(kOther);
  return map;
}

std::vector<std::int64_t> relabel(std::span<const std::int64_t> labels, const PriorityMap& map) {
  const auto classes = static_cast<std::int64_t>(map.little_of_big.size());
  std::vector<std::int64_t> little;
  little.reserve(labels.size());
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= classes) {
      throw Error(ErrorKind::internal, "label " + std::to_string(label) + " was relabelled with " +
                                           std::to_string(classes) + " big classes");
    }
    little.push_back(map.little_of_big[static_cast<std::size_t>(label)]);
  }
  return little;
}

Json to_json(const PriorityMap& map) {
  Json json;
  json["little_of_big"] = map.little_of_big;
  json["names"] = map.names;
  json["has_other"] = map.has_other;
  return json;
}

PriorityMap priority_map_from_json(const Json& json, std::string_view name) {
  PriorityMap map;
  read_json(name, [&] {
    map.little_of_big = json.at("little_of_big").get<std::vector<std::int64_t>>();
    map.names = json.at("names").get<std::vector<std::string>>();
    map.has_other = json.at("has_other").get<bool>();
  });
  check_map(map, name);
  return map;
}

}  // namespace biglittle
