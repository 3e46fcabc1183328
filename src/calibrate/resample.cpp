// SPDX-License-Identifier: MIT
#include "calibrate/resample.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "calibrate/risk_curves.h"
#include "core/error.h"
#include "core/random.h"

namespace biglittle {
namespace {

/// One calibration set: rows of the pool and those not among them.
struct Draw {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> left_over;
};

Draw make_draw(std::int64_t pool, const ResampleOptions& options, std::int64_t index) {
  Random random(static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(index));
  std::vector<std::int64_t> order(static_cast<std::size_t>(pool));
  std::iota(order.begin(), order.end(), 0);
  if (options.draw == DrawKind::split) {
    random.shuffle(std::span(order));
    const auto cut = order.begin() + static_cast<std::ptrdiff_t>(options.size);
    return {{order.begin(), cut}, {cut, order.end()}};
  }
  Draw draw;
  std::vector<std::uint8_t> taken(order.size(), 0);
  for (std::int64_t i = 0; i < options.size; ++i) {
    const std::uint64_t row = random.below(static_cast<std::uint64_t>(pool));
    draw.rows.push_back(static_cast<std::int64_t>(row));
    taken[row] = 1;
  }
  std::ranges::copy_if(order, std::back_inserter(draw.left_over),
                       [&](std::int64_t row) { return taken[static_cast<std::size_t>(row)] == 0; });
  return draw;
}

/// Counts what happens to one rule, draw by draw.
class Tally {
 public:
  Tally(const RiskCurves& curves, const RiskCurves::Curves& pool)
      : curves_(curves),
        pool_(pool),
        violated_by_risk_(static_cast<std::size_t>(curves.risks()), 0) {}

  /// `left_over` is null when nothing is.
  void add(std::int64_t step, const RiskCurves::Curves* left_over) {
    ++draws_;
    left_over_ += left_over != nullptr;
    escalation_.push_back(step < 0 ? 1.0 : pool_.escalation[static_cast<std::size_t>(step)]);
    if (step < 0) return;
    ++chosen_;
    bool any = false;
    bool any_left_over = false;
    for (std::int64_t risk = 0; risk < curves_.risks(); ++risk) {
      const bool broken = curves_.violates(pool_, risk, step);
      violated_by_risk_[static_cast<std::size_t>(risk)] += broken;
      any = any || broken;
      any_left_over =
          any_left_over || (left_over != nullptr && curves_.violates(*left_over, risk, step));
    }
    violated_ += any;
    violated_left_over_ += any_left_over;
  }

  RuleRecord record(std::int64_t oracle_step, double oracle_escalation) const {
    RuleRecord record;
    record.chosen = make_rate(chosen_, draws_);
    record.violated = make_rate(violated_, draws_);
    for (const std::int64_t count : violated_by_risk_) {
      record.violated_by_risk.push_back(make_rate(count, draws_));
    }
    record.violated_left_over = make_rate(violated_left_over_, left_over_);
    std::vector<double> sorted = escalation_;
    std::ranges::sort(sorted);
    record.lowest_escalation = sorted.front();
    record.highest_escalation = sorted.back();
    record.median_escalation = 0.5 * (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]);
    if (oracle_step >= 0 && oracle_escalation > 0.0) {
      record.oracle_ratio = record.median_escalation / oracle_escalation;
    }
    return record;
  }

 private:
  const RiskCurves& curves_;
  const RiskCurves::Curves& pool_;
  std::int64_t draws_ = 0;
  std::int64_t left_over_ = 0;
  std::int64_t chosen_ = 0;
  std::int64_t violated_ = 0;
  std::int64_t violated_left_over_ = 0;
  std::vector<std::int64_t> violated_by_risk_;
  std::vector<double> escalation_;
};

void check(const ResampleOptions& options, std::int64_t pool) {
  if (options.draws < 1 || options.size < 1) {
    throw Error(ErrorKind::config,
                fmt::format("resample: {} draws of {} samples, expected at least 1 of at least 1",
                            options.draws, options.size));
  }
  if (options.draw == DrawKind::independent || options.size < pool) return;
  throw Error(ErrorKind::config,
              fmt::format("resample: draws of {} samples leave none of the pool's {} over; ask for "
                          "fewer, or for independent draws",
                          options.size, pool));
}

/// The step certified on a draw; -1 where none is, or no certificate can be given.
std::int64_t certified_step(const SearchPlan& plan, const Scores& draw, const PriorityMap& map,
                            const std::vector<std::string>& big_classes,
                            const CalibrateOptions& calibrate) {
  try {
    return certify(plan, draw, map, big_classes, calibrate).certificate.step;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::gate || error.kind() == ErrorKind::bad_data) return -1;
    throw;
  }
}

