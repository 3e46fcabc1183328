// SPDX-License-Identifier: MIT
#include "core/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace biglittle {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void refuse_line(std::string_view name, std::int64_t line, std::string_view reason) {
  throw Error(ErrorKind::bad_data, fmt::format("{}:{}: {}", name, line, reason));
}

/// Takes one record after the other from the text.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view name) : text_(text), name_(name) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  /// The next record, or nothing at the end. `line()` is where it began.
  std::optional<std::vector<std::string>> next() {
    while (at_ < text_.size() && skip_line_end()) continue;
    if (at_ == text_.size()) return std::nullopt;
    record_line_ = line_;
    std::vector<std::string> fields;
    do {
      if (fields.size() == kMostCsvFields) {
        refuse(fmt::format("more than {} fields", with_thousands(kMostCsvFields)));
      }
      fields.push_back(text_.substr(at_).starts_with('"') ? quoted() : plain());
    } while (take(','));
    if (at_ < text_.size() && !skip_line_end()) refuse("text after the closing quote of a field");
    return fields;
  }

  std::int64_t line() const { return record_line_; }

 private:
  [[noreturn]] void refuse(std::string_view reason) const { refuse_line(name_, line_, reason); }

  bool take(char wanted) {
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  /// True when the text goes on with LF or CRLF, which is then behind.
  bool skip_line_end() {
    const std::string_view rest = text_.substr(at_);
    const std::size_t length = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
    at_ += length;
    line_ += length > 0;
    return length > 0;
  }

  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\n\r\"", at_), text_.size());
    if (end < text_.size() && text_[end] == '"') {
      refuse(
          "a quote inside a field that does not begin with one; quote the whole field and "
          "double the quotes in it");
    }
    if (end < text_.size() && text_[end] == '\r' && !text_.substr(end).starts_with("\r\n")) {
      refuse("a carriage return without a line feed; end lines with LF or CRLF");
    }
    std::string field(text_.substr(at_, end - at_));
    at_ = end;
    return checked(std::move(field));
  }

  std::string quoted() {
    std::string field;
    ++at_;
    while (true) {
      const std::size_t end = text_.find('"', at_);
      if (end == std::string_view::npos) {
        refuse("a field begins with a quote that is never closed");
      }
      field += text_.substr(at_, end - at_);
      at_ = end + 1;
      if (!take('"')) break;
      field += '"';
      if (field.size() > kLongestCsvField) break;
    }
    std::string whole = checked(std::move(field));
    line_ += std::ranges::count(whole, '\n');
    return whole;
  }

  std::string checked(std::string field) const {
    if (field.size() > kLongestCsvField) {
      refuse(fmt::format("a field is longer than {} bytes", with_thousands(kLongestCsvField)));
    }
    if (!is_utf8(field)) refuse("not UTF-8; save the table as CSV in UTF-8");
    return field;
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  std::int64_t record_line_ = 1;
};

/// Why `header` has no column of that name.
std::string missing_column(const std::vector<std::string>& header, const std::string& column) {
  if (header.size() == 1 && header[0].find_first_of(";\t") != std::string::npos) {
    return fmt::format("no column '{}': fields are separated by '{}', expected commas", column,
                       header[0].find('\t') == std::string::npos ? ";" : "\\t");
  }
  std::vector<std::string> shown;
  for (const std::string& name : header) shown.push_back(one_line(name));
  return fmt::format("no column '{}' in the header{}", column, did_you_mean(column, shown));
}

/// The wanted columns of `table`, empty, each with its place in the header.
std::vector<std::pair<std::size_t, std::vector<std::string>*>> find_columns(
    const std::vector<std::string>& header, const CsvColumns& wanted, CsvTable& table,
    std::string_view name, std::int64_t line) {
  std::vector<std::pair<std::size_t, std::vector<std::string>*>> found;
  const auto find = [&](const std::string& column) {
    const auto place = std::ranges::find(header, column);
    if (place == header.end()) return false;
    if (std::find(place + 1, header.end(), column) != header.end()) {
      refuse_line(name, line, fmt::format("column '{}' is there twice", column));
    }
    found.emplace_back(static_cast<std::size_t>(place - header.begin()), &table.columns[column]);
    return true;
  };
  for (const std::string& column : wanted.needed) {
    if (!find(column)) refuse_line(name, line, missing_column(header, column));
  }
  for (const std::string& column : wanted.optional) find(column);
  return found;
}

}  // namespace

CsvTable parse_csv(std::string_view text, std::string_view name, const CsvColumns& wanted) {
  CsvReader reader(text, name);
  const auto header = reader.next();
  if (!header) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: empty, expected a header line with {}", name,
                                                 fmt::join(wanted.needed, ", ")));
  }
  CsvTable table;
  const auto columns = find_columns(*header, wanted, table, name, reader.line());
  while (auto record = reader.next()) {
    if (record->size() != header->size()) {
      refuse_line(name, reader.line(),
                  fmt::format("{} field{}, expected {} as in the header", record->size(),
                              record->size() == 1 ? "" : "s", header->size()));
    }
    if (table.count() == kMostCsvRecords) {
      refuse_line(
          name, reader.line(),
          fmt::format("more than {} records; split the file", with_thousands(kMostCsvRecords)));
    }
    for (const auto& [place, cells] : columns) cells->push_back(std::move((*record)[place]));
    table.lines.push_back(reader.line());
  }
  return table;
}

CsvTable read_csv(const std::filesystem::path& file, const CsvColumns& wanted) {
  return parse_csv(read_text(file), file.string(), wanted);
}

}  // namespace biglittle
