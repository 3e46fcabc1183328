// SPDX-License-Identifier: MIT
#include "core/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::ElementsAre;

CsvTable parse(std::string_view text, const CsvColumns& wanted = {{"little", "big"}, {"score"}}) {
  return parse_csv(text, "log.csv", wanted);
}

void expect_refused(const std::string& line, std::string_view text) {
  expect_error(ErrorKind::bad_data, line, [&] { parse(text); });
}

TEST(Csv, KeepsTheWantedColumnsInWhateverOrderTheyCome) {
  const CsvTable table = parse("big,time,little\ncat,10:00,dog\ndog,10:01,dog\n");
  EXPECT_EQ(table.count(), 2);
  EXPECT_THAT(table.columns.at("little"), ElementsAre("dog", "dog"));
  EXPECT_THAT(table.columns.at("big"), ElementsAre("cat", "dog"));
  EXPECT_FALSE(table.has("time"));
  EXPECT_FALSE(table.has("score"));
  EXPECT_TRUE(parse("score,little,big\n").has("score"));
}

TEST(Csv, QuotedFieldsHoldCommasLineBreaksAndQuotes) {
  const CsvTable table = parse("little,big\n\"a, b\",\"say \"\"hi\"\"\"\n\"two\r\nlines\",\"\"\n");
  EXPECT_THAT(table.columns.at("little"), ElementsAre("a, b", "two\r\nlines"));
  EXPECT_THAT(table.columns.at("big"), ElementsAre("say \"hi\"", ""));
}

TEST(Csv, LinesEndInLfOrCrlfOrWithTheFile) {
  const CsvTable table = parse("little,big\r\na,b\nc,d\r\n\r\n\ne,f");
  EXPECT_THAT(table.columns.at("little"), ElementsAre("a", "c", "e"));
  EXPECT_THAT(table.columns.at("big"), ElementsAre("b", "d", "f"));
}

TEST(Csv, LinesAreThoseOfTheFile) {
  const CsvTable table = parse("little,big\na,b\n\n\"c\nc\",d\ne,f\n");
  EXPECT_THAT(table.lines, ElementsAre(2, 4, 6));
}

TEST(Csv, SpacesBelongToFields) {
  EXPECT_THAT(parse("little,big\n a ,b\n").columns.at("little"), ElementsAre(" a "));
}

TEST(Csv, ByteOrderMarkIsNoPartOfTheFirstName) {
  EXPECT_THAT(parse("\xEF\xBB\xBFlittle,big\na,b\n").columns.at("little"), ElementsAre("a"));
}

TEST(Csv, HeaderAloneHasNoRecords) { EXPECT_EQ(parse("little,big\n").count(), 0); }

TEST(Csv, EmptyFileIsRefused) {
  expect_refused("log.csv: empty, expected a header line with little, big", "");
  expect_refused("log.csv: empty, expected a header line with little, big", "\n\r\n");
}

TEST(Csv, MissingColumnNamesTheClosest) {
  expect_refused("log.csv:1: no column 'little' in the header, did you mean 'litle'?",
                 "litle,big\n");
  expect_refused("log.csv:1: no column 'big' in the header", "little,answer\n");
}

TEST(Csv, OtherSeparatorsAreNamed) {
  expect_refused("log.csv:1: no column 'little': fields are separated by ';', expected commas",
                 "little;big\n");
  expect_refused("log.csv:1: no column 'little': fields are separated by '\\t', expected commas",
                 "little\tbig\n");
}

TEST(Csv, ColumnThatIsThereTwiceIsRefused) {
  expect_refused("log.csv:1: column 'big' is there twice", "big,little,big\n");
  // One that nobody asked for may be.
  EXPECT_EQ(parse("x,x,little,big\n1,2,a,b\n").count(), 1);
}

TEST(Csv, RecordOfAnotherLengthIsRefusedWithItsLine) {
  expect_refused("log.csv:3: 1 field, expected 2 as in the header", "little,big\na,b\nc\n");
  expect_refused("log.csv:2: 3 fields, expected 2 as in the header", "little,big\na,b,c\n");
}

TEST(Csv, QuotesThatDoNotMatchAreRefused) {
  expect_refused("log.csv:2: a field begins with a quote that is never closed",
                 "little,big\n\"a,b\nc,d\n");
  expect_refused("log.csv:2: text after the closing quote of a field", "little,big\n\"a\"x,b\n");
  expect_refused(
      "log.csv:2: a quote inside a field that does not begin with one; quote the whole field and "
      "double the quotes in it",
      "little,big\na\"b,c\n");
}

TEST(Csv, LoneCarriageReturnIsRefused) {
  expect_refused("log.csv:1: a carriage return without a line feed; end lines with LF or CRLF",
                 "little,big\ra,b\r");
}

TEST(Csv, TextThatIsNotUtf8IsRefused) {
  expect_refused("log.csv:2: not UTF-8; save the table as CSV in UTF-8", "little,big\n\xFF,b\n");
}

TEST(Csv, LongestFieldIsReadAndOneByteMoreIsNot) {
  const std::string longest(kLongestCsvField, 'a');
  EXPECT_EQ(parse("little,big\n" + longest + ",b\n").columns.at("little")[0], longest);
  EXPECT_EQ(parse("little,big\n\"" + longest + "\",b\n").columns.at("little")[0], longest);
  const std::string refused = "log.csv:2: a field is longer than 65,536 bytes";
  expect_refused(refused, "little,big\na" + longest + ",b\n");
  expect_refused(refused, "little,big\n\"a" + longest + "\",b\n");
}

TEST(Csv, MostFieldsAreReadAndOneMoreIsNot) {
  std::string header = "little,big";
  for (std::size_t field = 2; field < kMostCsvFields; ++field) header += ",x";
  EXPECT_EQ(parse(header + "\n").count(), 0);
  expect_refused("log.csv:1: more than 1,000 fields", header + ",x\n");
}

TEST(Csv, FileIsNamedInErrors) {
  TemporaryFolder folder;
  std::ofstream(folder / "log.csv") << "little,big\na,b\n";
  EXPECT_EQ(read_csv(folder / "log.csv", {{"little"}, {}}).count(), 1);
  expect_error(ErrorKind::bad_data,
               (folder / "log.csv").string() + ":1: no column 'score' in the header", [&] {
                 read_csv(folder / "log.csv", {{"score"}, {}});
               });
}

}  // namespace
}  // namespace biglittle::testing
