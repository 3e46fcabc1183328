// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <numeric>

#include "bundle/bundle.h"
#include "calibrate/copies.h"
#include "cli/config_command.h"
#include "cli/console.h"
#include "cli/describe_network.h"
#include "cli/measure.h"
#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

/// The trained parts of a bundle, checked to be of one dataset: a network that was fitted on
/// another one may have seen this one's calibration samples, and a certificate would mean nothing.
struct TrainedParts {
  Checkpoint big;
  Checkpoint little;
  Int8Model little_int8;
};

void require_dataset(const Checkpoint& checkpoint, const std::filesystem::path& file,
                     const Dataset& dataset, const Project& project) {
  if (checkpoint.dataset_digest == dataset.digest) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("{} was trained on another dataset than {}; train it again",
                          file.string(), project.dataset_file().string()));
}

TrainedParts load_parts(const Project& project, const Dataset& dataset) {
  require_made(project.big_file(), "train CONFIG");
  require_made(project.little_file(), "derive-little CONFIG");
  require_made(project.int8_file(), "derive-little CONFIG");
  TrainedParts parts{load_checkpoint(project.big_file()), load_checkpoint(project.little_file()),
                     load_int8_model(project.int8_file())};
  require_dataset(parts.big, project.big_file(), dataset, project);
  require_dataset(parts.little, project.little_file(), dataset, project);
  if (parts.little_int8.source_digest != network_digest(parts.little.network)) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{} was not made from {}; run 'biglittle derive-little' again",
                            project.int8_file().string(), project.little_file().string()));
  }
  return parts;
}

RecordedAnswers answer_splits(const NetworkPair& pair, const Dataset& dataset,
                              const Observer& observer) {
  const auto answer = [&](SplitName name) {
    stop_if_asked(observer);
    return answer_split(pair, dataset.split(name));
  };
  RecordedAnswers answers;
  answers.tune = answer(SplitName::tune);
  answers.calibration = answer(SplitName::calibration);
  answers.test = answer(SplitName::test);
  answers.little_float_class = little_float_classes(pair, dataset.split(SplitName::test));
  return answers;
}

/// The thresholds with their certificate, bound to what they were computed from.
EscalationPolicy choose_policy(const NetworkPair& pair, const Dataset& dataset,
                               const RecordedAnswers& answers, const CalibrateOptions& options) {
  const PriorityMap& map = priority_of(pair.little);
  const SearchPlan plan = plan_search(answers.tune, map, dataset.classes, options);
  EscalationPolicy policy = certify(plan, make_scores(answers.calibration, plan.rule, map), map,
                                    dataset.classes, options);
  bind(policy, pair, dataset);
  if (!policy.certificate.certified && !options.allow_uncertified) {
    throw Error(
        ErrorKind::gate,
        explain(policy) +
            "; nothing was written (calibrate.allow_uncertified = true writes a bundle that "
            "always escalates)");
  }
  return policy;
}

ExportInput export_input(const Project& project, const Dataset& dataset, TrainedParts parts,
                         EscalationPolicy policy, RecordedAnswers answers) {
  const Split& calibration = dataset.split(SplitName::calibration);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(
      std::min(project.config.bundle.vectors, calibration.samples.count())));
  std::iota(rows.begin(), rows.end(), 0);
  ExportInput input;
  input.folder = project.bundle_folder();
  input.name = project.config.name;
  input.big = std::move(parts.big);
  input.little = std::move(parts.little);
  input.little_int8 = std::move(parts.little_int8);
  input.policy = std::move(policy);
  input.answers = std::move(answers);
  input.vectors = select(calibration.samples, rows);
  input.vector_labels.assign(calibration.labels.begin(),
                             calibration.labels.begin() + static_cast<std::ptrdiff_t>(rows.size()));
  input.dataset_digest = dataset.digest;
  input.splits = describe_splits(dataset);
  input.config_toml = resolved_toml(project, Stage::export_bundle);
  return input;
}

StageResult describe_result(const ExportInput& input, const SystemReport& report,
                            const std::string& id) {
  const Cost big = answer_cost(input.big);
  const Cost little = answer_cost(input.little);
  const double ratio =
      static_cast<double>(big.macs) / static_cast<double>(std::max<std::int64_t>(little.macs, 1));
  const std::string certificate = explain(input.policy);
  std::string text = report_text(report);
  text += fmt::format("\ncertificate  {}\n", certificate);
  text += fmt::format("little       {} of int8 weights, {} MACs\n",
                      format_bytes(little.int8_weight_bytes), with_thousands(little.macs));
  text += fmt::format("big          {} of float32 weights, {} MACs, {:.0f} times little's\n",
                      format_bytes(float_weight_bytes(big)), with_thousands(big.macs), ratio);
  text += fmt::format("bundle       {}\nid           {}\n", input.folder.string(), id);
  return {text,
          {{"bundle", input.folder.string()},
           {"id", id},
           {"certificate", certificate},
           {"policy", to_json(input.policy)},
           {"report", to_json(report)},
           {"little", {{"int8_weight_bytes", little.int8_weight_bytes}, {"macs", little.macs}}},
           {"big", {{"weight_bytes", float_weight_bytes(big)}, {"macs", big.macs}}},
           {"mac_ratio", ratio}}};
}

}  // namespace

std::unique_ptr<Command> export_command() {
  return std::make_unique<StageCommand>(
      Stage::export_bundle, "Certify the escalation threshold and write the verified bundle");
}

StageResult export_stage(Workspace& workspace) {
  const Project& project = workspace.project();
  const Config& config = workspace.config();
  const Dataset& dataset = workspace.dataset();
  require_few_copies(dataset.split(SplitName::calibration).samples,
                     project.dataset_file().string());
  TrainedParts parts = load_parts(project, dataset);
  const NetworkPair pair{parts.big, parts.little, parts.little_int8, load_engine(), config.compute};
  RecordedAnswers answers = answer_splits(pair, dataset, workspace.observer());
  EscalationPolicy policy = choose_policy(pair, dataset, answers, config.calibrate);
  const SystemReport report = report_answers(pair, answers, policy);
  stop_if_asked(workspace.observer());
  const ExportInput input =
      export_input(project, dataset, std::move(parts), std::move(policy), std::move(answers));
  return describe_result(input, report, write_bundle(input));
}

}  // namespace biglittle
