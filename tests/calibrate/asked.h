// SPDX-License-Identifier: MIT
#pragma once

// Risks asked of a dozen samples whose events can be counted by eye.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calibrate/risk.h"
#include "calibrate/rows.h"
#include "calibrate/world.h"

namespace biglittle::testing {

/// Asked of one set of samples.
class Asked {
 public:
  Asked(CalibrateOptions options, Scores scores, ThresholdPath path, double level = 0.05)
      : options_(std::move(options)),
        scores_(std::move(scores)),
        context_{map_, world_classes(), options_.other, level, 1},
        risks_(asked_risks(options_, context_, scores_, scores_, path)) {}

  RiskResult at(std::string_view name, std::int64_t step) const {
    for (const auto& risk : risks_) {
      if (risk->name() != name) continue;
      const RiskResult result = risk->result(step);
      EXPECT_EQ(result.p_value, risk->p_value(step));
      EXPECT_EQ(result.bound, risk->bound());
      EXPECT_EQ(result.risk, name);
      return result;
    }
    ADD_FAILURE() << name << " was not asked";
    return {};
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& risk : risks_) names.push_back(risk->name());
    return names;
  }

 private:
  PriorityMap map_ = world_map();
  CalibrateOptions options_;
  Scores scores_;
  RiskContext context_;
  std::vector<std::unique_ptr<Risk>> risks_;
};

/// What is counted at one step.
inline void expect_counts(const RiskResult& result, std::int64_t events, std::int64_t n,
                          double p_value) {
  EXPECT_EQ(result.events, events) << result.risk;
  EXPECT_EQ(result.n, n) << result.risk;
  EXPECT_NEAR(result.p_value, p_value, 1e-12) << result.risk;
}

/// Nothing but what is said.
inline CalibrateOptions asking(CalibrateOptions options) {
  options.net_loss = 0.0;
  return options;
}

/// Bag answers stay from 30, then 20, then 10 on, boot answers from 40, then 20, then 5.
inline ThresholdPath three_steps() {
  return {.steps = {{30, 40, kAlwaysEscalate}, {20, 20, kAlwaysEscalate}, {10, 5, kAlwaysEscalate}},
          .local_share = {0.25, 0.5, 0.67}};
}

inline Scores twelve_samples() {
  return scores_of({
      {50, kLittleBag, kBag, kBag},      // right, local from step 0
      {30, kLittleBag, kBag, kShirt},    // both wrong, local from step 0
      {29, kLittleBag, kShirt, kShirt},  // harm, from step 1
      {45, kLittleBoot, kBoot, kBoot},   // right, from step 0
      {39, kLittleBoot, kBag, kBoot},    // only big is wrong, from step 1
      {20, kLittleBoot, kBoot, kBag},    // both wrong, from step 1
      {19, kLittleBag, kBoot, kBoot},    // harm, from step 2
      {9, kLittleBag, kBag, kBag},       // right, but never local
      {5, kLittleBoot, kBoot, kBoot},    // right, from step 2
      {kTieScore, kLittleBag, kBag, kBag},
      {60, kOther, kShirt, kShirt},
      {60, kOther, kBag, kBag},  // not missed: it escalates
  });
}

}  // namespace biglittle::testing
