// SPDX-License-Identifier: MIT
#include "core/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/text.h"

namespace biglittle {
namespace {

constexpr int kMaxDepth = 64;

/// True for a list of numbers, strings and the like, which reads best on one line.
bool is_plain_list(const Json& json) {
  return json.is_array() && std::none_of(json.begin(), json.end(),
                                         [](const Json& item) { return item.is_structured(); });
}

void append(std::string& text, const Json& json, std::size_t indent) {
  if (!json.is_structured() || json.empty()) {
    text += json.dump();
    return;
  }
  if (is_plain_list(json)) {
    text += '[';
    for (const Json& item : json) {
      if (text.back() != '[') text += ", ";
      text += item.dump();
    }
    text += ']';
    return;
  }
  const bool is_object = json.is_object();
  std::string_view separator = "\n";
  text += is_object ? '{' : '[';
  for (const auto& [key, value] : json.items()) {
    text.append(separator).append(indent + 2, ' ');
    if (is_object) text += Json(key).dump() + ": ";
    append(text, value, indent + 2);
    separator = ",\n";
  }
  text.append("\n").append(indent, ' ');
  text += is_object ? '}' : ']';
}

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

std::string to_text(const Json& json) {
  std::string text;
  append(text, json, 0);
  return text + "\n";
}

std::string plain_message(const nlohmann::json::exception& exception) {
  // "[json.exception.type_error.302] type must be string, but is number"
  const std::string_view what = exception.what();
  const std::size_t end = what.find("] ");
  return std::string(end == std::string_view::npos ? what : what.substr(end + 2));
}

}  // namespace biglittle
