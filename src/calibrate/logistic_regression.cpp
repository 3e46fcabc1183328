// SPDX-License-Identifier: MIT
#include "calibrate/logistic_regression.h"

#include <algorithm>
#include <cmath>

namespace biglittle {
namespace {

constexpr int kMostSteps = 100;
constexpr int kMostHalvings = 40;
// Coefficients belong to features of about unit variance, so this is far below what rounding to
// integers keeps of them.
constexpr double kSmallestStep = 1e-10;
// Keeps the Hessian invertible where all fitted probabilities are 0 or 1.
constexpr double kSmallestPivot = 1e-12;

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

double linear(const LogisticData& data, std::int64_t row, const std::vector<double>& b) {
  double eta = 0.0;
  for (std::int64_t k = row * data.width; k < (row + 1) * data.width; ++k) {
    eta += data.value[at(k)] * b[at(data.column[at(k)])];
  }
  return eta;
}

/// log(1 + exp(x)) without overflow.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double sigmoid(double x) {
  return x >= 0.0 ? 1.0 / (1.0 + std::exp(-x)) : std::exp(x) / (1.0 + std::exp(x));
}

double penalized_loss(const LogisticData& data, std::span<const double> ridge,
                      const std::vector<double>& b) {
  double loss = 0.0;
  for (std::size_t j = 0; j < b.size(); ++j) loss += 0.5 * ridge[j] * b[j] * b[j];
  for (std::int64_t row = 0; row < data.rows(); ++row) {
    const double eta = linear(data, row, b);
    loss += softplus(data.event[at(row)] ? -eta : eta);
  }
  return loss;
}

/// Of the penalized loss: the negative gradient [columns] and the Hessian [columns, columns], of
/// which the lower triangle is filled.
struct Quadratic {
  std::vector<double> descent;
  std::vector<double> hessian;
};

Quadratic quadratic_at(const LogisticData& data, std::span<const double> ridge,
                       const std::vector<double>& b) {
  const std::size_t n = b.size();
  Quadratic q{std::vector<double>(n), std::vector<double>(n * n, 0.0)};
  for (std::size_t j = 0; j < n; ++j) {
    q.descent[j] = -ridge[j] * b[j];
    q.hessian[j * n + j] = ridge[j];
  }
  for (std::int64_t row = 0; row < data.rows(); ++row) {
    const double p = sigmoid(linear(data, row, b));
    const double residual = (data.event[at(row)] ? 1.0 : 0.0) - p;
    const double weight = p * (1.0 - p);
    const std::int64_t end = (row + 1) * data.width;
    for (std::int64_t k = row * data.width; k < end; ++k) {
      const std::size_t j = at(data.column[at(k)]);
      q.descent[j] += residual * data.value[at(k)];
      for (std::int64_t l = row * data.width; l < end; ++l) {
        const std::size_t i = at(data.column[at(l)]);
        if (i <= j) q.hessian[j * n + i] += weight * data.value[at(k)] * data.value[at(l)];
      }
    }
  }
  return q;
}

/// Solves hessian x = descent by Cholesky's decomposition, in place.
std::vector<double> newton_step(Quadratic q) {
  const std::size_t n = q.descent.size();
  std::vector<double>& l = q.hessian;
  std::vector<double>& x = q.descent;
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) l[i * n + j] -= l[i * n + k] * l[j * n + k];
      if (i == j) l[j * n + j] = std::sqrt(std::max(l[j * n + j], kSmallestPivot));
      if (i > j) l[i * n + j] /= l[j * n + j];
    }
  }
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < j; ++k) x[j] -= l[j * n + k] * x[k];
    x[j] /= l[j * n + j];
  }
  for (std::size_t j = n; j-- > 0;) {
    for (std::size_t k = j + 1; k < n; ++k) x[j] -= l[k * n + j] * x[k];
    x[j] /= l[j * n + j];
  }
  return x;
}

std::vector<double> moved(const std::vector<double>& b, const std::vector<double>& step,
                          double length) {
  std::vector<double> result(b);
  for (std::size_t j = 0; j < b.size(); ++j) result[j] += length * step[j];
  return result;
}

}  // namespace

std::vector<double> fit_logistic(const LogisticData& data, std::span<const double> ridge) {
  std::vector<double> b(at(data.columns), 0.0);
  double loss = penalized_loss(data, ridge, b);
  for (int iteration = 0; iteration < kMostSteps; ++iteration) {
    const std::vector<double> step = newton_step(quadratic_at(data, ridge, b));
    double length = 1.0;
    std::vector<double> next = moved(b, step, length);
    double next_loss = penalized_loss(data, ridge, next);
    for (int halving = 0; halving < kMostHalvings && !(next_loss <= loss); ++halving) {
      length *= 0.5;
      next = moved(b, step, length);
      next_loss = penalized_loss(data, ridge, next);
    }
    if (!(next_loss <= loss)) return b;  // no step helps: as exact as doubles allow
    b = std::move(next);
    loss = next_loss;
    const double largest =
        std::abs(*std::ranges::max_element(step, {}, [](double s) { return std::abs(s); }));
    if (length * largest < kSmallestStep) return b;
  }
  return b;
}

Spread spread_of(std::span<const double> values) {
  if (values.empty()) return {};
  // Measured from the first value, so that equal values leave exactly nothing.
  const double origin = values.front();
  const auto n = static_cast<double>(values.size());
  double mean = 0.0;
  for (const double value : values) mean += (value - origin) / n;
  double variance = 0.0;
  for (const double value : values) {
    variance += (value - origin - mean) * (value - origin - mean) / n;
  }
  return {origin + mean, std::sqrt(variance)};
}

}  // namespace biglittle
