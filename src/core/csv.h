// SPDX-License-Identifier: MIT
#pragma once

// Logs as other programs write them: comma-separated values with a header line (RFC 4180), in
// UTF-8. The reader treats its file as hostile and keeps the wanted columns only.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

/// More records or fields, or a longer field, are refused: what has them is no log.
inline constexpr std::int64_t kMostCsvRecords = 10'000'000;
inline constexpr std::size_t kMostCsvFields = 1'000;
inline constexpr std::size_t kLongestCsvField = std::size_t{1} << 16;

/// The columns that are read, by name; others in the file are left out.
struct CsvColumns {
  std::vector<std::string> needed;
  std::vector<std::string> optional;
};

struct CsvTable {
  std::map<std::string, std::vector<std::string>> columns;  ///< found ones: [records] cells
  std::vector<std::int64_t> lines;  ///< [records] where each begins in the file, from 1

  std::int64_t count() const { return static_cast<std::int64_t>(lines.size()); }
  bool has(const std::string& column) const { return columns.contains(column); }
};

/// Reads records of comma-separated fields. A field in double quotes may hold commas, line breaks
/// and doubled quotes; spaces belong to fields. Lines end in LF or CRLF; empty ones are skipped; a
/// byte order mark before the header is, too. Throws Error{bad_data} of one line that begins with
/// `name`, and with the line where it is known: no header, a needed column that is not there (with
/// the closest name), a wanted one that is there twice, another number of fields than in the
/// header, quotes that do not match, text that is not UTF-8, and the limits above.
CsvTable parse_csv(std::string_view text, std::string_view name, const CsvColumns& wanted);

/// The same for a file of at most 256 MiB. Throws what read_text throws, too.
CsvTable read_csv(const std::filesystem::path& file, const CsvColumns& wanted);

}  // namespace biglittle
