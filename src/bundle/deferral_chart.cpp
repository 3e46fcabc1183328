// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bundle/report_charts.h"
#include "bundle/svg.h"
#include "core/text.h"

namespace biglittle {
namespace {

constexpr double kFirstRow = 36.0;  // baselines of the call-outs above the plot
constexpr double kSecondRow = 53.0;

struct Frame {
  double width;
  double height;
  double left;
  double right;
  double top;
  double bottom;
};

Frame frame_of(ChartWidth width) {
  if (width == ChartWidth::narrow) return {360.0, 360.0, 44.0, 348.0, 64.0, 312.0};
  return {880.0, 450.0, 56.0, 864.0, 64.0, 402.0};
}

struct Range {
  double low;
  double high;
};

Range escalations(const DeferralCurve& curve) {
  const double fewest = std::min(curve.points.back().escalation, curve.always_little.escalation);
  return {std::max(0.0, std::floor(fewest * 20.0 - 0.2) / 20.0), 1.0};
}

Range accuracies(const DeferralCurve& curve, std::optional<double> floor) {
  Range range{curve.always_little.accuracy, curve.always_big.accuracy};
  if (range.low > range.high) std::swap(range.low, range.high);
  if (floor) range.low = std::min(range.low, *floor);
  for (const CurvePoint& point : curve.points) {
    range.low = std::min(range.low, point.low);
    range.high = std::max(range.high, point.high);
  }
  const double room = std::max(0.08 * (range.high - range.low), 1e-4);
  return {std::max(0.0, range.low - room), std::min(1.0, range.high + room)};
}

/// A tick's number with as many decimals as its step needs.
std::string tick_text(double value, double step) {
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step * 100.0) - 1e-9)));
  return fmt::format("{:.{}f}", value * 100.0 + 0.0, decimals);  // no "-0"
}

/// The parts of one chart, drawn from back to front.
class DeferralChart {
 public:
  DeferralChart(const DeferralCurve& curve, std::optional<double> floor, ChartWidth width,
                std::string_view id)
      : curve_(curve),
        width_(width),
        frame_(frame_of(width)),
        escalations_(escalations(curve)),
        accuracies_(accuracies(curve, floor)),
        x_{escalations_.low, escalations_.high, frame_.left, frame_.right},
        y_{accuracies_.low, accuracies_.high, frame_.bottom, frame_.top},
        svg_(frame_.width, frame_.height, id, "Accuracy of the system against the share escalated",
             description(curve)) {
    draw_grid();
    draw_random();
    draw_band();
    if (floor) draw_floor(*floor);
    draw_curve();
    draw_ends();
    draw_call_outs();
  }

  std::string finish() const {
    return svg_.finish(width_ == ChartWidth::narrow ? "chart only-narrow" : "chart only-wide");
  }

 private:
  static std::string description(const DeferralCurve& curve) {
    const CurvePoint& chosen = curve.at(curve.chosen_step);
    std::string text = fmt::format(
        "Escalating everything reaches {}. The {} rule escalates {} and reaches {} (band {} to "
        "{}). ",
        format_percent(curve.always_big.accuracy),
        curve.chosen_step < 0 ? "uncertified" : "certified", format_percent(chosen.escalation),
        format_percent(chosen.accuracy), format_percent(chosen.low), format_percent(chosen.high));
    if (curve.oracle_step >= 0) {
      text += fmt::format("The oracle would escalate {}. ",
                          format_percent(curve.at(curve.oracle_step).escalation));
    }
    return text + fmt::format("Escalating only what the device may not answer, {}, reaches {}.",
                              format_percent(curve.always_little.escalation),
                              format_percent(curve.always_little.accuracy));
  }

  Point at(double escalation, double accuracy) const { return {x_(escalation), y_(accuracy)}; }

  void draw_grid() {
    const std::vector<double> rows = nice_ticks(accuracies_.low, accuracies_.high, 5);
    const double step = rows.size() > 1 ? rows[1] - rows[0] : 1.0;
    for (const double value : rows) {
      svg_.line({frame_.left, y_(value)}, {frame_.right, y_(value)}, "grid");
      svg_.text({frame_.left - 8.0, y_(value) + 4.0}, Anchor::end, tick_text(value, step), "tick");
    }
    const int wanted = width_ == ChartWidth::narrow ? 4 : 8;
    const std::vector<double> columns = nice_ticks(escalations_.low, escalations_.high, wanted);
    const double width = columns.size() > 1 ? columns[1] - columns[0] : 1.0;
    for (const double value : columns) {
      svg_.line({x_(value), frame_.bottom}, {x_(value), frame_.bottom + 4.0}, "axis");
      svg_.text({x_(value), frame_.bottom + 19.0}, Anchor::middle, tick_text(value, width), "tick");
    }
    svg_.line({frame_.left, frame_.bottom}, {frame_.right, frame_.bottom}, "axis");
    svg_.text({frame_.right, frame_.bottom + 38.0}, Anchor::end,
              "sent to the big network, % of inputs", "axis-name");
    svg_.text({4.0, 16.0}, Anchor::start, "accuracy of the system, %", "axis-name");
  }

