// SPDX-License-Identifier: MIT
#include "calibrate/world.h"

#include <algorithm>
#include <cmath>

namespace biglittle::testing {
namespace {

constexpr double kTiedShare = 0.01;
constexpr double kTop = 0.92;  // where the confidently wrong scores begin
constexpr double kBigErrorBesideRight = 0.002;
constexpr double kBigErrorBesideWrong = 0.1;
/// What big says when it errs, each half of the time: [truth].
constexpr std::int64_t kBigMistakes[kBigClasses][2] = {
    {kCoat, kBag}, {kBoot, kShirt}, {kBag, kShirt}, {kShirt, kBag}};
constexpr std::int64_t kLittleOfBig[kBigClasses] = {kOther, kLittleBag, kLittleBoot, kOther};

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

/// Chance of a mistake at `score`, for one that is made at rate 1 over all scores.
double relative_rate(Shape shape, std::int64_t score) {
  const double x = (static_cast<double>(score) - 0.5) / World::kHighestScore;
  switch (shape) {
    case Shape::well_ordered:
      return 4.0 * std::pow(1.0 - x, 3.0);
    case Shape::flat:
      return 1.0;
    case Shape::confidently_wrong_at_top:
      return x > kTop ? 1.0 / (1.0 - kTop) : 0.0;
  }
  return 0.0;
}

double big_error_rate(std::int64_t truth, std::int64_t answer) {
  return kLittleOfBig[truth] == answer ? kBigErrorBesideRight : kBigErrorBesideWrong;
}

/// Sum over the local inputs of what `value(truth, answer, big)` says of them.
template <typename Value>
double sum(const LocalInputs& inputs, const Value& value) {
  double total = 0.0;
  for (std::int64_t truth = 0; truth < std::ssize(inputs.local); ++truth) {
    for (std::int64_t answer = 0; answer < std::ssize(inputs.local[0]); ++answer) {
      for (std::int64_t big = 0; big < std::ssize(inputs.of_class); ++big) {
        total += inputs.local[at(truth)][at(answer)][at(big)] * value(truth, answer, big);
      }
    }
  }
  return total;
}

bool little_errs(std::int64_t truth, std::int64_t answer) { return kLittleOfBig[truth] != answer; }

/// In filter mode only the little classes count, for big too.
bool big_errs(std::int64_t truth, std::int64_t big, OtherMode other) {
  return other == OtherMode::answer ? kLittleOfBig[big] != kLittleOfBig[truth] : big != truth;
}

/// P(local, little answers what `counts` among those wrong | truth).
template <typename Counts>
double share_of_class(const LocalInputs& inputs, std::int64_t truth, const Counts& counts) {
  if (inputs.of_class[at(truth)] <= 0.0) return 0.0;
  const double found = sum(inputs, [&](std::int64_t true_class, std::int64_t answer, std::int64_t) {
    return true_class == truth && counts(answer) ? 1.0 : 0.0;
  });
  return found / inputs.of_class[at(truth)];
}

double mean_cost(const LocalInputs& inputs, const CostOptions& cost) {
  double costs[kBigClasses][kLittleClasses] = {};
  for (const auto& [truth, row] : cost.table) {
    const auto big = std::ranges::find(world_classes(), truth) - world_classes().begin();
    for (const auto& [answer, value] : row) {
      costs[big][answer == "bag" ? kLittleBag : answer == "boot" ? kLittleBoot : kOther] = value;
    }
  }
  return sum(inputs, [&](std::int64_t truth, std::int64_t answer, std::int64_t) {
    return costs[truth][answer];
  });
}

double bound_of(double of_every, const std::map<std::string, double>& of_some,
                const std::string& name) {
  const auto own = of_some.find(name);
  return own == of_some.end() ? of_every : own->second;
}

/// Keeps the largest excess.
class Excess {
 public:
  /// A bound of 0 is not asked.
  template <typename Risk>
  void add(double bound, const Risk& risk) {
    if (bound > 0.0) largest_ = std::max(largest_, risk() - bound);
  }
  double largest() const { return largest_; }