Json to_json(const RuleRecord& record) {
  Json by_risk = Json::array();
  for (const Rate& rate : record.violated_by_risk) by_risk.push_back(to_json(rate));
  return {{"chosen", to_json(record.chosen)},
          {"violated", to_json(record.violated)},
          {"violated_by_risk", by_risk},
          {"violated_left_over", to_json(record.violated_left_over)},
          {"lowest_escalation", record.lowest_escalation},
          {"median_escalation", record.median_escalation},
          {"highest_escalation", record.highest_escalation},
          {"oracle_ratio", record.oracle_ratio ? Json(*record.oracle_ratio) : Json(nullptr)}};
}

}  // namespace

ResampleReport resample(const SearchPlan& plan, const Scores& pool, const PriorityMap& map,
                        const std::vector<std::string>& big_classes,
                        const CalibrateOptions& calibrate, const ResampleOptions& options) {
  require_consistent(pool, map, "pool");
  check(options, pool.count());
  // What a draw lacks can only be missing by chance when the pool has it.
  asked_risks(calibrate, {map, big_classes, calibrate.other, calibrate.delta, calibrate.seed}, pool,
              pool, plan.path);
  const RiskCurves curves(pool, plan.path, map, big_classes, calibrate, plan.field_shares);
  std::vector<std::int64_t> all(static_cast<std::size_t>(pool.count()));
  std::iota(all.begin(), all.end(), 0);
  const RiskCurves::Curves truth = curves.count(all);

  Tally certified(curves, truth);
  Tally naive(curves, truth);
  for (std::int64_t index = 0; index < options.draws; ++index) {
    const Draw draw = make_draw(pool.count(), options, index);
    std::optional<RiskCurves::Curves> left_over;
    if (!draw.left_over.empty()) left_over = curves.count(draw.left_over);
    const auto* judge_too = left_over ? &*left_over : nullptr;
    const Scores scores = select(pool, draw.rows);
    certified.add(certified_step(plan, scores, map, big_classes, calibrate), judge_too);
    naive.add(curves.last_kept_step(curves.count(draw.rows)), judge_too);
  }

  ResampleReport report;
  report.options = options;
  report.pool = pool.count();
  report.delta = calibrate.delta;
  for (std::int64_t risk = 0; risk < curves.risks(); ++risk) {
    report.risks.push_back(curves.name(risk));
  }
  report.oracle_step = curves.last_kept_step(truth);
  if (report.oracle_step >= 0) {
    report.oracle_escalation = truth.escalation[static_cast<std::size_t>(report.oracle_step)];
  }
  report.steps = plan.path.count();
  for (std::int64_t step = 0; step < report.steps; ++step) {
    report.breaking_steps += curves.violates_any(truth, step);
  }
  report.certified = certified.record(report.oracle_step, report.oracle_escalation);
  report.naive = naive.record(report.oracle_step, report.oracle_escalation);
  return report;
}

bool violates_too_often(const ResampleReport& report) {
  return report.certified.violated.low > report.delta;
}

Json to_json(const ResampleReport& report) {
  return {{"draws", report.options.draws},
          {"size", report.options.size},
          {"draw", name_of(report.options.draw)},
          {"seed", report.options.seed},
          {"pool", report.pool},
          {"delta", report.delta},
          {"risks", report.risks},
          {"oracle_step", report.oracle_step},
          {"oracle_escalation", report.oracle_escalation},
          {"steps", report.steps},
          {"breaking_steps", report.breaking_steps},
          {"certified", to_json(report.certified)},
          {"naive", to_json(report.naive)}};
}

}  // namespace biglittle
