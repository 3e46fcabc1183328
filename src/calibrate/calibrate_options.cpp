// SPDX-License-Identifier: MIT
#include "calibrate/calibrate_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/option_names.h"
#include "core/text.h"

namespace biglittle {
namespace {

constexpr RealRange kRate{0.0, 1.0};

/// Shares that were meant to sum to 1 may miss it by rounding.
constexpr double kShareSlack = 1e-9;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::config, "calibrate." + message);
}

bool any_asked(const std::map<std::string, double>& bounds) {
  return std::ranges::any_of(bounds, [](const auto& bound) { return bound.second > 0.0; });
}

bool asks_dropped(const CalibrateOptions& options) {
  return options.dropped > 0.0 || any_asked(options.dropped_of);
}

void require_name(const std::string& option, const std::string& name, std::string_view kind,
                  std::span<const std::string> known) {
  if (std::ranges::find(known, name) != known.end()) return;
  refuse(fmt::format("{} names '{}', which is no {}, expected {}{}", option, one_line(name), kind,
                     join_or(known), did_you_mean(name, known)));
}

void require_names(const std::string& option, const std::map<std::string, double>& table,
                   std::string_view kind, std::span<const std::string> known) {
  for (const auto& [name, value] : table) require_name(option, name, kind, known);
}

void check_modes(const CalibrateOptions& options, const PriorityMap& map) {
  if (options.score == ScoreChoice::top_other && !map.has_other) {
    refuse("score is 'top-other', but every class is a priority class; use 'margin' or 'gate'");
  }
  if (options.other == OtherMode::answer && !map.has_other) {
    refuse("other is 'answer', but every class is a priority class; use 'escalate'");
  }
}

/// A dropped input is gone: filter mode must say for each priority class how often that may happen.
void check_dropped(const CalibrateOptions& options, std::span<const std::string> priorities) {
  if (options.other == OtherMode::escalate) {
    if (!asks_dropped(options)) return;
    refuse(
        "dropped is asked, but nothing is dropped while other is 'escalate'; set calibrate.other "
        "= \"answer\" or leave out dropped and dropped_of");
  }
  for (const std::string& name : priorities) {
    const auto own = options.dropped_of.find(name);
    if ((own == options.dropped_of.end() ? options.dropped : own->second) > 0.0) continue;
    refuse(
        fmt::format("other is 'answer', but no bound says how many '{}' may be dropped; set "
                    "calibrate.dropped or calibrate.dropped_of above 0",
                    name));
  }
}

void check_cost(const CostOptions& cost, const PriorityMap& map,
                std::span<const std::string> big_classes) {
  bool costs = false;
  for (const auto& [truth, answers] : cost.table) {
    require_name("cost.table", truth, "class", big_classes);
    const auto row =
        static_cast<std::size_t>(std::ranges::find(big_classes, truth) - big_classes.begin());
    const std::string& right = map.names.at(static_cast<std::size_t>(map.little_of_big.at(row)));
    for (const auto& [answer, value] : answers) {
      require_name(fmt::format("cost.table.{}", toml_key(truth)), answer,
                   "answer of the little network", map.names);
      if (value <= 0.0) continue;
      costs = true;
      if (answer != right) continue;
      refuse(fmt::format("cost.table.{}.{} is {}, but that answer is right, expected 0",
                         toml_key(truth), toml_key(answer), value));
    }
  }
  if (cost.bound > 0.0 && !costs) {
    refuse(
        fmt::format("cost.bound is {}, but no answer costs anything; state costs in "
                    "calibrate.cost.table",
                    cost.bound));
  }
}

double stated_share(const CalibrateOptions& options) {
  return std::accumulate(options.field_prior.begin(), options.field_prior.end(), 0.0,
                         [](double sum, const auto& entry) { return sum + entry.second; });
}

void check_field_prior(const CalibrateOptions& options, std::span<const std::string> big_classes) {
  if (options.field_prior.empty()) return;
  require_names("field_prior", options.field_prior, "class", big_classes);
  const double sum = stated_share(options);
  if (sum > 1.0 + kShareSlack) {
    refuse(fmt::format("field_prior sums to {}, expected at most 1", sum));
  }
  if (options.field_prior.size() == big_classes.size() && sum < 1.0 - kShareSlack) {
    refuse(fmt::format("field_prior names every class but sums to {}, expected 1", sum));
  }
}

}  // namespace

void describe(CostOptions& options, OptionVisitor& visitor) {
  visitor.field("bound", options.bound, kRate,
                "certify that the mean cost of an input is at most this; 0: not asked");
  visitor.field("table", options.table, kRate,
                "cost by true class, then answer, as { Bag = { other = 1.0 } }; what is not "
                "stated costs 0");
}

