// SPDX-License-Identifier: MIT
#include "bundle/report.h"

#include "bundle/model_card.h"
#include "bundle/report_html.h"
#include "bundle/report_json.h"
#include "core/json.h"

namespace biglittle {

FileSet report_files(const ReportInput& input) {
  const Parts& parts = input.parts;
  const SystemReport test =
      evaluate_system({input.answers.test, input.answers.tune, input.answers.little_float_class,
                       logit_scale(parts.little_int8)},
                      parts.policy, *parts.little.priority, parts.big.classes);
  return {{"report.json", to_text(report_json(input, test))},
          {"report.html", report_html(input, test)},
          {"MODEL_CARD.md", model_card(input, test)}};
}

}  // namespace biglittle
