// SPDX-License-Identifier: MIT
#pragma once

// Whether the int8 network's probabilities mean what they say, before and after its logits are
// divided by one temperature. For reading only: the escalation rule needs no probabilities.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "calibrate/scores.h"

namespace biglittle {

/// The samples whose top probability lies in [index / 15, (index + 1) / 15); 1 is in the last bin.
struct ReliabilityBin {
  std::int64_t count = 0;
  double confidence = 0.0;  ///< mean top probability; 0 where the bin is empty
  double accuracy = 0.0;    ///< share of right answers, over little classes; 0 where empty
};
inline constexpr std::size_t kReliabilityBins = 15;

struct Reliability {
  std::array<ReliabilityBin, kReliabilityBins> bins;
  double expected_error = 0.0;  ///< sum over bins of count / n |confidence - accuracy| (ECE; Naeini
                                ///< et al. 2015)
  double log_loss = 0.0;        ///< mean -ln p(truth), in nats (NLL)
};

struct TemperatureReport {
  double temperature = 1.0;    ///< fitted on tune
  std::int64_t fitted_on = 0;  ///< tune samples
  std::int64_t n = 0;          ///< test samples
  Reliability before;          ///< on test, temperature 1
  Reliability after;           ///< on test
};

/// Range in which a temperature is sought. Where every tune answer is right, or none better than
/// chance, the best one is infinitely small or large; the nearest limit is returned.
inline constexpr double kLowestTemperature = 1e-3;
inline constexpr double kHighestTemperature = 1e3;

/// The temperature T that minimizes the mean -ln softmax(logits / T)[truth] over little classes
/// (Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", 2017, section 4.2),
/// logits = logit_scale * accumulators. The loss is convex in 1 / T; its root is found by bisection
/// of ln T to 1e-9.
double fit_temperature(const Answers& answers, const PriorityMap& map, double logit_scale);

/// Bins and losses of softmax(logits / temperature) on `answers`.
Reliability measure_reliability(const Answers& answers, const PriorityMap& map, double logit_scale,
                                double temperature);

TemperatureReport temperature_report(const Answers& tune, const Answers& test,
                                     const PriorityMap& map, double logit_scale);

}  // namespace biglittle
