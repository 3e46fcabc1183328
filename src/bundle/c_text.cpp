// SPDX-License-Identifier: MIT
#include "bundle/c_text.h"

#include <fmt/format.h>

#include "core/error.h"

namespace biglittle {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::string_view kIndent = "    ";

template <typename T, typename Write>
std::string fill_lines(std::span<const T> values, const Write& write) {
  std::string text;
  std::string line(kIndent);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string word = write(values[i]);
    if (i + 1 < values.size()) word += ",";
    const bool first = line.size() == kIndent.size();
    if (!first && line.size() + 1 + word.size() > kColumns) {
      text += line + "\n";
      line = kIndent;
    } else if (!first) {
      line += " ";
    }
    line += word;
  }
  return text + line;
}

}  // namespace

std::string c_float(float value) { return fmt::format("{:.8e}f", value); }

std::string c_int64(std::int64_t value) {
  return value < 0 ? fmt::format("-INT64_C({})", -value) : fmt::format("INT64_C({})", value);
}

std::string c_string(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      literal += '\\';
      literal += c;
    } else if (c < ' ' || c > '~' || c == '?') {  // "??(" would be a trigraph
      literal += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else {
      literal += c;
    }
  }
  return literal + "\"";
}

std::string c_values(std::span<const std::int8_t> values) {
  return fill_lines(values, [](std::int8_t value) { return std::to_string(value); });
}

std::string c_values(std::span<const std::uint8_t> values) {
  return fill_lines(values, [](std::uint8_t value) { return std::to_string(value); });
}

std::string c_values(std::span<const std::int32_t> values) {
  return fill_lines(values, [](std::int32_t value) { return std::to_string(value); });
}

std::string c_values(std::span<const std::int64_t> values) { return fill_lines(values, c_int64); }

std::string c_values(std::span<const float> values) { return fill_lines(values, c_float); }

std::string c_expressions(std::span<const std::string> expressions) {
  return fill_lines(expressions, [](const std::string& expression) { return expression; });
}

std::string fill_in(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string filled;
  while (true) {
    const std::size_t begin = text.find('@');
    filled += text.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    const std::size_t end = text.find('@', begin + 1);
    const std::string key(text.substr(begin + 1, end - begin - 1));
    const auto value = values.find(key);
    if (end == std::string_view::npos || value == values.end()) {
      throw Error(ErrorKind::internal, "the text of a generated file has an unknown key: " + key);
    }
    filled += value->second;
    text.remove_prefix(end + 1);
  }
}

}  // namespace biglittle
