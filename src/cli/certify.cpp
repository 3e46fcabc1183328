// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "calibrate/copies.h"
#include "calibrate/resample.h"
#include "cli/bundle_data.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/console.h"
#include "cli/measure.h"
#include "cli/option_arguments.h"
#include "cli/resample_text.h"
#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

/// What of the command line shapes the experiment.
struct CertifyOptions {
  std::int64_t resample = 0;  ///< draws; 0: none
  std::int64_t n = 0;         ///< samples a draw; 0: as many as the calibration split
  DrawKind draw = DrawKind::split;
  std::int64_t resample_seed = 1;
};

void describe(CertifyOptions& options, OptionVisitor& visitor) {
  visitor.field("resample", options.resample, IntRange{0, 1'000'000},
                "Draw this many calibration sets from calibration and test together, certify each "
                "and count how often a bound is broken");
  visitor.field("n", options.n, IntRange{0, 1'000'000'000},
                "Samples a draw; default: as many as the calibration split");
  visitor.field("draw", options.draw,
                "split: without replacement, as data are split; independent: with replacement");
  visitor.field("resample_seed", options.resample_seed,
                IntRange{0, std::numeric_limits<std::int64_t>::max()}, "Of the draws");
}

Scores joined(const Scores& first, const Scores& second) {
  Scores all = first;
  const auto append = [](std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(all.score, second.score);
  append(all.little_class, second.little_class);
  append(all.big_class, second.big_class);
  append(all.truth, second.truth);
  return all;
}

/// Everything the command found.
struct Finding {
  bool own_dataset = false;
  bool same_policy = false;
  EscalationPolicy policy;
  std::optional<ResampleReport> resampled;
};

std::string threshold_text(const EscalationPolicy& policy, const PriorityMap& map) {
  if (always_escalates(policy)) return "none: everything escalates";
  std::vector<std::string> parts;
  for (std::size_t c = 0; c < policy.thresholds.size(); ++c) {
    const std::int64_t threshold = policy.thresholds[c];
    parts.push_back(threshold == kAlwaysEscalate
                        ? fmt::format("{}: never local", map.names[c])
                        : fmt::format("{}: {}", map.names[c], with_thousands(threshold)));
  }
  return fmt::format("{} at least {}", name_of(policy.rule.kind), fmt::join(parts, ", "));
}

class CertifyCommand : public Command {
 public:
  std::string_view name() const override { return "certify"; }
  std::string_view summary() const override {
    return "Make a bundle's certificate again from data, or test it on many draws of them";
  }

  void declare(Arguments& arguments) override {
    arguments.required("BUNDLE", bundle_, "Folder that export wrote");
    arguments.required("DATASET", dataset_,
                       "Dataset file; its tune, calibration and test splits are read");
    arguments.option("--set", "A.B=C", assignments_,
                     "Change one option of [calibrate] or [compute] of the bundle's config; may be "
                     "repeated");
    typed_.declare(arguments, [this](OptionVisitor& visitor) { describe(options_, visitor); });
    arguments.flag("--json", json_, "Print the result as JSON");
  }

  int run() override {
    typed_.apply([this](OptionVisitor& visitor) { describe(options_, visitor); });
    check_command_line();
    const Bundle bundle = load_bundle(bundle_);
    const Config config = load_project(bundle_ / "config.resolved.toml", assignments_).config;
    const PriorityMap& map = priority_of(bundle.little);
    check_options(config.calibrate, map, bundle.big.classes);
    const Dataset dataset = read_dataset(dataset_);
    require_same_task(bundle, dataset, dataset_);
    require_few_copies(dataset.split(SplitName::calibration).samples, dataset_.string());
    const Finding finding = find(bundle, dataset, config);
    print(json_ ? to_text(finding_json(bundle, dataset, finding)) : finding_text(finding, map));
    const bool broken = finding.resampled && violates_too_often(*finding.resampled);
    return finding.policy.certificate.certified && !broken ? 0 : exit_code(ErrorKind::gate);
  }

 private:
  void check_command_line() const {
    if (options_.resample == 0 && options_.n > 0) {
      throw Error(ErrorKind::usage,
                  "certify: --n says how large the draws of --resample are; state --resample, too");
    }
    for (const std::string& assignment : assignments_) {
      if (assignment.starts_with("calibrate.") || assignment.starts_with("compute.")) continue;
      throw Error(ErrorKind::usage,
                  fmt::format("certify: --set {}: the networks of a bundle are made; only "
                              "calibrate.* and compute.* can be set here",
                              one_line(assignment)));
    }
  }

  Finding find(const Bundle& bundle, const Dataset& dataset, const Config& config) const {
    const PriorityMap& map = priority_of(bundle.little);
    const NetworkPair pair{bundle.big, bundle.little, bundle.little_int8, load_engine(),
                           config.compute};
    const Split& calibration = dataset.split(SplitName::calibration);
    const SearchPlan plan = plan_search(answer_split(pair, dataset.split(SplitName::tune)), map,
                                        bundle.big.classes, config.calibrate);
    const Scores scores = make_scores(answer_split(pair, calibration), plan.rule, map);
    Finding finding;
    finding.own_dataset = is_bundles_own(bundle, dataset);
    finding.policy = certify(plan, scores, map, bundle.big.classes, config.calibrate);
    bind(finding.policy, pair, dataset);
    finding.same_policy = to_json(finding.policy) == to_json(bundle.policy);
    if (options_.resample == 0) return finding;
    const Scores test =
        make_scores(answer_split(pair, dataset.split(SplitName::test)), plan.rule, map);
    const ResampleOptions options{options_.resample, options_.n == 0 ? scores.count() : options_.n,
                                  options_.draw, options_.resample_seed};
    finding.resampled =
        resample(plan, joined(scores, test), map, bundle.big.classes, config.calibrate, options);
    return finding;
  }

  static std::string finding_text(const Finding& finding, const PriorityMap& map) {
    const Rate& escalation = finding.policy.escalation;
    std::string text = fmt::format(
        "certificate  {}\nthreshold    {}\nescalation   {} of calibration (95 % interval {:.2f} to "
        "{:.2f} %)\n",
        explain(finding.policy), threshold_text(finding.policy, map),
        format_percent(escalation.value), 100.0 * escalation.low, 100.0 * escalation.high);
    text += fmt::format("data         {}\n",
                        finding.own_dataset
                            ? "the bundle's own"
                            : "not the bundle's own: this certificate is only good if the bundle's "
                              "networks never saw them");
    text += fmt::format("policy       {}\n", finding.same_policy
                                                 ? "the same as the bundle's, to the last number"
                                                 : "differs from the bundle's");
    if (finding.resampled) text.append("\n").append(resample_text(*finding.resampled));
    return text;
  }

  static Json finding_json(const Bundle& bundle, const Dataset& dataset, const Finding& finding) {
    return {{"bundle", bundle.id},
            {"dataset", dataset.digest},
            {"same_dataset", finding.own_dataset},
            {"same_policy", finding.same_policy},
            {"certificate", explain(finding.policy)},
            {"policy", to_json(finding.policy)},
            {"resample", finding.resampled ? to_json(*finding.resampled) : Json(nullptr)}};
  }

  std::filesystem::path bundle_;
  std::filesystem::path dataset_;
  std::vector<std::string> assignments_;
  CertifyOptions options_;
  OptionArguments typed_{"certify"};
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> certify_command() { return std::make_unique<CertifyCommand>(); }

}  // namespace biglittle
