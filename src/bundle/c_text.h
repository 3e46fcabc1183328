// SPDX-License-Identifier: MIT
#pragma once

// Small pieces of C source text: arrays, literals and identifiers that every C99 compiler reads as
// exactly the values given.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace biglittle {

/// A float literal that reads back as the same float32 in C and C++, e.g. "9.99999978e-03f".
std::string c_float(float value);

/// A string literal with quotes; everything but plain ASCII is written as octal escapes.
std::string c_string(std::string_view text);

/// "INT64_C(5)", "-INT64_C(5)"; the lowest int64 has no such literal and is none of ours.
std::string c_int64(std::int64_t value);

/// The values separated by ", ", in indented lines of at most 100 columns.
std::string c_values(std::span<const std::int8_t> values);
std::string c_values(std::span<const std::uint8_t> values);
std::string c_values(std::span<const std::int32_t> values);
std::string c_values(std::span<const std::int64_t> values);
std::string c_values(std::span<const float> values);

/// The expressions separated by ", ", in indented lines of at most 100 columns.
std::string c_expressions(std::span<const std::string> expressions);

/// "static const TYPE NAME[N] = {\n  values};\n" with a blank line behind.
template <typename T>
std::string c_array(std::string_view type, std::string_view name, std::span<const T> values) {
  std::string text = "static const ";
  text.append(type).append(" ").append(name);
  text.append("[").append(std::to_string(values.size())).append("] = {\n");
  if constexpr (std::is_same_v<T, std::string>) {
    text.append(c_expressions(values));
  } else {
    text.append(c_values(values));
  }
  return text.append("};\n\n");
}

/// `text` with every @KEY@ replaced by its value. Throws Error{internal} for an unknown key.
std::string fill_in(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace biglittle
