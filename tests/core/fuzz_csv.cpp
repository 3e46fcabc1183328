// SPDX-License-Identifier: MIT
// libFuzzer entry: any text gives columns of one length that can be written and read again, or one
// Error{bad_data} of one line.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/csv.h"
#include "core/error.h"

namespace {

using namespace biglittle;

std::string quoted(const std::string& cell) {
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

std::string written(const CsvTable& table) {
  std::string text = "a,b\r\n";
  for (std::size_t row = 0; row < table.lines.size(); ++row) {
    text += quoted(table.columns.at("a")[row]) + "," +
            (table.has("b") ? quoted(table.columns.at("b")[row]) : "") + "\r\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const CsvTable table = parse_csv(text, "fuzz", {{"a"}, {"b"}});
    const CsvTable again = parse_csv(written(table), "again", {{"a", "b"}, {}});
    if (again.columns.at("a") != table.columns.at("a")) std::abort();
    if (table.has("b") && again.columns.at("b") != table.columns.at("b")) std::abort();
  } catch (const Error& error) {
    const std::string_view message(error.what());
    const bool one_line = message.find('\n') == std::string_view::npos;
    if (error.kind() != ErrorKind::bad_data || !one_line || message.starts_with("again")) {
      std::abort();
    }
  }
  return 0;
}
