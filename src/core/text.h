// SPDX-License-Identifier: MIT
#pragma once

// Small text work shared by messages and tables: the closest known word, numbers for people,
// lists for people.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

/// The candidate nearest to `word` by edit distance (optimal string alignment), or "" when none is
/// within a third of its length (at least 1).
std::string closest_word(std::string_view word, std::span<const std::string> candidates);

/// "a, b or c".
std::string join_or(std::span<const std::string> words);

/// ", did you mean 'x'?" or "" — for the end of a message about an unknown word.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// `text` on one line: control characters as \n, \t or \x1B, the middle of more than 80 characters
/// as "...". For text from a file inside a message.
std::string one_line(std::string_view text);

/// Whether `text` is well-formed UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF).
bool is_utf8(std::string_view text);

/// 5620 -> "5,620".
std::string with_thousands(std::int64_t value);

/// Bytes for people, binary units: 8192 -> "8.0 KiB".
std::string format_bytes(std::int64_t bytes);

/// A rate in [0, 1] as percent with two decimals: 0.9351 -> "93.51 %".
std::string format_percent(double rate);

/// A table with a header row and aligned columns; the first column is left-aligned, others right.
/// Every row has as many cells as the header. Ends with a newline.
std::string format_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows);

}  // namespace biglittle
