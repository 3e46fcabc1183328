// SPDX-License-Identifier: MIT
#include "bundle/svg.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "bundle/markup.h"

namespace biglittle {
namespace {

/// A coordinate to a hundredth, as short as it can be written: 12.5, 3, -0.25.
std::string number(double value) {
  const double rounded = std::round(value * 100.0) / 100.0;
  return fmt::format("{:.10g}", rounded == 0.0 ? 0.0 : rounded);
}

std::string points_text(std::span<const Point> points) {
  std::string text;
  for (const Point& point : points) {
    if (!text.empty()) text += ' ';
    text += number(point.x) + ',' + number(point.y);
  }
  return text;
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int wanted) {
  const double rough = (high - low) / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10.0 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1.0 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  for (double index = std::ceil(low / step - 1e-9); index * step <= high + 1e-9 * step; ++index) {
    ticks.push_back(index * step);
  }
  return ticks;
}

Svg::Svg(double width, double height, std::string_view id, std::string_view title,
         std::string_view description)
    : width_(width), height_(height), id_(id), title_(title), description_(description) {}

void Svg::line(Point from, Point to, std::string_view style) {
  shapes_ += fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", style,
                         number(from.x), number(from.y), number(to.x), number(to.y));
}

void Svg::rectangle(Point corner, double width, double height, std::string_view style) {
  shapes_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                         style, number(corner.x), number(corner.y), number(width), number(height));
}

void Svg::circle(Point centre, double radius, std::string_view style) {
  shapes_ += fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n", style,
                         number(centre.x), number(centre.y), number(radius));
}

void Svg::polyline(std::span<const Point> points, std::string_view style) {
  shapes_ += fmt::format("<polyline class=\"{}\" points=\"{}\"/>\n", style, points_text(points));
}

void Svg::polygon(std::span<const Point> points, std::string_view style) {
  shapes_ += fmt::format("<polygon class=\"{}\" points=\"{}\"/>\n", style, points_text(points));
}

void Svg::text(Point at, Anchor anchor, std::string_view text, std::string_view style) {
  static constexpr std::array<std::string_view, 3> anchors = {"start", "middle", "end"};
  shapes_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n",
                         style, number(at.x), number(at.y),
                         anchors[static_cast<std::size_t>(anchor)], escape_markup(text));
}

std::string Svg::finish(std::string_view style) const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-labelledby=\"{}-title {}-desc\">\n<title id=\"{}-title\">{}</title>\n"
      "<desc id=\"{}-desc\">{}</desc>\n{}</svg>\n",
      style, number(width_), number(height_), id_, id_, id_, escape_markup(title_), id_,
      escape_markup(description_), shapes_);
}

}  // namespace biglittle
