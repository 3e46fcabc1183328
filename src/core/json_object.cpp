// SPDX-License-Identifier: MIT
#include "core/json_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace biglittle {
namespace {

constexpr std::int64_t kMaxCount = std::numeric_limits<std::int64_t>::max();

bool is_integer(const Json& value) {
  return value.is_number_unsigned()
             ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMaxCount)
             : value.is_number_integer();
}

}  // namespace

ObjectReader::ObjectReader(const Json& json, std::string where,
                           std::initializer_list<std::string_view> keys)
    : json_(json), where_(std::move(where)) {
  if (!json.is_object()) fail("expected an object");
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(keys, key) == keys.end()) fail(fmt::format("unknown key '{}'", key));
  }
  for (const std::string_view key : keys) {
    if (!json.contains(key)) fail(fmt::format("key '{}' is missing", key));
  }
}

std::string ObjectReader::where(std::string_view key) const {
  return fmt::format("{}: {}", where_, key);
}

std::string ObjectReader::text(std::string_view key) const {
  if (!at(key).is_string()) fail(fmt::format("{} is not a string", key));
  return at(key).get<std::string>();
}

bool ObjectReader::boolean(std::string_view key) const {
  if (!at(key).is_boolean()) fail(fmt::format("{} is neither true nor false", key));
  return at(key).get<bool>();
}

std::int64_t ObjectReader::integer(std::string_view key, std::int64_t low,
                                   std::int64_t high) const {
  const Json& value = at(key);
  if (!is_integer(value) || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
    fail(fmt::format("{} is {}, expected an integer from {} to {}", key, value.dump(), low, high));
  }
  return value.get<std::int64_t>();
}

double ObjectReader::real(std::string_view key, double low, double high) const {
  const Json& value = at(key);
  if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
    fail(fmt::format("{} is {}, expected a number from {} to {}", key, value.dump(), low, high));
  }
  return value.get<double>();
}

std::vector<std::int64_t> ObjectReader::integers(std::string_view key, std::int64_t low,
                                                 std::int64_t high) const {
  std::vector<std::int64_t> values;
  for (const Json& value : list(key)) {
    if (!is_integer(value) || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
      fail(fmt::format("{} holds {}, expected integers from {} to {}", key, value.dump(), low,
                       high));
    }
    values.push_back(value.get<std::int64_t>());
  }
  return values;
}

std::vector<double> ObjectReader::reals(std::string_view key, double low, double high) const {
  std::vector<double> values;
  for (const Json& value : list(key)) {
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
      fail(
          fmt::format("{} holds {}, expected numbers from {} to {}", key, value.dump(), low, high));
    }
    values.push_back(value.get<double>());
  }
  return values;
}

std::vector<std::string> ObjectReader::texts(std::string_view key) const {
  std::vector<std::string> values;
  for (const Json& value : list(key)) {
    if (!value.is_string()) fail(fmt::format("{} holds {}, expected strings", key, value.dump()));
    values.push_back(value.get<std::string>());
  }
  return values;
}

const Json& ObjectReader::list(std::string_view key) const {
  if (!at(key).is_array()) fail(fmt::format("{} is not a list", key));
  return at(key);
}

void ObjectReader::fail(std::string_view problem) const {
  throw Error(ErrorKind::bad_data, fmt::format("{}: {}", where_, problem));
}

}  // namespace biglittle
