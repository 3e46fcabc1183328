// SPDX-License-Identifier: MIT
#pragma once

// nlohmann-json with this project's errors: a missing key, a wrong type or bad text becomes one
// line that names the file and what was wrong in it.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/error.h"

namespace biglittle {

/// Keeps the order in which keys were written, so that files read well and are reproducible.
using Json = nlohmann::ordered_json;

/// Parses `text`; `name` stands for the file in messages. At most 64 objects and lists inside each
/// other; no key twice in one object. Throws Error{bad_data}.
Json parse_json(std::string_view text, std::string_view name);

/// Two-space indented text with a final newline, lists of plain values on one line; numbers
/// round-trip.
std::string to_text(const Json& json);

/// The exception's sentence without its class and number.
std::string plain_message(const nlohmann::json::exception& exception);

/// Runs `read` and turns any nlohmann exception into Error{bad_data} that begins with `name`.
template <typename Read>
auto read_json(std::string_view name, Read&& read) {
  try {
    return read();
  } catch (const nlohmann::json::exception& exception) {
    throw Error(ErrorKind::bad_data, std::string(name) + ": " + plain_message(exception));
  }
}

}  // namespace biglittle
