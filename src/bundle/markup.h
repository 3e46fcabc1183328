// SPDX-License-Identifier: MIT
#pragma once

// Small pieces of HTML that is also well-formed XML: escaped text and tables.

#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

/// Text that stands for itself between tags and inside quotes; control characters become spaces.
std::string escape_markup(std::string_view text);

/// A column's heading (text) and how its cells read. A minor number is left out on a narrow screen.
struct Column {
  std::string heading;
  enum class Kind { text, number, minor_number, drawing } kind = Kind::number;
  std::string_view role = {};  ///< CSS class of what it counts, shown as a dot of its colour
};

/// One row: cells are markup, as many as there are columns. The first is the row's heading.
struct TableRow {
  std::vector<std::string> cells;
  std::string style;  ///< CSS class, or empty
};

/// A table in a box that scrolls sideways where the screen is too narrow. `caption` is text.
std::string html_table(std::string_view caption, const std::vector<Column>& columns,
                       const std::vector<TableRow>& rows);

}  // namespace biglittle
