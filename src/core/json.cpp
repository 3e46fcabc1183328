// SPDX-License-Identifier: MIT
#include "core/json.h"

#include <fmt/core.h>

#include <set>
#include <vector>

namespace biglittle {
namespace {

constexpr int kMaxDepth = 64;

}  // namespace

Json parse_json(std::string_view text, std::string_view name) {
  // One set of keys for each object that is open; nlohmann-json would keep the last of two equal
  // keys.
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: JSON is nested deeper than {} levels", name, kMaxDepth));
    }
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed).second) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: key '{}' appears twice", name, parsed.get<std::string>()));
    }
    return true;
  };
  return read_json(name, [&] { return Json::parse(text, check); });
}

std::string to_text(const Json& json) { return json.dump(2) + "\n"; }

}  // namespace biglittle