 private:
  double largest_ = -1.0;
};

}  // namespace

PriorityMap world_map() {
  return {.little_of_big = {kLittleOfBig, kLittleOfBig + kBigClasses},
          .names = {"bag", "boot", "other"},
          .has_other = true};
}

const std::vector<std::string>& world_classes() {
  static const std::vector<std::string> classes = {"shirt", "bag", "boot", "coat"};
  return classes;
}

double local_share(const LocalInputs& inputs) {
  return sum(inputs, [](auto...) { return 1.0; });
}

double excess(const LocalInputs& inputs, const CalibrateOptions& options) {
  Excess found;
  found.add(options.net_loss, [&] {
    return sum(inputs, [&](std::int64_t truth, std::int64_t answer, std::int64_t big) {
      return double(little_errs(truth, answer)) - double(big_errs(truth, big, options.other));
    });
  });
  found.add(options.harm, [&] {
    return sum(inputs, [&](std::int64_t truth, std::int64_t answer, std::int64_t big) {
      return double(little_errs(truth, answer) && !big_errs(truth, big, options.other));
    });
  });
  found.add(options.selective, [&] {
    const double wrong = sum(inputs, [](std::int64_t truth, std::int64_t answer, std::int64_t) {
      return double(little_errs(truth, answer));
    });
    return wrong > 0.0 ? wrong / local_share(inputs) : 0.0;
  });
  for (const std::int64_t truth : {kBag, kBoot}) {
    const std::string& name = world_classes()[at(truth)];
    found.add(bound_of(options.miss, options.miss_of, name), [&] {
      return share_of_class(inputs, truth,
                            [&](std::int64_t answer) { return little_errs(truth, answer); });
    });
    found.add(bound_of(options.dropped, options.dropped_of, name), [&] {
      return share_of_class(inputs, truth, [](std::int64_t answer) { return answer == kOther; });
    });
  }
  found.add(options.agreement, [&] {
    return sum(inputs, [](std::int64_t, std::int64_t answer, std::int64_t big) {
      return double(kLittleOfBig[big] != answer);
    });
  });
  found.add(options.cost.bound, [&] { return mean_cost(inputs, options.cost); });
  found.add(options.budget, [&] { return 1.0 - local_share(inputs); });
  return found.largest();
}

World::World(const Shares& of_class, const std::vector<Mistake>& mistakes)
    : of_class_(of_class), answer_(at(kHighestScore) + 1), above_(at(kHighestScore) + 2) {
  for (std::int64_t score = kHighestScore; score >= 1; --score) {
    auto& answer = answer_[at(score)];
    for (std::size_t truth = 0; truth < kBigClasses; ++truth) {
      answer[truth][at(kLittleOfBig[truth])] = 1.0;
    }
    for (const Mistake& mistake : mistakes) {
      const double rate = mistake.rate * relative_rate(mistake.shape, score);
      answer[at(mistake.truth)][at(mistake.answer)] += rate;
      answer[at(mistake.truth)][at(kLittleOfBig[mistake.truth])] -= rate;
    }
    auto& above = above_[at(score)] = above_[at(score) + 1];
    for (std::int64_t truth = 0; truth < std::ssize(of_class); ++truth) {
      for (std::int64_t given = 0; given < std::ssize(above); ++given) {
        const double here =
            (1.0 - kTiedShare) * answer[at(truth)][at(given)] / double(kHighestScore);
        const double errs = big_error_rate(truth, given);
        above[at(given)][at(truth)][at(truth)] += here * (1.0 - errs);
        for (const std::int64_t big : kBigMistakes[truth]) {
          above[at(given)][at(truth)][at(big)] += 0.5 * here * errs;
        }
      }
    }
  }
}

std::int64_t World::draw_class(Random& random) const {
  double left = random.uniform();
  for (std::int64_t truth = 0; truth + 1 < std::ssize(of_class_); ++truth) {
    left -= of_class_[at(truth)];
    if (left < 0.0) return truth;
  }
  return std::ssize(of_class_) - 1;
}

Scores World::draw(std::int64_t n, Random& random) const {
  Scores scores;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t truth = draw_class(random);
    const auto score = static_cast<std::int64_t>(1 + random.below(kHighestScore));
    const Chances& chances = answer_[at(score)][at(truth)];
    const double u = random.uniform();
    const std::int64_t little = u < chances[0]                ? kLittleBag
                                : u < chances[0] + chances[1] ? kLittleBoot
                                                              : kOther;
    const double v = random.uniform() / big_error_rate(truth, little);
    const std::int64_t big = v < 0.5   ? kBigMistakes[truth][0]
                             : v < 1.0 ? kBigMistakes[truth][1]
                                       : truth;
    scores.score.push_back(random.uniform() < kTiedShare ? kTieScore : score);
    scores.little_class.push_back(little);
    scores.big_class.push_back(big);
    scores.truth.push_back(truth);
  }
  return scores;
}

LocalInputs World::truth(std::span<const std::int64_t> thresholds, const Shares& of_class) const {
  LocalInputs inputs{.of_class = of_class};
  for (std::size_t answer = 0; answer < kLittleClasses; ++answer) {
    const std::int64_t lowest = std::clamp<std::int64_t>(thresholds[answer], 1, kHighestScore + 1);
    for (std::size_t truth = 0; truth < kBigClasses; ++truth) {
      for (std::size_t big = 0; big < kBigClasses; ++big) {
        inputs.local[truth][answer][big] = of_class[truth] * above_[at(lowest)][answer][truth][big];
      }
    }
  }
  return inputs;
}

}  // namespace biglittle::testing
