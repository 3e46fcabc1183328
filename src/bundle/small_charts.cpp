// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "bundle/report_charts.h"
#include "bundle/svg.h"
#include "core/text.h"

namespace biglittle {
namespace {

constexpr double kSize = 300.0;  // side of the square in which accuracy meets confidence
constexpr double kLeft = 40.0;
constexpr double kTop = 26.0;
constexpr double kCountsTop = 350.0;  // the strip of counts below it
constexpr double kCountsHeight = 44.0;

void draw_axes(Svg& svg, const Scale& x, const Scale& y) {
  for (const double value : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg.line({x(0.0), y(value)}, {x(1.0), y(value)}, "grid");
    svg.text({x(0.0) - 8.0, y(value) + 4.0}, Anchor::end, fmt::format("{:.0f}", 100.0 * value),
             "tick");
    svg.text({x(value), kCountsTop + kCountsHeight + 18.0}, Anchor::middle,
             fmt::format("{:.0f}", 100.0 * value), "tick");
  }
  svg.line({x(0.0), y(0.0)}, {x(1.0), y(0.0)}, "axis");
  svg.line({x(0.0), kCountsTop + kCountsHeight}, {x(1.0), kCountsTop + kCountsHeight}, "axis");
  svg.text({2.0, 14.0}, Anchor::start, "right answers, %", "axis-name");
  svg.text({x(1.0), kCountsTop + kCountsHeight + 36.0}, Anchor::end, "confidence, %", "axis-name");
}

void draw_bin(Svg& svg, const Scale& x, const Scale& y, const ReliabilityBin& bin,
              std::size_t index) {
  constexpr auto kBins = static_cast<double>(kReliabilityBins);
  const double left = x(static_cast<double>(index) / kBins) + 1.0;
  const double width = x(1.0 / kBins) - x(0.0) - 2.0;
  svg.rectangle({left, y(bin.accuracy)}, width, y(0.0) - y(bin.accuracy), "bar device");
  const double wanted = y(bin.confidence);
  svg.line({left, wanted}, {left + width, wanted}, "confidence");
}

std::string describe(const Reliability& reliability) {
  std::string text = fmt::format("Expected calibration error {:.4f}. ", reliability.expected_error);
  for (std::size_t i = 0; i < reliability.bins.size(); ++i) {
    const ReliabilityBin& bin = reliability.bins[i];
    if (bin.count == 0) continue;
    text += fmt::format("{} samples at mean confidence {:.1f} %: {:.1f} % right. ",
                        with_thousands(bin.count), 100.0 * bin.confidence, 100.0 * bin.accuracy);
  }
  return text;
}

/// A drawing that stretches to its table cell; lengths across are in percent.
std::string stretched(const std::string& shapes, std::string_view style) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{}\" viewBox=\"0 0 100 12\" "
      "preserveAspectRatio=\"none\" aria-hidden=\"true\">{}</svg>",
      style, shapes);
}

/// The parts side by side.
std::string blocks(std::span<const Part> parts) {
  std::string shapes;
  double left = 0.0;
  for (const Part& part : parts) {
    const double width = 100.0 * part.share;
    shapes +=
        fmt::format("<rect class=\"bar {}\" x=\"{:.2f}\" y=\"1\" width=\"{:.2f}\" height=\"10\"/>",
                    part.role, left, width);
    left += width;
  }
  return shapes;
}

}  // namespace

std::string reliability_chart(const Reliability& reliability, std::string_view what,
                              std::string_view id) {
  const Scale x{0.0, 1.0, kLeft, kLeft + kSize};
  const Scale y{0.0, 1.0, kTop + kSize, kTop};
  Svg svg(kLeft + kSize + 12.0, kCountsTop + kCountsHeight + 42.0, id, what, describe(reliability));
  draw_axes(svg, x, y);
  std::int64_t most = 1;
  for (const ReliabilityBin& bin : reliability.bins) most = std::max(most, bin.count);
  for (std::size_t i = 0; i < reliability.bins.size(); ++i) {
    const ReliabilityBin& bin = reliability.bins[i];
    if (bin.count == 0) continue;
    draw_bin(svg, x, y, bin, i);
    const double height =
        kCountsHeight * static_cast<double>(bin.count) / static_cast<double>(most);
    const double left = x(static_cast<double>(i) / static_cast<double>(kReliabilityBins)) + 1.0;
    svg.rectangle({left, kCountsTop + kCountsHeight - height}, kSize / 15.0 - 2.0, height,
                  "bar count");
  }
  svg.line({x(0.0), y(0.0)}, {x(1.0), y(1.0)}, "reference");
  svg.text({x(0.03), y(0.93)}, Anchor::start,
           fmt::format("error {:.2f} %", 100.0 * reliability.expected_error), "label strong");
  svg.text({x(0.03), kCountsTop + 12.0}, Anchor::start, "samples in each bin", "label muted");
  return svg.finish("chart small");
}

std::string share_bar(const Rate& rate, std::span<const Part> parts) {
  std::string shapes = "<rect class=\"track\" x=\"0\" y=\"1\" width=\"100\" height=\"10\"/>";
  shapes += blocks(parts);
  if (rate.n > 0) {
    shapes += fmt::format("<line class=\"whisker\" x1=\"{:.2f}\" x2=\"{:.2f}\" y1=\"6\" y2=\"6\"/>",
                          100.0 * rate.low, 100.0 * rate.high);
  }
  return stretched(shapes, "strip share");
}

std::string parts_bar(std::span<const Part> parts) { return stretched(blocks(parts), "strip"); }

}  // namespace biglittle
