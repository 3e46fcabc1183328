// SPDX-License-Identifier: MIT
#include "core/json.h"

#include <gtest/gtest.h>

#include <string>

#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;

std::string nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}

TEST(ParseJson, KeepsTheOrderOfKeys) {
  EXPECT_EQ(parse_json(R"({"b": 1, "a": [true, null]})", "x").dump(), R"({"b":1,"a":[true,null]})");
}

TEST(ParseJson, LimitsDepthOnBothSides) {
  EXPECT_NO_THROW(parse_json(nested(64), "x"));
  expect_error(ErrorKind::bad_data, "x: JSON is nested deeper than 64 levels",
               [] { parse_json(nested(65), "x"); });
  expect_error(ErrorKind::bad_data, "x: JSON is nested deeper than 64 levels",
               [] { parse_json(std::string(1'000'000, '['), "x"); });
}

TEST(ParseJson, RefusesAKeyTwiceInOneObjectOnly) {
  EXPECT_NO_THROW(parse_json(R"({"a": {"a": 1}, "b": {"a": 2}, "c": [{"a": 1}, {"a": 1}]})", "x"));
  expect_error(ErrorKind::bad_data, "x: key 'a' appears twice",
               [] { parse_json(R"({"a": {"b": 1}, "a": 2})", "x"); });
  expect_error(ErrorKind::bad_data, "x: key 'b\\n' appears twice",
               [] { parse_json(R"({"a": {"b\n": 1, "b\n": 1}})", "x"); });
}

TEST(ParseJson, SaysWhereTextIsNotJson) {
  expect_error(ErrorKind::bad_data,
               "m.json: parse error at line 2, column 5: syntax error while parsing value - "
               "unexpected '}'; expected '[', '{', or a literal",
               [] { parse_json("{\n\"a\":}", "m.json"); });
  EXPECT_THROW(parse_json("", "x"), Error);
  EXPECT_THROW(parse_json("{} {}", "x"), Error);
  EXPECT_THROW(parse_json("\"\xff\"", "x"), Error);
}

TEST(ParseJson, RefusesTextBehindANul) {
  using namespace std::string_view_literals;
  expect_error(ErrorKind::bad_data, "x: JSON contains a NUL character",
               [] { parse_json("{}\0garbage"sv, "x"); });
}

TEST(ToText, IsIndentedAndRoundTripsNumbers) {
  const Json json = {{"a", 0.1}, {"b", {1, 2}}, {"c", 9007199254740993}};
  const std::string text = to_text(json);
  EXPECT_EQ(text,
            "{\n  \"a\": 0.1,\n  \"b\": [1, 2],\n  \"c\": 9007199254740993\n}\n");
  EXPECT_EQ(parse_json(text, "x"), json);
}

TEST(ToText, KeepsListsOfPlainValuesOnOneLine) {
  const Json json = {{"rows", {{1, "x"}, Json::array()}}, {"none", Json::object()}};
  EXPECT_EQ(to_text(json),
            "{\n  \"rows\": [\n    [1, \"x\"],\n    []\n  ],\n  \"none\": {}\n}\n");
  EXPECT_EQ(to_text(Json(3)), "3\n");
}

TEST(ReadJson, TurnsMissingKeysAndWrongTypesIntoOneLine) {
  const Json json = {{"a", "text"}};
  expect_error(ErrorKind::bad_data, "m.json: key 'b' not found",
               [&] { read_json("m.json", [&] { return json.at("b").get<int>(); }); });
  expect_error(ErrorKind::bad_data, "m.json: type must be number, but is string",
               [&] { read_json("m.json", [&] { return json.at("a").get<int>(); }); });
  EXPECT_EQ(read_json("m.json", [&] { return json.at("a").get<std::string>(); }), "text");
}

}  // namespace
}  // namespace biglittle
