// SPDX-License-Identifier: MIT
#include "core/text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;
using Words = std::vector<std::string>;

TEST(ClosestWord, FindsSubstitutionInsertionDeletionAndSwap) {
  const Words words = {"epochs", "batch", "seed"};
  EXPECT_EQ(closest_word("epochz", words), "epochs");
  EXPECT_EQ(closest_word("epoch", words), "epochs");
  EXPECT_EQ(closest_word("epochss", words), "epochs");
  EXPECT_EQ(closest_word("baTch", words), "batch");
  EXPECT_EQ(closest_word("sede", words), "seed");  // one swap; two without it would be too far
}

TEST(ClosestWord, PrefersTheNearerAndThenTheFirst) {
  EXPECT_EQ(closest_word("abcdef", Words{"abcdxx", "abcdex"}), "abcdex");
  EXPECT_EQ(closest_word("abcx", Words{"abca", "abcb"}), "abca");
}

TEST(ClosestWord, GivesUpBeyondAThirdOfTheLength) {
  EXPECT_EQ(closest_word("abcdef", Words{"abcdxx"}), "abcdxx");  // 2 of 6
  EXPECT_EQ(closest_word("abcdef", Words{"abcxxx"}), "");        // 3 of 6
  EXPECT_EQ(closest_word("ab", Words{"ax"}), "ax");              // at least 1
  EXPECT_EQ(closest_word("ab", Words{"xy"}), "");
  EXPECT_EQ(closest_word("ab", Words{}), "");
}

TEST(JoinOr, WritesListsForPeople) {
  EXPECT_EQ(join_or(Words{}), "");
  EXPECT_EQ(join_or(Words{"a"}), "a");
  EXPECT_EQ(join_or(Words{"a", "b"}), "a or b");
  EXPECT_EQ(join_or(Words{"a", "b", "c"}), "a, b or c");
}

TEST(DidYouMean, IsEmptyWithoutASimilarWord) {
  EXPECT_EQ(did_you_mean("epoch", Words{"epochs"}), ", did you mean 'epochs'?");
  EXPECT_EQ(did_you_mean("speed", Words{"epochs"}), "");
}

TEST(OneLine, EscapesControlCharacters) {
  EXPECT_EQ(one_line("a\nb\tc\x1b[1m\x7f"), "a\\nb\\tc\\x1B[1m\\x7F");
  EXPECT_EQ(one_line("Äpfel \\ 'x'"), "Äpfel \\ 'x'");
}

TEST(OneLine, ShortensTheMiddleOfLongText) {
  const std::string most(80, 'a');
  EXPECT_EQ(one_line(most), most);
  EXPECT_EQ(one_line("b" + most), "b" + std::string(37, 'a') + "..." + std::string(38, 'a'));
}

TEST(OneLine, CutsBetweenCharacters) {
  // "ä" is 2 bytes, and with the "x" in front byte 38 lies inside one.
  std::string text = "x";
  for (int i = 0; i < 60; ++i) text += "ä";
  std::string expected = "x";
  for (int i = 0; i < 18; ++i) expected += "ä";
  expected += "...";
  for (int i = 0; i < 19; ++i) expected += "ä";
  EXPECT_EQ(one_line(text), expected);
}

// The limits of RFC 3629, section 4.
TEST(IsUtf8, AcceptsExactlyTheShortestFormsOfCharacters) {
  for (const char* text :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "ä€😀z"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* text :
       {"\x80", "\xC1\xBF", "\xC2", "\xC2z", "\xE0\x9F\xBF", "\xE2\x82", "\xE2\x82z",
        "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(WithThousands, GroupsThreeDigits) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(5620), "5,620");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(with_thousands(-999), "-999");
  EXPECT_EQ(with_thousands(-123456), "-123,456");
  EXPECT_EQ(with_thousands(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(FormatBytes, UsesBinaryUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(8192), "8.0 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(std::int64_t{5} << 30), "5.0 GiB");
}

TEST(FormatBytes, MovesToTheNextUnitBeforeRoundingReaches1024) {
  EXPECT_EQ(format_bytes(1048524), "1023.9 KiB");  // 1023.949
  EXPECT_EQ(format_bytes(1048525), "1.0 MiB");     // 1023.950
}

TEST(FormatPercent, HasTwoDecimals) {
  EXPECT_EQ(format_percent(0.9351), "93.51 %");
  EXPECT_EQ(format_percent(0.0), "0.00 %");
  EXPECT_EQ(format_percent(1.0), "100.00 %");
}

TEST(FormatTable, AlignsTheFirstColumnLeftAndTheOthersRight) {
  EXPECT_EQ(format_table({"layer", "MACs"}, {{"conv1", "12"}, {"fc", "3,456"}}),
            "layer   MACs\n"
            "conv1     12\n"
            "fc     3,456\n");
}

TEST(FormatTable, MeasuresCharactersNotBytes) {
  EXPECT_EQ(format_table({"a", "b"}, {{"äö", "1"}}), "a   b\näö  1\n");
}

TEST(FormatTable, LeavesNoSpaceAtTheEndOfALine) {
  EXPECT_EQ(format_table({"name"}, {{"x"}}), "name\nx\n");
}

TEST(FormatTable, RefusesARowOfAnotherLength) {
  expect_error(ErrorKind::internal, "a table's row and header differ in length", [] {
    format_table({"a", "b"}, {{"1"}});
  });
}

}  // namespace
}  // namespace biglittle
