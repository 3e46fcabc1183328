// SPDX-License-Identifier: MIT
#pragma once

// TOML text as tables, before anything is known about options. Only the reader of options includes
// this: toml++ is no part of any interface.

#include <toml++/toml.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

/// Begins a message about a place in the text, e.g. "x.toml:3:1".
using TomlPlace = std::function<std::string(const toml::source_position&)>;

/// Places in the text that `name` stands for.
TomlPlace toml_place_in(std::string_view name);

/// Throws Error{config} that begins with the place for a syntax error, or more than 4096 dots: each
/// dot of a key may open one more table inside the others, which could overrun the stack.
toml::table parse_toml(std::string_view text, const TomlPlace& place);

/// The sections and the last name of "a.b.c"; nothing when it is not a key.
std::vector<std::string> toml_key_parts(std::string_view key);

/// A table of one entry: `text` as a TOML value, or as a string when it is none.
toml::table toml_table_of(const std::string& key, std::string_view text);

}  // namespace biglittle