void describe(CalibrateOptions& options, OptionVisitor& visitor) {
  visitor.field("delta", options.delta, RealRange{1e-6, 0.5},
                "the certificate may fail for this share of calibration draws");
  visitor.field("net_loss", options.net_loss, kRate,
                "certify accuracy(big) - accuracy(system) <= this; 0: not asked");
  visitor.field("harm", options.harm, kRate,
                "certify that at most this share of inputs gets a wrong answer on the device "
                "where big is right; 0: not asked");
  visitor.field("selective", options.selective, kRate,
                "certify that at most this share of the answers on the device is wrong; 0: not "
                "asked");
  visitor.field("miss", options.miss, kRate,
                "certify, for every priority class, that at most this share of its inputs gets a "
                "wrong answer on the device; 0: not asked");
  visitor.field("miss_of", options.miss_of, kRate,
                "the same for single priority classes, in place of miss");
  visitor.field("agreement", options.agreement, kRate,
                "certify that at most this share of inputs gets an answer on the device that "
                "differs from big's; needs no labels; 0: not asked");
  visitor.field("budget", options.budget, kRate,
                "certify that at most this share of inputs is escalated; 0: not asked");
  visitor.field("dropped", options.dropped, kRate,
                "certify, for every priority class, that the device answers at most this share of "
                "its inputs with other; needed with other = \"answer\"; 0: not asked");
  visitor.field("dropped_of", options.dropped_of, kRate,
                "the same for single priority classes, in place of dropped");
  visitor.section("cost", options.cost, "Costs of wrong answers on the device");
  visitor.field("score", options.score, "what is compared with the threshold; auto: best on tune");
  visitor.field("thresholds", options.thresholds, "one for all classes or one for each");
  visitor.field("other", options.other,
                "what the device does with inputs it believes to be of no priority class");
  visitor.field("grid", options.grid, IntRange{1, 100000},
                "at most this many steps are tried, fixed on tune");
  visitor.field("starts", options.starts, IntRange{0, 1000},
                "the search begins at this many steps, which share delta; 0: ten for selective, "
                "else one");
  visitor.field("field_prior", options.field_prior, kRate,
                "share of inputs by class where the device will be, as { Bag = 0.4 }; empty: as in "
                "the data");
  visitor.field("audit_fraction", options.audit_fraction, kRate,
                "share of the answers on the device that is sent up anyway, to watch for drift");
  visitor.field("audit_level", options.audit_level, RealRange{1e-9, 0.5},
                "chance that the drift alarm is ever false");
  visitor.field("seed", options.seed, IntRange{0},
                "seed of the sample order in the net-loss test, the field sample and the gate's "
                "folds");
  visitor.field("allow_uncertified", options.allow_uncertified,
                "write a policy that escalates everything when nothing can be certified");
}

bool asks_risk(const CalibrateOptions& options) {
  return options.net_loss > 0.0 || options.harm > 0.0 || options.selective > 0.0 ||
         options.miss > 0.0 || any_asked(options.miss_of) || options.agreement > 0.0 ||
         asks_dropped(options) || options.cost.bound > 0.0;
}

void check_options(const CalibrateOptions& options, const PriorityMap& map,
                   std::span<const std::string> big_classes) {
  CalibrateOptions copy = options;
  check_ranges([&copy](OptionVisitor& visitor) { describe(copy, visitor); }, "calibrate");
  const std::span priorities =
      std::span(map.names).first(static_cast<std::size_t>(map.priorities()));
  require_names("miss_of", options.miss_of, "priority class", priorities);
  require_names("dropped_of", options.dropped_of, "priority class", priorities);
  check_modes(options, map);
  check_dropped(options, priorities);
  check_cost(options.cost, map, big_classes);
  check_field_prior(options, big_classes);
  if (!asks_risk(options)) {
    throw Error(ErrorKind::config,
                "calibrate: no risk is asked; set one of net_loss, harm, selective, miss, "
                "agreement, dropped or cost.bound above 0");
  }
}

std::vector<double> field_shares(const CalibrateOptions& options,
                                 std::span<const std::string> big_classes,
                                 std::span<const std::int64_t> counts) {
  const auto stated = [&](std::size_t index) {
    return options.field_prior.find(big_classes[index]);
  };
  double unnamed = 0.0;
  for (std::size_t index = 0; index < big_classes.size(); ++index) {
    if (stated(index) == options.field_prior.end()) unnamed += static_cast<double>(counts[index]);
  }
  const double rest = 1.0 - stated_share(options);
  const bool shares_rest = rest > kShareSlack;
  if (shares_rest && unnamed == 0.0) {
    throw Error(ErrorKind::bad_data,
                fmt::format("calibrate.field_prior leaves {:.6g} to the classes it does not name, "
                            "but tune has no sample of them; name every class",
                            rest));
  }
  // Divided by their sum, which rounding may leave beside 1.
  const double whole = shares_rest ? 1.0 : stated_share(options);
  std::vector<double> shares(big_classes.size(), 0.0);
  for (std::size_t index = 0; index < shares.size(); ++index) {
    const auto found = stated(index);
    if (found != options.field_prior.end()) {
      shares[index] = found->second / whole;
    } else if (shares_rest) {
      shares[index] = rest * static_cast<double>(counts[index]) / unnamed;
    }
  }
  return shares;
}

}  // namespace biglittle
