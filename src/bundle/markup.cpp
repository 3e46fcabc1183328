// SPDX-License-Identifier: MIT
#include "bundle/markup.h"

#include <fmt/format.h>

#include <array>

namespace biglittle {
namespace {

std::string_view style_of(Column::Kind kind) {
  static constexpr std::array<std::string_view, 4> styles = {"text", "number", "number minor",
                                                             "drawing"};
  return styles[static_cast<std::size_t>(kind)];
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < ' ' || c == '\x7F' ? ' ' : c;
    }
  }
  return escaped;
}

std::string html_table(std::string_view caption, const std::vector<Column>& columns,
                       const std::vector<TableRow>& rows) {
  std::string text = fmt::format(
      "<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead><tr>", escape_markup(caption));
  for (const Column& column : columns) {
    const std::string dot =
        column.role.empty() ? "" : fmt::format("<span class=\"dot {}\"></span>", column.role);
    text += fmt::format("<th scope=\"col\" class=\"{}\">{}{}</th>", style_of(column.kind), dot,
                        escape_markup(column.heading));
  }
  text += "</tr></thead>\n<tbody>\n";
  for (const TableRow& row : rows) {
    text += row.style.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", row.style);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string_view style = style_of(columns[i].kind);
      text += i == 0 ? fmt::format("<th scope=\"row\" class=\"{}\">{}</th>", style, row.cells.at(i))
                     : fmt::format("<td class=\"{}\">{}</td>", style, row.cells.at(i));
    }
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table></div>\n";
}

}  // namespace biglittle
