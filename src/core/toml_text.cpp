// SPDX-License-Identifier: MIT
#include "core/toml_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

std::optional<toml::table> parse_if_toml(std::string_view text) {
  try {
    return parse_toml(text, [](const toml::source_position&) { return std::string(); });
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

TomlPlace toml_place_in(std::string_view name) {
  return [name = std::string(name)](const toml::source_position& at) {
    return fmt::format("{}:{}:{}", name, at.line, at.column);
  };
}

toml::table parse_toml(std::string_view text, const TomlPlace& place) {
  constexpr std::ptrdiff_t kMaxDots = 4096;
  if (std::ranges::count(text, '.') > kMaxDots) {
    throw Error(ErrorKind::config,
                fmt::format("{}: the text has more than {} dots", place({1, 1}), kMaxDots));
  }
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    std::string description = one_line(error.description());
    if (description.starts_with('E')) description.front() = 'e';
    throw Error(ErrorKind::config, fmt::format("{}: {}", place(error.source().begin), description));
  }
}

std::vector<std::string> toml_key_parts(std::string_view key) {
  // Two lines could be a section's heading and a key.
  if (key.find('\n') != std::string_view::npos) return {};
  const std::optional<toml::table> table = parse_if_toml(fmt::format("{} = 0", key));
  std::vector<std::string> parts;
  const toml::table* at = table ? &*table : nullptr;
  while (at != nullptr) {
    if (at->size() != 1) return {};
    parts.emplace_back(at->begin()->first.str());
    at = at->begin()->second.as_table();
  }
  return parts;
}

toml::table toml_table_of(const std::string& key, std::string_view text) {
  std::optional<toml::table> parsed = parse_if_toml(fmt::format("value = {}", text));
  // More keys would be another assignment behind a line break.
  if (parsed && parsed->size() == 1) {
    toml::table named;
    named.insert(key, std::move(*parsed->get("value")));
    return named;
  }
  toml::table named;
  named.insert(key, std::string(text));
  return named;
}

}  // namespace biglittle
