// SPDX-License-Identifier: MIT
#include "bundle/model_card.h"

#include <fmt/format.h>

#include <initializer_list>

#include "core/text.h"
#include "core/version.h"
#include "graph/cost.h"

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

std::string purpose(const ExportInput& input) {
  const PriorityMap& map = *input.little.priority;
  const std::string rest =
      map.has_other ? "Every other class is `other` to it, and `other` is never answered on the "
                      "device."
                    : "These are all the classes there are.";
  return fmt::format(
      "# {}\n\n"
      "A pair of classifiers made by biglittle {}. The little int8 network runs on the device and "
      "answers when it names a priority class with a margin of at least the threshold; every other "
      "input goes to the big network.\n\n"
      "- Priority classes ({}): {}. {}\n"
      "- Classes of the big network ({}): {}.\n"
      "- Input: {} samples of {}, channels x height x width, raw; normalization is inside every "
      "model.\n\n",
      input.name, program_version(), map.priorities(),
      quoted_list(map.names, static_cast<std::size_t>(map.priorities())), rest,
      input.big.classes.size(), quoted_list(input.big.classes, input.big.classes.size()),
      to_string(input.big.network.graph.input().shape),
      input.big.preprocessing.type == SampleType::u8 ? "unsigned bytes" : "32-bit floats");
}

std::string data(const ExportInput& input) {
  static constexpr std::array<std::string_view, 4> uses = {
      "fitted the weights", "chose epochs, ranges and the threshold grid",
      "read once, by the certificate", "read only by the results below"};
  std::string text = fmt::format("## Data\n\nDataset `{}`.\n\n", input.dataset_digest) +
                     header({"split", "samples", "use", "SHA-256"});
  for (std::size_t i = 0; i < uses.size(); ++i) {
    text += row({std::string(kSplitNames[i]), with_thousands(input.splits[i].samples),
                 std::string(uses[i]), fmt::format("`{}`", input.splits[i].digest)});
  }
  return text + "\n";
}

std::string results(const SystemReport& report) {
  std::string text = "## Results on the test split\n\nIntervals are exact at 95 %.\n\n" +
                     header({"what", "rate", "interval", "counts"});
  text += rate_row("big, accuracy over its classes", report.big);
  text += rate_row("little float32, accuracy over little classes", report.little_float);
  text += rate_row("little int8, accuracy over little classes", report.little_int8);
  text += rate_row("little int8 and float32 agree", report.agreement);
  text += rate_row("system, accuracy over big's classes", report.system);
  text += rate_row("answered on the device, of all inputs", report.local);
  text += rate_row("answered on the device, of priority inputs", report.priority_local);
  text += rate_row("right, of those answered on the device", report.local_correct);
  text += fmt::format(
      "\nAccuracy lost against big alone: {} (95 % interval {}; Newcombe 1998, paired). For "
      "comparison, answering every named priority class on the device reaches {}, escalating the "
      "same share at random {}.\n\n",
      format_percent(report.loss.value), interval(report.loss.low, report.loss.high),
      format_percent(report.always_little), format_percent(report.random_escalation));
  text += header({"class", "samples", "big", "system", "on the device", "priority"});
  for (const ClassRow& line : report.classes) {
    text += row({cell(line.name), with_thousands(line.n), format_percent(line.big_accuracy),
                 format_percent(line.system_accuracy), format_percent(line.local_share),
                 line.priority ? "yes" : ""});
  }
  return text + "\n";
}

std::string certificate(const EscalationPolicy& policy) {
  const Certificate& made = policy.certificate;
  std::string text = fmt::format(
      "## Certificate\n\n{}.\n\n"
      "- Threshold on the margin (largest minus second largest accumulator): {}.\n"
      "- Calibration split `{}`, {} samples; int8 network `{}`; big network `{}`.\n",
      explain(policy),
      policy.threshold == kAlwaysEscalate ? "none, everything escalates"
                                          : std::to_string(policy.threshold),
      made.calibration_digest, with_thousands(made.n), made.little_digest, made.big_digest);
  return text + "\n";
}

std::string cost_row(const std::string& what, std::int64_t big, std::int64_t little) {
  const std::string ratio =
      little > 0 ? fmt::format("{:.1f}", static_cast<double>(big) / static_cast<double>(little))
                 : "";
  return row({what, with_thousands(big), with_thousands(little), ratio});
}

std::string costs(const ExportInput& input, const DeviceFootprint& footprint) {
  const Cost big = count_cost(input.big.network.graph);
  const Cost little = count_cost(input.little.network.graph);
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
         "- The margin is no probability, and inputs unlike any class may still get a large one.\n"
         "- The results are of one test split and one training run.\n\n";
}

std::string files() {
  return "## How to use each file\n\n"
         "- `device/`: C99 for the device; `README.md` there shows the one call from raw sample to "
         "`{class, margin, escalate}`.\n"
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
         "- `report.json`: the numbers of this page; `config.resolved.toml`: every setting.\n"
         "- `manifest.json`: SHA-256 of every file; `biglittle verify FOLDER` checks all of it.\n";
}

}  // namespace

std::string model_card(const ExportInput& input, const DeviceFootprint& footprint) {
  return purpose(input) + data(input) + results(input.report) + certificate(input.policy) +
         costs(input, footprint) + limits() + files();
}

}  // namespace biglittle
