// SPDX-License-Identifier: MIT
#include "bundle/model_card.h"

#include <fmt/format.h>

#include <initializer_list>

#include "core/text.h"
#include "core/version.h"

namespace biglittle {
namespace {

/// Names come from data sets; a '|' or a line break in one must not break the table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return escaped;
}

std::string row(std::initializer_list<std::string> cells) {
  std::string line = "|";
  for (const std::string& text : cells) line.append(" ").append(text).append(" |");
  return line + "\n";
}

std::string header(std::initializer_list<std::string> cells) {
  std::string line = row(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i) line += i == 0 ? " --- |" : " ---: |";
  return line + "\n";
}

std::string interval(double low, double high) {
  return fmt::format("{} to {}", format_percent(low), format_percent(high));
}

std::string rate_row(const std::string& what, const Rate& rate) {
  return row({what, format_percent(rate.value), interval(rate.low, rate.high),
              fmt::format("{} / {}", with_thousands(rate.count), with_thousands(rate.n))});
}

std::string quoted_list(const std::vector<std::string>& names, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text.append(i == 0 ? "" : ", ").append(cell(names[i]));
  return text;
}

/// When the device answers, in words.
std::string rule_text(const EscalationPolicy& policy, const PriorityMap& map) {
  if (always_escalates(policy)) return "Under this policy every input goes to the big network.";
  const std::string what = policy.other == OtherMode::answer
                               ? "when its score reaches the threshold of the class it names"
                               : "when it names a priority class with a score of at least the "
                                 "threshold of that class";
  std::string text = fmt::format(
      "The little int8 network runs on the device and answers {}; every other input goes to the "
      "big network.",
      what);
  if (!map.has_other) return text + " These are all the classes there are.";
  return text + (policy.other == OtherMode::answer
                     ? " Every other class is `other` to it, and a confident `other` stays on the "
                       "device too: it is dropped."
                     : " Every other class is `other` to it, and `other` is never answered on the "
                       "device.");
}

std::string purpose(const ReportInput& input) {
  const Parts& parts = input.parts;
  const PriorityMap& map = *parts.little.priority;
  return fmt::format(
      "# {}\n\n"
      "A pair of classifiers made by biglittle {}. {}\n\n"
      "- Priority classes ({}): {}.\n"
      "- Classes of the big network ({}): {}.\n"
      "- Input: {} samples of {}, channels x height x width, raw; normalization is inside every "
      "model.{}\n\n",
      input.name, program_version(), rule_text(parts.policy, map), map.priorities(),
      quoted_list(map.names, static_cast<std::size_t>(map.priorities())), parts.big.classes.size(),
      quoted_list(parts.big.classes, parts.big.classes.size()),
      to_string(parts.big.network.graph.input().shape),
      parts.big.preprocessing.type == SampleType::u8 ? "unsigned bytes" : "32-bit floats",
      parts.big.preprocessing.with_mirror ? " The big one's logits are the mean over a sample and "
                                            "its mirror image, inside the model, "
                                            "too."
                                          : "");
}

std::string data(const ReportInput& input) {
  static constexpr std::array<std::string_view, 4> uses = {
      "fitted the weights", "fixed epochs, ranges, the thresholds to try and the temperature",
      "read once, by the certificate", "read only by the results below"};
  std::string text = fmt::format("## Data\n\nDataset `{}`.\n\n", input.measured_on.dataset_digest) +
                     header({"split", "samples", "use", "SHA-256"});
  const SplitRecords& splits = input.measured_on.splits;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    text += row({std::string(kSplitNames[i]), with_thousands(splits[i].samples),
                 std::string(uses[i]), fmt::format("`{}`", splits[i].digest)});
  }
  return text + "\n";
}

std::string class_rows(const SystemReport& report) {
  const bool filters = report.other == OtherMode::answer;
  std::string text =
      filters
          ? header({"class", "samples", "big", "system", "on the device", "dropped", "priority"})
          : header({"class", "samples", "big", "system", "on the device", "priority"});
  for (const ClassRow& line : report.classes) {
    const std::string name = cell(line.name);
    const std::string n = with_thousands(line.n);
    const std::string big = format_percent(line.big_accuracy);
    const std::string system = format_percent(line.system_accuracy);
    const std::string local = format_percent(line.local.value);
    const std::string priority = line.priority ? "yes" : "";
    text += filters
                ? row({name, n, big, system, local, format_percent(line.dropped.value), priority})
                : row({name, n, big, system, local, priority});
  }
  return text + "\n";
}

std::string references(const SystemReport& report) {
  std::string text = fmt::format(
      "\nAccuracy lost against big alone: {} (95 % interval {}; Newcombe 1998, paired). For "
      "comparison, answering on the device whenever it may reaches {}, escalating the same share "
      "at "
      "random {}.",
      format_percent(report.loss.value), interval(report.loss.low, report.loss.high),
      format_percent(report.always_little), format_percent(report.random_escalation));
  if (report.curve.over_oracle) {
    text += fmt::format(
        " The best thresholds after the fact, tried along the same path, would escalate {}: the "
        "policy escalates {:.2f} times as much.",
        format_percent(report.curve.at(report.curve.oracle_step).escalation),
        *report.curve.over_oracle);
  }
  return text + "\n\n";
}

