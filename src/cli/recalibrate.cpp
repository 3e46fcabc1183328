// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "bundle/bundle.h"
#include "calibrate/field_log.h"
#include "calibrate/tests.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/measure.h"
#include "cli/option_arguments.h"
#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

/// What is asked of the new policy; 0: as the bundle's certificate has it.
struct RecalibrateOptions {
  double agreement = 0.0;
  double delta = 0.0;
  double budget = 0.0;  ///< 0: none
};

void describe(RecalibrateOptions& options, OptionVisitor& visitor) {
  visitor.field("agreement", options.agreement, RealRange{0.0, 0.999},
                "P(local, little differs from big) is at most this; default: what the bundle's "
                "certificate says of it");
  visitor.field("delta", options.delta, RealRange{0.0, 0.5},
                "The new certificate fails with at most this probability; default: the bundle's");
  visitor.field("budget", options.budget, RealRange{0.0, 0.999},
                "P(escalate) is at most this, too; default: not asked");
}

/// The bound of "agreement" in a certificate; 0 where it is not asked.
double agreement_of(const Certificate& certificate) {
  for (const RiskResult& risk : certificate.risks) {
    if (risk.risk == "agreement") return risk.bound;
  }
  return 0.0;
}

class RecalibrateCommand : public Command {
 public:
  std::string_view name() const override { return "recalibrate"; }
  std::string_view summary() const override {
    return "Certify a bundle's threshold anew from a field log, without labels";
  }

  void declare(Arguments& arguments) override {
    arguments.required("BUNDLE", bundle_, "Folder that export wrote");
    arguments.required_option("--answers", "FILE", answers_,
                              "CSV with columns score, little and big: inputs logged without "
                              "regard to the score, each with big's answer");
    arguments.required_option("-o,--output", "FOLDER", output_, "Where the new bundle is written");
    typed_.declare(arguments, [this](OptionVisitor& visitor) { describe(options_, visitor); });
    arguments.flag("--json", json_, "Print the result as JSON");
  }

  int run() override {
    typed_.apply([this](OptionVisitor& visitor) { describe(options_, visitor); });
    const Bundle bundle = load_bundle(bundle_);
    const CalibrateOptions asked = asked_of(bundle.policy);
    const PriorityMap& map = priority_of(bundle.little);
    const FieldLog log = read_field_log(answers_, map, bundle.big.classes, ScoreColumn::needed);
    require_enough(log, asked);
    require_unselected(log, bundle.policy, answers_.string());
    const ExportInput input = new_version(bundle, log, asked);
    const std::string id = write_bundle(input);
    print(json_ ? to_text(result_json(bundle, input, id)) : result_text(bundle, input, id));
    return 0;
  }

 private:
  CalibrateOptions asked_of(const EscalationPolicy& policy) const {
    const Certificate& old = policy.certificate;
    CalibrateOptions asked;
    asked.net_loss = 0.0;
    asked.agreement = options_.agreement > 0.0 ? options_.agreement : agreement_of(old);
    asked.delta = options_.delta > 0.0 ? options_.delta : old.delta;
    asked.budget = options_.budget;
    asked.other = policy.other;
    asked.audit_fraction = policy.audit.fraction;
    asked.audit_level = policy.audit.level;
    asked.seed = old.seed;
    if (asked.agreement > 0.0) return asked;
    throw Error(
        ErrorKind::usage,
        "recalibrate: the bundle's certificate says nothing of agreement; state --agreement "
        "EPS, how often little may answer what big would not");
  }

  void require_enough(const FieldLog& log, const CalibrateOptions& asked) const {
    const auto least = binomial_samples_needed(0.0, asked.agreement, asked.delta);
    if (least && log.count() >= *least) return;
    throw Error(ErrorKind::gate,
                fmt::format("{}: {} rows, but even without a disagreement at least {} are needed "
                            "for agreement {} at delta {}; nothing was written",
                            answers_.string(), with_thousands(log.count()),
                            least ? with_thousands(*least) : "10^9", asked.agreement, asked.delta));
  }

  ExportInput new_version(const Bundle& bundle, const FieldLog& log,
                          const CalibrateOptions& asked) const {
    const Certificate& old = bundle.policy.certificate;
    const SearchPlan plan{bundle.policy.rule, old.path, {}, bundle.policy.merits};
    EscalationPolicy policy =
        certify(plan, log.scores, priority_of(bundle.little), bundle.big.classes, asked);
    if (!policy.certificate.certified) {
      throw Error(ErrorKind::gate, explain(policy) + "; nothing was written");
    }
    policy.certificate.tune_digest = old.tune_digest;
    policy.certificate.little_digest = old.little_digest;
    policy.certificate.big_digest = old.big_digest;
    policy.certificate.calibration_digest = log_digest(log.scores);
    ExportInput input = export_input_of(bundle);
    input.folder = output_;
    input.policy = std::move(policy);
    input.answers.log = log.scores;
    return input;
  }

  static std::string result_text(const Bundle& bundle, const ExportInput& input,
                                 const std::string& id) {
    const Rate& before = bundle.policy.escalation;
    const Rate& now = input.policy.escalation;
    return fmt::format(
        "certificate  {}\nescalation   {} of the log (95 % interval {:.2f} to {:.2f} %); the old "
        "policy's was {} of calibration\nbundle       {}\nid           {} (was {})\n",
        explain(input.policy), format_percent(now.value), 100.0 * now.low, 100.0 * now.high,
        format_percent(before.value), input.folder.string(), id, bundle.id);
  }

  static Json result_json(const Bundle& bundle, const ExportInput& input, const std::string& id) {
    return {{"bundle", input.folder.string()},
            {"id", id},
            {"made_from", bundle.id},
            {"certificate", explain(input.policy)},
            {"policy", to_json(input.policy)}};
  }

  std::filesystem::path bundle_;
  std::filesystem::path answers_;
  std::filesystem::path output_;
  RecalibrateOptions options_;
  OptionArguments typed_{"recalibrate"};
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> recalibrate_command() { return std::make_unique<RecalibrateCommand>(); }

}  // namespace biglittle
