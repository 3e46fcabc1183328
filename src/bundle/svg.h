// SPDX-License-Identifier: MIT
#pragma once

// Drawings as SVG text to stand inside an HTML page: shapes carry class names, the page's style
// sheet gives them colours, so that one drawing serves light, dark and print.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

struct Point {
  double x = 0.0;
  double y = 0.0;
};

/// Maps [low, high] of the data linearly to [to_low, to_high] of the drawing.
struct Scale {
  double low = 0.0;
  double high = 1.0;
  double to_low = 0.0;
  double to_high = 1.0;

  double operator()(double value) const {
    return to_low + (value - low) / (high - low) * (to_high - to_low);
  }
};

/// Multiples of 1, 2 or 5 times a power of ten inside [low, high], about `wanted` of them. low <
/// high.
std::vector<double> nice_ticks(double low, double high, int wanted);

enum class Anchor { start, middle, end };

/// One drawing. `style` is always one or more CSS class names; text is escaped. Coordinates are
/// written to a hundredth.
class Svg {
 public:
  /// `id` is unique on the page; title and description are what a screen reader says.
  Svg(double width, double height, std::string_view id, std::string_view title,
      std::string_view description);

  void line(Point from, Point to, std::string_view style);
  void rectangle(Point corner, double width, double height, std::string_view style);
  void circle(Point centre, double radius, std::string_view style);
  void polyline(std::span<const Point> points, std::string_view style);
  void polygon(std::span<const Point> points, std::string_view style);
  void text(Point at, Anchor anchor, std::string_view text, std::string_view style);

  /// The whole element; `style` is its class.
  std::string finish(std::string_view style) const;

 private:
  double width_;
  double height_;
  std::string id_;
  std::string title_;
  std::string description_;
  std::string shapes_;
};

}  // namespace biglittle
