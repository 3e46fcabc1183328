// SPDX-License-Identifier: MIT
#include "calibrate/reliability.h"

#include <algorithm>
#include <cmath>

namespace biglittle {
namespace {

std::size_t as_size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::span<const std::int32_t> row_of(const Answers& answers, std::int64_t row,
                                     std::int64_t classes) {
  return std::span(answers.accumulators).subspan(as_size(row * classes), as_size(classes));
}

std::size_t truth_of(const Answers& answers, std::int64_t row, const PriorityMap& map) {
  return as_size(map.little_of_big[as_size(answers.truth[as_size(row)])]);
}

/// softmax(unit * accumulators), the largest term exp(0), and the sum of those terms.
struct Softmax {
  Softmax(std::span<const std::int32_t> accumulators, double unit) : terms(accumulators.size()) {
    const std::int32_t largest = *std::max_element(accumulators.begin(), accumulators.end());
    for (std::size_t c = 0; c < terms.size(); ++c) {
      const std::int64_t below = std::int64_t{accumulators[c]} - largest;
      terms[c] = std::exp(unit * static_cast<double>(below));
      sum += terms[c];
    }
  }
  std::vector<double> terms;
  double sum = 0.0;
};

/// Derivative of the summed loss by 1 / T: sum of E[logit] - logit[truth].
double slope(const Answers& answers, const PriorityMap& map, double logit_scale,
             double temperature) {
  double total = 0.0;
  for (std::int64_t row = 0; row < answers.count(); ++row) {
    const auto accumulators = row_of(answers, row, map.classes());
    const Softmax softmax(accumulators, logit_scale / temperature);
    const std::int32_t truth = accumulators[truth_of(answers, row, map)];
    double expected = 0.0;
    for (std::size_t c = 0; c < accumulators.size(); ++c) {
      const std::int64_t above = std::int64_t{accumulators[c]} - truth;
      expected += softmax.terms[c] * static_cast<double>(above);
    }
    total += expected / softmax.sum;
  }
  return total;
}

std::size_t bin_of(double probability) {
  const auto index = static_cast<std::size_t>(probability * double{kReliabilityBins});
  return std::min(index, kReliabilityBins - 1);
}

}  // namespace

double fit_temperature(const Answers& answers, const PriorityMap& map, double logit_scale) {
  // The slope by 1 / T rises with 1 / T: above 0, the best T is larger.
  double low = std::log(kLowestTemperature);
  double high = std::log(kHighestTemperature);
  while (high - low > 1e-9) {
    const double middle = (low + high) / 2.0;
    (slope(answers, map, logit_scale, std::exp(middle)) > 0.0 ? low : high) = middle;
  }
  return std::exp((low + high) / 2.0);
}

Reliability measure_reliability(const Answers& answers, const PriorityMap& map, double logit_scale,
                                double temperature) {
  Reliability result;
  const double unit = logit_scale / temperature;
  for (std::int64_t row = 0; row < answers.count(); ++row) {
    const auto accumulators = row_of(answers, row, map.classes());
    const Softmax softmax(accumulators, unit);
    const auto top = static_cast<std::size_t>(
        std::max_element(accumulators.begin(), accumulators.end()) - accumulators.begin());
    const std::size_t truth = truth_of(answers, row, map);
    ReliabilityBin& bin = result.bins[bin_of(1.0 / softmax.sum)];
    ++bin.count;
    bin.confidence += 1.0 / softmax.sum;
    bin.accuracy += top == truth ? 1.0 : 0.0;
    const std::int64_t below = std::int64_t{accumulators[truth]} - accumulators[top];
    result.log_loss += std::log(softmax.sum) - unit * static_cast<double>(below);
  }
  const auto n = static_cast<double>(std::max<std::int64_t>(answers.count(), 1));
  for (ReliabilityBin& bin : result.bins) {
    if (bin.count == 0) continue;
    result.expected_error += std::abs(bin.confidence - bin.accuracy) / n;
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
  }
  result.log_loss /= n;
  return result;
}

TemperatureReport temperature_report(const Answers& tune, const Answers& test,
                                     const PriorityMap& map, double logit_scale) {
  TemperatureReport report;
  report.temperature = fit_temperature(tune, map, logit_scale);
  report.fitted_on = tune.count();
  report.n = test.count();
  report.before = measure_reliability(test, map, logit_scale, 1.0);
  report.after = measure_reliability(test, map, logit_scale, report.temperature);
  return report;
}

}  // namespace biglittle
