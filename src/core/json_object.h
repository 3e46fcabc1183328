// SPDX-License-Identifier: MIT
#pragma once

// Reads JSON objects strictly: known keys only, each of its type and in its range.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace biglittle {

/// One JSON object whose keys must be exactly those asked for. Every method throws Error{bad_data}
/// that begins with `where` for a missing key, a wrong type or a value out of range.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string where, std::initializer_list<std::string_view> keys);

  const Json& at(std::string_view key) const { return json_.at(std::string(key)); }
  /// "<where>: <key>", for messages about what is inside.
  std::string where(std::string_view key) const;

  std::string text(std::string_view key) const;
  bool boolean(std::string_view key) const;
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) const;
  double real(std::string_view key, double low, double high) const;
  std::vector<std::int64_t> integers(std::string_view key, std::int64_t low,
                                     std::int64_t high) const;
  std::vector<double> reals(std::string_view key, double low, double high) const;
  std::vector<std::string> texts(std::string_view key) const;
  /// A list of anything.
  const Json& list(std::string_view key) const;

  [[noreturn]] void fail(std::string_view problem) const;

 private:
  const Json& json_;
  std::string where_;
};

}  // namespace biglittle
