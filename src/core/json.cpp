// SPDX-License-Identifier: MIT
#include "core/json.h"

#include <fmt/core.h>

#include <set>
#include <vector>

#include "core/text.h"

namespace biglittle {
namespace {

constexpr int kMaxDepth = 64;

}  // namespace

Json parse_json(std::string_view text, std::string_view name) {
  // The parser takes a NUL for the end of the text and would not look at what follows.
  if (text.find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: JSON contains a NUL character", name));
  }
  // One set of keys for each object that is open; nlohmann-json would keep the last of two equal
  // keys.
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: JSON is nested deeper than {} levels", name, kMaxDepth));
    }
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed).second) {
      throw Error(ErrorKind::bad_data, fmt::format("{}: key '{}' appears twice", name,
                                                   one_line(parsed.get<std::string>())));
    }
    return true;
  };
  return read_json(name, [&] { return Json::parse(text, check); });
}

std::string to_text(const Json& json) { return json.dump(2) + "\n"; }

std::string plain_message(const nlohmann::json::exception& exception) {
  // "[json.exception.type_error.302] type must be string, but is number"
  const std::string_view what = exception.what();
  const std::size_t end = what.find("] ");
  return std::string(end == std::string_view::npos ? what : what.substr(end + 2));
}

}  // namespace biglittle
