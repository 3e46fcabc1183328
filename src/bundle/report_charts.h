// SPDX-License-Identifier: MIT
#pragma once

// The drawings of report.html. Each says in its description what it shows.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "calibrate/evaluate.h"

namespace biglittle {

/// The same drawing for a phone and for a desk: text must not shrink with the screen.
enum class ChartWidth { narrow, wide };

/// Accuracy of the system against the share escalated: the curve with its simultaneous band, the
/// certified step, the oracle's, both ends, random escalation, and where net loss was asked the
/// accuracy that it leaves. `id` is unique on the page.
std::string deferral_chart(const DeferralCurve& curve, std::optional<double> net_loss_bound,
                           ChartWidth width, std::string_view id);

/// Accuracy against confidence in bins, and how many samples each bin holds.
std::string reliability_chart(const Reliability& reliability, std::string_view what,
                              std::string_view id);

/// A part of a bar; `role` is the CSS class that colours it.
struct Part {
  double share = 0.0;
  std::string_view role;
};

/// A bar for a share, itself made of parts, with the whisker of its interval, as wide as the table
/// lets it be. Decoration: the numbers stand beside it.
std::string share_bar(const Rate& rate, std::span<const Part> parts);

/// One bar for parts of a whole, in the order given; decoration likewise.
std::string parts_bar(std::span<const Part> parts);

}  // namespace biglittle
