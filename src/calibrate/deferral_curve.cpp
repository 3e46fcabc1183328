// SPDX-License-Identifier: MIT
#include "calibrate/deferral_curve.h"

#include <numeric>
#include <span>

#include "calibrate/risk_curves.h"
#include "calibrate/simultaneous_band.h"

namespace biglittle {
namespace {

std::size_t as_size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::vector<SampleAlongPath> along_path(const Scores& test,
                                        std::span<const std::int64_t> first_step,
                                        const EscalationPolicy& policy, const PriorityMap& map) {
  std::vector<SampleAlongPath> samples;
  samples.reserve(first_step.size());
  for (std::int64_t row = 0; row < test.count(); ++row) {
    const Verdict verdict = judge(test, row, map, policy.other);
    samples.push_back({first_step[as_size(row)], !verdict.big_wrong, !verdict.little_wrong});
  }
  return samples;
}

std::vector<CurvePoint> points_of(std::span<const SampleAlongPath> samples, std::int64_t steps) {
  std::vector<CurvePoint> points(as_size(steps) + 1);
  points[0].escalated = static_cast<std::int64_t>(samples.size());
  for (const SampleAlongPath& sample : samples) {
    points[0].right += sample.before;
    if (sample.first_local_step >= steps) continue;
    CurvePoint& changed = points[as_size(sample.first_local_step) + 1];
    --changed.escalated;
    changed.right += int{sample.after} - int{sample.before};
  }
  for (std::size_t i = 1; i < points.size(); ++i) {
    points[i].step = static_cast<std::int64_t>(i) - 1;
    points[i].escalated += points[i - 1].escalated;
    points[i].right += points[i - 1].right;
  }
  return points;
}

void add_rates(std::vector<CurvePoint>& points, const Band& band, std::int64_t n) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].escalation = static_cast<double>(points[i].escalated) / static_cast<double>(n);
    points[i].accuracy = static_cast<double>(points[i].right) / static_cast<double>(n);
    points[i].low = band.low[i];
    points[i].high = band.high[i];
  }
}

/// The device answers whatever it may: every input it names a priority class for, and in filter
/// mode every input.
ReferencePoint always_little(const Scores& test, std::span<const SampleAlongPath> samples,
                             const EscalationPolicy& policy, const PriorityMap& map) {
  double escalated = 0.0;
  double right = 0.0;
  for (std::size_t row = 0; row < samples.size(); ++row) {
    const bool may_answer =
        policy.other == OtherMode::answer || test.little_class[row] < map.priorities();
    escalated += may_answer ? 0.0 : 1.0;
    right += may_answer ? samples[row].after : samples[row].before;
  }
  const auto n = static_cast<double>(samples.size());
  return {escalated / n, right / n};
}

std::int64_t oracle_step(const Scores& test, const EscalationPolicy& policy,
                         const PriorityMap& map) {
  const Certificate& certificate = policy.certificate;
  if (certificate.risks.empty()) return -1;
  CalibrateOptions options = options_of(certificate, "certificate");
  options.other = policy.other;
  const RiskCurves curves(test, certificate.path, map, certificate.big_classes, options,
                          certificate.field_shares);
  std::vector<std::int64_t> rows(test.truth.size());
  std::iota(rows.begin(), rows.end(), 0);
  return curves.last_kept_step(curves.count(rows));
}

}  // namespace

DeferralCurve deferral_curve(const Scores& test, const EscalationPolicy& policy,
                             const PriorityMap& map) {
  const Certificate& certificate = policy.certificate;
  const std::vector<std::int64_t> first_step = first_local_step(test, certificate.path);
  const std::vector<SampleAlongPath> samples = along_path(test, first_step, policy, map);
  const std::int64_t steps = certificate.path.count();
  BandOptions options;
  options.seed = static_cast<std::uint64_t>(certificate.seed);
  const Band band = simultaneous_band(samples, steps, options);

  DeferralCurve curve;
  curve.n = test.count();
  curve.points = points_of(samples, steps);
  add_rates(curve.points, band, curve.n);
  curve.band_level = options.level;
  curve.band_critical = band.critical;
  curve.band_resamples = options.resamples;
  curve.chosen_step = certificate.step;
  curve.oracle_step = oracle_step(test, policy, map);
  const std::int64_t fewest = curve.at(curve.oracle_step).escalated;
  if (fewest > 0) {
    curve.over_oracle =
        static_cast<double>(curve.at(curve.chosen_step).escalated) / static_cast<double>(fewest);
  }
  curve.always_big = {1.0, curve.points.front().accuracy};
  curve.always_little = always_little(test, samples, policy, map);
  return curve;
}

}  // namespace biglittle
