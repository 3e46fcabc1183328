// SPDX-License-Identifier: MIT
#include "bundle/c_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <vector>

#include "testing/expect_error.h"

namespace biglittle {
namespace {

TEST(CText, FloatsReadBackAsTheSameNumber) {
  for (const float value : {1.0f, 0.1f, 1.0f / 3.0f, 0x1.fffffep-20f, 0x1p-40f, -123456.789f,
                            std::numeric_limits<float>::max()}) {
    const std::string literal = c_float(value);
    EXPECT_EQ(literal.back(), 'f');
    EXPECT_NE(literal.find('.'), std::string::npos) << literal << " would be no float literal";
    EXPECT_EQ(std::strtof(literal.c_str(), nullptr), value) << literal;
  }
}

TEST(CText, StringsAreEscapedForEveryCompiler) {
  EXPECT_EQ(c_string("Ankle boot"), "\"Ankle boot\"");
  EXPECT_EQ(c_string("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(c_string("what?\?("), "\"what\\077\\077(\"");
  EXPECT_EQ(c_string("1\n2"), "\"1\\0122\"");
  EXPECT_EQ(c_string("\xc3\xa4"), "\"\\303\\244\"");
}

TEST(CText, SixtyFourBitIntegersAreLiteralsOfTheirWidth) {
  EXPECT_EQ(c_int64(0), "INT64_C(0)");
  EXPECT_EQ(c_int64(9007199254740991), "INT64_C(9007199254740991)");
  EXPECT_EQ(c_int64(-9007199254740991), "-INT64_C(9007199254740991)");
}

TEST(CText, ArraysWrapAtOneHundredColumns) {
  const std::vector<std::int32_t> values(100, -123456);
  const std::string text = c_array("int32_t", "numbers", std::span(values));
  EXPECT_TRUE(text.starts_with("static const int32_t numbers[100] = {\n    -123456, -123456,"));
  EXPECT_TRUE(text.ends_with("-123456};\n\n"));
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    longest = std::max(longest, text.find('\n', at) - at);
  }
  EXPECT_LE(longest, 100u);
  EXPECT_GT(longest, 90u);
}

TEST(CText, FillsInEveryKey) {
  EXPECT_EQ(fill_in("a @X@ b @Y@@X@", {{"X", "1"}, {"Y", "@X@"}}), "a 1 b @X@1");
  testing::expect_error(ErrorKind::internal, "the text of a generated file has an unknown key: Z",
                        [] {
                          fill_in("@Z@", {{"X", "1"}});
                        });
}

}  // namespace
}  // namespace biglittle
