// SPDX-License-Identifier: MIT
#include "bundle/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "bundle/markup.h"

namespace biglittle::testing {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

TEST(NiceTicks, AreRoundNumbersInsideTheRange) {
  const auto near = [](std::vector<double> expected) {
    return Pointwise(DoubleNear(1e-9), std::move(expected));
  };
  EXPECT_THAT(nice_ticks(0.0, 1.0, 5), near({0.0, 0.2, 0.4, 0.6, 0.8, 1.0}));
  EXPECT_THAT(nice_ticks(0.65, 1.0, 8), near({0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0}));
  EXPECT_THAT(nice_ticks(0.9425, 0.962, 4), near({0.945, 0.95, 0.955, 0.96}));
  EXPECT_THAT(nice_ticks(-3.0, 7.0, 2), near({0.0, 5.0}));
}

TEST(Scale, MapsTheRangeLinearlyAlsoDownwards) {
  const Scale down{0.2, 1.2, 300.0, 100.0};
  EXPECT_DOUBLE_EQ(down(0.2), 300.0);
  EXPECT_DOUBLE_EQ(down(1.2), 100.0);
  EXPECT_DOUBLE_EQ(down(0.7), 200.0);
}

TEST(Svg, IsNamedForReadersWhoCannotSeeIt) {
  const std::string text = Svg(10, 20, "curve", "A & B", "1 < 2").finish("chart");
  EXPECT_THAT(text, HasSubstr("viewBox=\"0 0 10 20\" role=\"img\""));
  EXPECT_THAT(text, HasSubstr("aria-labelledby=\"curve-title curve-desc\""));
  EXPECT_THAT(text, HasSubstr("<title id=\"curve-title\">A &amp; B</title>"));
  EXPECT_THAT(text, HasSubstr("<desc id=\"curve-desc\">1 &lt; 2</desc>"));
}

TEST(Svg, WritesShapesWithCoordinatesToAHundredth) {
  Svg svg(10, 10, "s", "t", "d");
  svg.line({0.126, 1.0}, {2.0, -0.001}, "grid");
  svg.rectangle({1, 2}, 3, 4.5, "bar");
  svg.circle({1, 2}, 3, "end");
  const std::array<Point, 2> points = {Point{0, 1.005}, Point{12345.678, 3}};
  svg.polyline(points, "curve");
  svg.text({1, 2}, Anchor::end, "<i>", "label");
  const std::string text = svg.finish("chart");
  EXPECT_THAT(text, HasSubstr("<line class=\"grid\" x1=\"0.13\" y1=\"1\" x2=\"2\" y2=\"0\"/>"));
  EXPECT_THAT(text, HasSubstr("<rect class=\"bar\" x=\"1\" y=\"2\" width=\"3\" height=\"4.5\"/>"));
  EXPECT_THAT(text, HasSubstr("<circle class=\"end\" cx=\"1\" cy=\"2\" r=\"3\"/>"));
  EXPECT_THAT(text, HasSubstr("12345.68,3"));
  EXPECT_THAT(text, HasSubstr("text-anchor=\"end\">&lt;i&gt;</text>"));
}

TEST(EscapeMarkup, LeavesNothingThatCouldBeATagOrEndAnAttribute) {
  EXPECT_EQ(escape_markup("a<b>&\"c\"'d'\n\x01\x7F\xC3\xA9"),
            "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;   \xC3\xA9");
}

TEST(HtmlTable, HasAHeadingForEveryRowAndColumn) {
  const std::string text = html_table(
      "A < B", {{"what", Column::Kind::text}, {"rate"}, {"n", Column::Kind::minor_number}},
      {{{"x", "<b>1</b>", "2"}, "priority"}});
  EXPECT_THAT(text, HasSubstr("<caption>A &lt; B</caption>"));
  EXPECT_THAT(text, HasSubstr("<th scope=\"col\" class=\"text\">what</th>"));
  EXPECT_THAT(text, HasSubstr("<tr class=\"priority\"><th scope=\"row\" class=\"text\">x</th>"
                              "<td class=\"number\"><b>1</b></td>"
                              "<td class=\"number minor\">2</td></tr>"));
  EXPECT_THAT(text, Not(HasSubstr("<span")));
}

}  // namespace
}  // namespace biglittle::testing