std::string results(const SystemReport& report) {
  const bool filters = report.other == OtherMode::answer;
  const std::string over = filters ? "over priority classes and other" : "over big's classes";
  std::string text = "## Results on the test split\n\nIntervals are exact at 95 %.\n\n" +
                     header({"what", "rate", "interval", "counts"});
  text += rate_row("big, accuracy " + over, report.big);
  text += rate_row("little float32, accuracy over little classes", report.little_float);
  text += rate_row("little int8, accuracy over little classes", report.little_int8);
  text += rate_row("little int8 and float32 agree", report.agreement);
  text += rate_row("system, accuracy " + over, report.system);
  text += rate_row("escalated, of all inputs", report.escalated);
  text += rate_row("on the device, of all inputs", report.local);
  if (filters) text += rate_row("dropped as other, of all inputs", report.dropped);
  text += rate_row("on the device, of priority inputs", report.priority_local);
  if (filters) text += rate_row("dropped as other, of priority inputs", report.priority_dropped);
  text += rate_row("right, of those on the device", report.local_correct);
  return text + references(report) + class_rows(report);
}

std::string threshold_text(std::int64_t threshold) {
  return threshold >= kAlwaysEscalate ? "never" : std::to_string(threshold);
}

std::string certificate(const ReportInput& input) {
  const EscalationPolicy& policy = input.parts.policy;
  const Certificate& made = policy.certificate;
  std::string text = fmt::format(
      "## Certificate\n\n{}.\n\n"
      "- Score: {}. Computed on {} `{}`, {} samples; int8 network `{}`; big network `{}`.\n\n",
      explain(policy), name_of(policy.rule.kind),
      input.answers.log ? "a field log" : "calibration split", made.calibration_digest,
      with_thousands(made.n), made.little_digest, made.big_digest);
  text += header({"answer", "stays on the device from a score of"});
  const PriorityMap& map = *input.parts.little.priority;
  for (std::size_t c = 0; c < map.names.size(); ++c) {
    text += row({cell(map.names[c]), threshold_text(policy.thresholds.at(c))});
  }
  return text + "\n";
}

std::string audit(const EscalationPolicy& policy) {
  if (always_escalates(policy) || policy.audit.fraction <= 0.0) return "";
  return fmt::format(
      "## Audit\n\nThe device sends {} of its local answers up anyway. On calibration little and "
      "big differ on at most {} of them; `biglittle audit` sounds an alarm when the field's "
      "answers "
      "speak against that, and the alarm is ever false with probability at most {}.\n\n",
      format_percent(policy.audit.fraction), format_percent(policy.audit.disagreement),
      format_percent(policy.audit.level));
}

std::string cost_row(const std::string& what, std::int64_t big, std::int64_t little) {
  const std::string ratio =
      little > 0 ? fmt::format("{:.1f}", static_cast<double>(big) / static_cast<double>(little))
                 : "";
  return row({what, with_thousands(big), with_thousands(little), ratio});
}

std::string costs(const ReportInput& input) {
  const DeviceFootprint& footprint = input.footprint;
  const Cost big = answer_cost(input.parts.big);
  const Cost little = answer_cost(input.parts.little);
  std::string text = "## Cost\n\n" + header({"of one sample", "big", "little", "big / little"});
  text += cost_row("parameters", big.parameters, little.parameters);
  text += cost_row("multiply-accumulates", big.macs, little.macs);
  text += cost_row("float32 weight bytes", big.parameters * 4, little.parameters * 4);
  text += cost_row("int8 weight bytes", big.int8_weight_bytes, little.int8_weight_bytes);
  text +=
      cost_row("int8 peak activation bytes", big.int8_peak_ram_bytes, little.int8_peak_ram_bytes);
  return text +
         fmt::format("\nThe device code holds {} bytes of constants and an arena of {} bytes.\n\n",
                     with_thousands(footprint.constant_bytes),
                     with_thousands(footprint.arena_bytes));
}

std::string limits() {
  return "## What this does not promise\n\n"
         "- The certificate speaks about inputs drawn like the calibration split. If the camera, "
         "the season or the mix of classes changes, it says nothing; calibrate again on data from "
         "the place of use.\n"
         "- It bounds a rate over many inputs, not the answer to a single one.\n"
         "- It compares the system with the big network; it does not say that big is right.\n"
         "- The score is no probability, and inputs unlike any class may still get a large one.\n"
         "- The results are of one test split and one training run.\n\n";
}

std::string files() {
  return "## How to use each file\n\n"
         "- `device/`: C99 for the device; `README.md` there shows the one call from raw sample to "
         "`{class_index, score, escalate}`.\n"
         "- `little/model.int8.onnx`: the same integers in ONNX Runtime; output `accumulators`, "
         "decision in `policy.json`.\n"
         "- `little/model.onnx`, `big/model.onnx`: float32, raw input `input`, output `logits`, "
         "any "
         "batch size.\n"
         "- `*/model.safetensors`, `little/model.int8.safetensors`: weights with the graph in the "
         "metadata, for biglittle and other safetensors readers.\n"
         "- `little/vectors.safetensors`: samples with the integers every engine must reproduce.\n"
         "- `classes.json`, `preprocessing.json`, `policy.json`: names, input and rule for your "
         "own "
         "program.\n"
         "- `report.html`: these results with charts, for a browser; `report.json`: the same "
         "numbers; "
         "`config.resolved.toml`: every setting.\n"
         "- `answers.safetensors`: what both networks answered to tune, calibration and test; the "
         "certificate and the reports follow from it.\n"
         "- `manifest.json`: SHA-256 of every file; `biglittle verify FOLDER` checks all of it.\n";
}

}  // namespace

std::string model_card(const ReportInput& input, const SystemReport& test) {
  return purpose(input) + data(input) + results(test) + certificate(input) +
         audit(input.parts.policy) + costs(input) + limits() + files();
}

}  // namespace biglittle
