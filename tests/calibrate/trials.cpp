// SPDX-License-Identifier: MIT
#include "calibrate/trials.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <ostream>
#include <string>

namespace biglittle::testing {
namespace {

constexpr std::array<Shape, 3> kShapes = {Shape::well_ordered, Shape::flat,
                                          Shape::confidently_wrong_at_top};
constexpr Shares kData = {0.3, 0.25, 0.25, 0.2};  // shirt, bag, boot, coat
constexpr Shares kField = {0.6, 0.1, 0.1, 0.2};
constexpr std::int64_t kGrid = 100;

/// A world's mistakes when they come at `rate`.
using Mistakes = std::function<std::vector<Mistake>(double rate)>;

CalibrateOptions asking_nothing() {
  CalibrateOptions options;
  options.net_loss = 0.0;
  options.grid = kGrid;
  return options;
}

/// Everything that the mode lets stay, on the device.
LocalInputs everything_local(const World& world, const CalibrateOptions& options,
                             const Shares& field) {
  const std::int64_t other = options.other == OtherMode::answer ? 1 : kAlwaysEscalate;
  return world.truth(std::array<std::int64_t, kLittleClasses>{1, 1, other}, field);
}

/// The world whose largest excess is `most` where everything stays local.
World world_reaching(double most, const Mistakes& mistakes, const CalibrateOptions& options,
                     const Shares& field) {
  double low = 0.0;
  double high = 0.2;
  for (int i = 0; i < 30; ++i) {
    const double rate = 0.5 * (low + high);
    const World world(kData, mistakes(rate));
    (excess(everything_local(world, options, field), options) < most ? low : high) = rate;
  }
  return World(kData, mistakes(low));
}

/// How far above its bound a risk gets. Where scores order mistakes, far, so that the bound is
/// reached half-way; where all mistakes come first, hardly, so that the measured risk is often
/// below the bound when the true one is not.
double reach(Shape shape) {
  switch (shape) {
    case Shape::well_ordered:
      return 1.0;
    case Shape::flat:
      return 0.5;
    case Shape::confidently_wrong_at_top:
      return 0.02;
  }
  return 0.0;
}

/// Shirts and boots taken for bags, some coats for boots; boots are also overlooked.
Mistakes usual_mistakes(Shape shape) {
  return [shape](double rate) -> std::vector<Mistake> {
    return {{kShirt, kLittleBag, shape, rate},
            {kBoot, kLittleBag, shape, rate},
            {kCoat, kLittleBoot, shape, 0.5 * rate},
            {kBoot, kOther, Shape::flat, 0.02}};
  };
}

Trial usual_trial(std::string name, Shape shape, const CalibrateOptions& options, double most) {
  return {.name = std::move(name),
          .shape = shape,
          .world = world_reaching(most, usual_mistakes(shape), options, kData),
          .options = options,
          .field = kData};
}

struct Asked {
  std::string_view name;
  double CalibrateOptions::*option;
  double bound;
};

void add_single_risks(std::vector<Trial>& trials, Shape shape) {
  constexpr Asked kRisks[] = {{"net-loss", &CalibrateOptions::net_loss, 0.02},
                              {"harm", &CalibrateOptions::harm, 0.02},
                              {"miss", &CalibrateOptions::miss, 0.04},
                              {"agreement", &CalibrateOptions::agreement, 0.02}};
  for (const Asked& asked : kRisks) {
    CalibrateOptions options = asking_nothing();
    options.*asked.option = asked.bound;
    trials.push_back(
        usual_trial(std::string(asked.name), shape, options, reach(shape) * asked.bound));
  }
  CalibrateOptions cost = asking_nothing();
  cost.cost = {
      .bound = 0.02,
      .table = {{"shirt", {{"bag", 1.0}}}, {"boot", {{"bag", 0.5}}}, {"coat", {{"boot", 0.25}}}}};
  trials.push_back(usual_trial("cost", shape, cost, reach(shape) * cost.cost.bound));
}

/// The share that escalates where harm reaches its bound, less a little: no threshold keeps both.
double unreachable_budget(const World& world, const CalibrateOptions& options) {
  std::int64_t threshold = World::kHighestScore + 1;
  LocalInputs inputs;
  do {
    --threshold;
    inputs = world.truth(std::array{threshold, threshold, kAlwaysEscalate}, kData);
  } while (threshold > 1 && excess(inputs, options) <= 0.0);
  return 1.0 - local_share(inputs) - 0.0005;
}

void add_budgets(std::vector<Trial>& trials, Shape shape) {
  CalibrateOptions options = asking_nothing();
  options.harm = 0.02;
  Trial both = usual_trial("harm + budget", shape, options, reach(shape) * options.harm);
  both.options.budget = unreachable_budget(both.world, options);
  trials.push_back(both);
  Trial alone = both;
  alone.name = "budget";
  alone.options.harm = 0.0;
  alone.options.budget = 1.0 - local_share(everything_local(both.world, options, kData)) - 0.001;
  trials.push_back(alone);
}

void add_combined(std::vector<Trial>& trials, Shape shape) {
  CalibrateOptions options = asking_nothing();
  options.net_loss = 0.02;
  options.harm = 0.02;
  options.miss_of = {{"bag", 0.01}, {"boot", 0.04}};
  options.agreement = 0.022;
  options.cost = {.bound = 0.015, .table = {{"shirt", {{"bag", 0.8}}}, {"boot", {{"bag", 1.0}}}}};
  trials.push_back(usual_trial("five together", shape, options, reach(shape) * 0.02));
}

/// Answers `bag` are wrong in one shape, answers `boot` in the next.
void add_per_class(std::vector<Trial>& trials, Shape shape) {
  const Shape next = kShapes[(static_cast<std::size_t>(shape) + 1) % kShapes.size()];
  const Mistakes mistakes = [=](double rate) -> std::vector<Mistake> {
    return {{kShirt, kLittleBag, shape, rate},
            {kBoot, kLittleBag, shape, rate},
            {kCoat, kLittleBoot, next, rate},
            {kBag, kLittleBoot, next, 0.5 * rate}};
  };
  constexpr Asked kRisks[] = {{"net-loss", &CalibrateOptions::net_loss, 0.02},
                              {"selective", &CalibrateOptions::selective, 0.05},
                              {"miss", &CalibrateOptions::miss, 0.04}};
  for (const Asked& asked : kRisks) {
    CalibrateOptions options = asking_nothing();
    options.thresholds = ThresholdKind::per_class;
    options.*asked.option = asked.bound;
    const double most = shape == Shape::well_ordered ? 0.1 : 0.02;
    trials.push_back({.name = fmt::format("{}, per class", asked.name),
                      .shape = shape,
                      .world = world_reaching(most * asked.bound, mistakes, options, kData),
                      .options = options,
                      .field = kData});
  }
}

/// Filter mode: a confident `other` stays on the device, and some of those are priority inputs.
void add_filter_mode(std::vector<Trial>& trials, Shape shape) {
  const Mistakes mistakes = [=](double rate) -> std::vector<Mistake> {
    return {{kShirt, kLittleBag, shape, 0.5 * rate},
            {kBoot, kLittleBag, shape, 0.25 * rate},
            {kCoat, kLittleBoot, shape, 0.25 * rate},
            {kBag, kOther, shape, 0.5 * rate},
            {kBoot, kOther, shape, rate}};
  };
  CalibrateOptions options = asking_nothing();
  options.other = OtherMode::answer;
  options.dropped = 0.04;
  const auto add = [&](std::string_view name, ThresholdKind thresholds) {
    options.thresholds = thresholds;
    trials.push_back(
        {.name = std::string(name),
         .shape = shape,
         .world = world_reaching(reach(shape) * options.dropped, mistakes, options, kData),
         .options = options,
         .field = kData});
  };
  add("dropped", ThresholdKind::one);
  options.net_loss = 0.02;
  add("net-loss + dropped", ThresholdKind::one);
  options.harm = 0.02;
  options.miss = 0.05;
  add("net-loss + harm + miss + dropped, per class", ThresholdKind::per_class);
}

/// The field has twice the shirts, which are what little takes for bags.
void add_field(std::vector<Trial>& trials, Shape shape) {
  const Mistakes mistakes = [=](double rate) -> std::vector<Mistake> {
    return {{kShirt, kLittleBag, shape, rate}, {kBoot, kLittleBag, shape, 0.25 * rate}};
  };
  constexpr Asked kRisks[] = {{"net-loss", &CalibrateOptions::net_loss, 0.03},
                              {"harm", &CalibrateOptions::harm, 0.03},
                              {"selective", &CalibrateOptions::selective, 0.1}};
  for (const Asked& asked : kRisks) {
    CalibrateOptions options = asking_nothing();
    options.*asked.option = asked.bound;
    const double most = (asked.name == "selective" ? 0.1 : 1.0) * reach(shape) * asked.bound;
    trials.push_back({.name = fmt::format("{}, field prior", asked.name),
                      .shape = shape,
                      .world = world_reaching(most, mistakes, options, kField),
                      .options = options,
                      .field = kField});
  }
}

/// Bound 5 %; starts 0: as many as the search takes by itself; `most`: the excess over the bound
/// where everything stays local, in bounds.
Trial selective_trial(Shape shape, std::int64_t starts, double most) {
  CalibrateOptions options = asking_nothing();
  options.selective = 0.05;
  options.starts = starts;
  return usual_trial(starts == 0 ? "selective" : fmt::format("selective, starts = {}", starts),
                     shape, options, most * options.selective);
}

}  // namespace

std::string_view name_of(Shape shape) {
  constexpr std::string_view kNames[] = {"well ordered", "flat", "wrong at top"};
  return kNames[static_cast<std::size_t>(shape)];
}

void PrintTo(const Trial& trial, std::ostream* out) {
  *out << trial.name << " in " << name_of(trial.shape);
}

Trial coverage_trial(Shape shape) {
  return selective_trial(shape, 0, shape == Shape::well_ordered ? 1.0 : -0.5);
}

std::vector<Trial> certificate_trials() {
  std::vector<Trial> trials;
  for (const Shape shape : kShapes) {
    add_single_risks(trials, shape);
    // Where scores say nothing the risk is the same everywhere: hardly too high.
    const double most = shape == Shape::flat ? 0.02 : reach(shape);
    trials.push_back(selective_trial(shape, 1, most));
    trials.push_back(selective_trial(shape, 0, most));
    add_budgets(trials, shape);
    add_combined(trials, shape);
    add_per_class(trials, shape);
    add_filter_mode(trials, shape);
    add_field(trials, shape);
  }
  return trials;
}

std::vector<Trial> untold_field_trials() {
  std::vector<Trial> trials;
  // Where the surest answers are wrong, `selective` passes in neither mix.
  for (const Shape shape : {Shape::well_ordered, Shape::flat}) add_field(trials, shape);
  for (Trial& trial : trials) {
    trial.name += ", not told";
    trial.corrects_field = false;
  }
  return trials;
}

}  // namespace biglittle::testing
