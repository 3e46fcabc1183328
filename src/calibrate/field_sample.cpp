// SPDX-License-Identifier: MIT
#include "calibrate/field_sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "calibrate/tests.h"
#include "core/error.h"
#include "core/random.h"

namespace biglittle {
namespace {

/// Chance that some class runs out before the last draw.
constexpr double kRunsOut = 1e-6;

/// Streams of the seed: one for the classes drawn, one for each class's order.
constexpr std::uint64_t kDrawStream = 0x6669656C64;  // "field"
constexpr std::uint64_t kOrderStream = kDrawStream + 1;

/// Rows of each class, in an order drawn from the seed.
std::vector<std::vector<std::int64_t>> shuffled_rows(const Scores& scores, std::size_t classes,
                                                     std::uint64_t seed) {
  std::vector<std::vector<std::int64_t>> rows(classes);
  for (std::size_t row = 0; row < scores.truth.size(); ++row) {
    rows.at(static_cast<std::size_t>(scores.truth[row])).push_back(static_cast<std::int64_t>(row));
  }
  for (std::size_t c = 0; c < classes; ++c) {
    Random(seed, kOrderStream, c).shuffle(std::span(rows[c]));
  }
  return rows;
}

/// Most draws, up to `limit`, of which more than `count` are of a class with this share with
/// probability at most `chance`.
std::int64_t most_draws(std::int64_t count, double share, double chance, std::int64_t limit) {
  const auto suffices = [&](std::int64_t draws) {
    return draws <= count || binomial_p_value(count, draws, share) >= 1.0 - chance;
  };
  std::int64_t enough = std::min(count, limit);
  std::int64_t too_many = limit + 1;
  while (too_many - enough > 1) {
    const std::int64_t middle = enough + (too_many - enough) / 2;
    (suffices(middle) ? enough : too_many) = middle;
  }
  return enough;
}

/// The number of draws: chosen from counts and shares alone, so that the draws stay independent.
std::int64_t draws_possible(const std::vector<std::vector<std::int64_t>>& rows,
                            std::span<const double> shares, std::int64_t total) {
  const auto drawn = std::ranges::count_if(shares, [](double share) { return share > 0.0; });
  std::int64_t draws = total;
  for (std::size_t c = 0; c < shares.size(); ++c) {
    if (shares[c] <= 0.0) continue;
    draws = std::min(draws, most_draws(std::ssize(rows[c]), std::min(shares[c], 1.0),
                                       kRunsOut / static_cast<double>(drawn), total));
  }
  return draws;
}

/// The class at `position` in [0, 1) when classes lie side by side, each as wide as its share.
std::size_t class_at(double position, std::span<const double> shares) {
  std::size_t last = 0;
  double end = 0.0;
  for (std::size_t c = 0; c < shares.size(); ++c) {
    if (shares[c] <= 0.0) continue;
    last = c;
    end += shares[c];
    if (position < end) break;
  }
  return last;  // also behind the end, which rounding may leave below 1
}

void require_shares(std::span<const double> shares, std::span<const std::string> big_classes) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  const bool negative = std::ranges::any_of(shares, [](double share) { return !(share >= 0.0); });
  if (shares.size() == big_classes.size() && !negative && sum > 1.0 - 1e-6 && sum < 1.0 + 1e-6) {
    return;
  }
  throw Error(ErrorKind::internal,
              fmt::format("field sample: {} shares that sum to {}, expected {} of at least 0 that "
                          "sum to 1",
                          shares.size(), sum, big_classes.size()));
}

}  // namespace

std::vector<std::int64_t> field_sample(const Scores& scores, std::span<const double> shares,
                                       std::int64_t seed, std::span<const std::string> big_classes,
                                       std::string_view name) {
  require_shares(shares, big_classes);
  if (scores.truth.empty()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: the true classes are not known, which a field prior needs; leave "
                            "out calibrate.field_prior",
                            name));
  }
  const auto stream = static_cast<std::uint64_t>(seed);
  const auto rows = shuffled_rows(scores, shares.size(), stream);
  for (std::size_t c = 0; c < shares.size(); ++c) {
    if (shares[c] <= 0.0 || !rows[c].empty()) continue;
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: class '{}' has no sample, but the field has a share of {} of it; "
                            "add samples of it or give it the share 0 in calibrate.field_prior",
                            name, big_classes[c], shares[c]));
  }
  const std::int64_t draws =
      draws_possible(rows, shares, static_cast<std::int64_t>(scores.truth.size()));
  std::vector<std::size_t> used(shares.size(), 0);
  std::vector<std::int64_t> sample;
  Random random(stream, kDrawStream);
  for (std::int64_t draw = 0; draw < draws; ++draw) {
    const std::size_t c = class_at(random.uniform(), shares);
    if (used[c] == rows[c].size()) {
      throw Error(
          ErrorKind::gate,
          fmt::format("{}: class '{}' ran out of its {} samples at draw {} of {} from the "
                      "field's mix, which happens at most once in a million seeds; add samples of "
                      "it",
                      name, big_classes[c], rows[c].size(), draw + 1, draws));
    }
    sample.push_back(rows[c][used[c]++]);
  }
  return sample;
}

}  // namespace biglittle