  void draw_random() {
    const Point little = at(curve_.always_little.escalation, curve_.always_little.accuracy);
    const Point big = at(1.0, curve_.always_big.accuracy);
    svg_.line(little, big, "reference");
    const double along = width_ == ChartWidth::narrow ? 0.42 : 0.35;
    svg_.text(
        {little.x + along * (big.x - little.x) + 6.0, little.y + along * (big.y - little.y) + 20.0},
        Anchor::start, "escalating at random", "label muted");
  }

  void draw_band() {
    std::vector<Point> outline;
    for (const CurvePoint& point : curve_.points)
      outline.push_back(at(point.escalation, point.high));
    for (auto point = curve_.points.rbegin(); point != curve_.points.rend(); ++point) {
      outline.push_back(at(point->escalation, point->low));
    }
    svg_.polygon(outline, "band");
  }

  void draw_floor(double floor) {
    svg_.line({frame_.left, y_(floor)}, {frame_.right, y_(floor)}, "floor");
    svg_.text({frame_.right, y_(floor) + 15.0}, Anchor::end,
              fmt::format("asked: at least {:.2f} %", 100.0 * floor), "label muted");
  }

  void draw_curve() {
    std::vector<Point> points;
    for (const CurvePoint& point : curve_.points)
      points.push_back(at(point.escalation, point.accuracy));
    svg_.polyline(points, "curve");
  }

  void draw_ends() {
    const Point big = at(1.0, curve_.always_big.accuracy);
    svg_.circle(big, 4.0, "end");
    svg_.text({frame_.right, big.y - 12.0}, Anchor::end, "always big", "label");
    const Point little = at(curve_.always_little.escalation, curve_.always_little.accuracy);
    svg_.circle(little, 4.0, "end");
    svg_.text({little.x + 8.0, little.y + 18.0}, Anchor::start, "always little", "label");
  }

  /// What is said above the plot about a point, with a thin line down to it.
  struct CallOut {
    const CurvePoint* point;
    std::string_view what;
    std::string_view text_style;
    std::string_view point_style;
  };

  void draw(const CallOut& call_out, double row, Anchor anchor) {
    const Point spot = at(call_out.point->escalation, call_out.point->accuracy);
    const double side = anchor == Anchor::end ? -6.0 : 6.0;
    svg_.line({spot.x, row - 10.0}, spot, "leader");
    svg_.text({spot.x + side, row}, anchor,
              fmt::format("{}: {:.2f} % at {:.1f} %", call_out.what,
                          100.0 * call_out.point->accuracy, 100.0 * call_out.point->escalation),
              fmt::format("label {}", call_out.text_style));
    svg_.circle(spot, 5.5, call_out.point_style);
  }

  /// The certified step and the oracle's. Both texts run the same way, away from the nearer edge;
  /// the point they run from first is in the upper row, so that no text crosses a line.
  void draw_call_outs() {
    std::vector<CallOut> call_outs;
    if (curve_.oracle_step >= 0 && curve_.oracle_step != curve_.chosen_step) {
      call_outs.push_back({&curve_.at(curve_.oracle_step), "oracle", "oracle", "oracle-point"});
    }
    if (curve_.chosen_step >= 0) {
      call_outs.push_back(
          {&curve_.at(curve_.chosen_step), "certified", "device-text", "chosen-point"});
    }
    if (call_outs.empty()) return;
    const double middle = (escalations_.low + escalations_.high) / 2.0;
    const bool to_the_left = call_outs.back().point->escalation > middle;
    std::ranges::stable_sort(call_outs, [&](const CallOut& a, const CallOut& b) {
      return (a.point->escalation > b.point->escalation) == to_the_left &&
             a.point->escalation != b.point->escalation;
    });
    double row = call_outs.size() == 1 ? kSecondRow : kFirstRow;
    for (const CallOut& call_out : call_outs) {
      draw(call_out, row, to_the_left ? Anchor::end : Anchor::start);
      row = kSecondRow;
    }
  }

  const DeferralCurve& curve_;
  ChartWidth width_;
  Frame frame_;
  Range escalations_;
  Range accuracies_;
  Scale x_;
  Scale y_;
  Svg svg_;
};

}  // namespace

std::string deferral_chart(const DeferralCurve& curve, std::optional<double> net_loss_bound,
                           ChartWidth width, std::string_view id) {
  std::optional<double> floor;
  if (net_loss_bound) floor = curve.always_big.accuracy - *net_loss_bound;
  return DeferralChart(curve, floor, width, id).finish();
}

}  // namespace biglittle
