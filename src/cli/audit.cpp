// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>

#include "bundle/bundle.h"
#include "calibrate/drift.h"
#include "calibrate/field_log.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/measure.h"
#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

/// exp(logarithm) for people: a factor by which the log speaks against the certificate.
std::string factor(double logarithm) {
  if (logarithm > std::log(1e6)) return fmt::format("10^{:.1f}", logarithm / std::log(10.0));
  return fmt::format("{:.3g}", std::exp(logarithm));
}

class AuditCommand : public Command {
 public:
  std::string_view name() const override { return "audit"; }
  std::string_view summary() const override {
    return "Watch for drift: test a log of local answers that were sent up anyway";
  }

  void declare(Arguments& arguments) override {
    arguments.required("BUNDLE", bundle_, "Folder that export wrote");
    arguments.required_option("--log", "FILE", log_,
                              "CSV in order of time with columns little and big, and score if "
                              "known: one row an audited local answer");
    arguments.flag("--json", json_, "Print the result as JSON");
  }

  int run() override {
    const Bundle bundle = load_bundle(bundle_);
    const AuditRule& rule = bundle.policy.audit;
    require_local_answers(bundle);
    const PriorityMap& map = priority_of(bundle.little);
    const FieldLog log = read_field_log(log_, map, bundle.big.classes, ScoreColumn::optional);
    require_local(log, bundle.policy, map, log_.string());
    DriftTest test(rule.disagreement, rule.level);
    for (std::size_t row = 0; row < log.lines.size(); ++row) {
      const auto big = static_cast<std::size_t>(log.scores.big_class[row]);
      test.add(map.little_of_big[big] != log.scores.little_class[row]);
    }
    print(json_ ? to_text(result_json(bundle, log, test)) : result_text(rule, log, test));
    return test.alarm() ? exit_code(ErrorKind::gate) : 0;
  }

 private:
  void require_local_answers(const Bundle& bundle) const {
    if (!always_escalates(bundle.policy) && bundle.policy.audit.disagreement < 1.0) return;
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: its policy answers too little on the device to say how often "
                            "little and big disagree there, so there is nothing to audit against",
                            bundle_.string()));
  }

  /// The line of the log at which the alarm sounded.
  static std::optional<std::int64_t> alarm_line(const FieldLog& log, const DriftTest& test) {
    if (!test.alarm()) return std::nullopt;
    return log.lines[static_cast<std::size_t>(*test.alarm() - 1)];
  }

  /// Answers it takes to notice that disagreement has doubled; empty where it cannot double.
  static std::optional<std::int64_t> answers_to_notice(const AuditRule& rule) {
    if (2.0 * rule.disagreement >= 1.0) return std::nullopt;
    return answers_to_alarm(rule.disagreement, 2.0 * rule.disagreement, rule.level);
  }

  static std::string result_text(const AuditRule& rule, const FieldLog& log,
                                 const DriftTest& test) {
    std::string text = fmt::format(
        "answers      {} audited, {} disagreements ({}); at most {} expected\n"
        "evidence     a factor of {} now, {} at most, for more disagreement than that; the alarm "
        "sounds at {:.4g}\n",
        with_thousands(test.seen()), with_thousands(test.differing()),
        format_percent(static_cast<double>(test.differing()) / static_cast<double>(test.seen())),
        format_percent(rule.disagreement), factor(test.log_evidence()),
        factor(test.largest_log_evidence()), 1.0 / rule.level);
    if (const auto needed = answers_to_notice(rule)) {
      text += fmt::format("to notice    twice the disagreement takes about {} answers\n",
                          with_thousands(*needed));
    }
    if (!test.alarm()) return text + "alarm        no\n";
    return text + fmt::format(
                      "alarm        yes, after {} answers (line {}): the field is no longer what "
                      "was certified; recalibrate\n",
                      with_thousands(*test.alarm()), *alarm_line(log, test));
  }

  static Json result_json(const Bundle& bundle, const FieldLog& log, const DriftTest& test) {
    const AuditRule& rule = bundle.policy.audit;
    const auto number = [](const std::optional<std::int64_t>& value) {
      return value ? Json(*value) : Json(nullptr);
    };
    return {{"bundle", bundle.id},
            {"seen", test.seen()},
            {"differing", test.differing()},
            {"rate", rule.disagreement},
            {"level", rule.level},
            {"log_evidence", test.log_evidence()},
            {"largest_log_evidence", test.largest_log_evidence()},
            {"alarm", test.alarm().has_value()},
            {"alarm_after", number(test.alarm())},
            {"alarm_line", number(alarm_line(log, test))},
            {"answers_to_notice_doubling", number(answers_to_notice(rule))}};
  }

  std::filesystem::path bundle_;
  std::filesystem::path log_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> audit_command() { return std::make_unique<AuditCommand>(); }

}  // namespace biglittle
