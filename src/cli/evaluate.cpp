// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cli/bundle_data.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/console.h"
#include "cli/measure.h"

namespace biglittle {
namespace {

class EvaluateCommand : public Command {
 public:
  std::string_view name() const override { return "evaluate"; }
  std::string_view summary() const override {
    return "Measure big, little and the system on a dataset's test split";
  }

  void declare(Arguments& arguments) override {
    arguments.required("BUNDLE", bundle_, "Folder that export wrote");
    arguments.required("DATASET", dataset_, "Dataset file; its tune and test splits are read");
    arguments.option("--config", "FILE", config_, "Take [compute] from this config");
    arguments.flag("--json", json_, "Print the result as JSON");
  }

  int run() override {
    const ComputeOptions compute =
        config_.empty() ? ComputeOptions{} : load_project(config_, {}).config.compute;
    const Bundle bundle = load_bundle(bundle_);
    const Dataset dataset = read_dataset(dataset_);
    require_same_task(bundle, dataset, dataset_);
    const NetworkPair pair{bundle.big, bundle.little, bundle.little_int8, load_engine(), compute};
    const Split& test = dataset.split(SplitName::test);
    RecordedAnswers answers;
    answers.tune = answer_split(pair, dataset.split(SplitName::tune));
    answers.test = answer_split(pair, test);
    answers.little_float_class = little_float_classes(pair, test);
    const SystemReport report = report_answers(pair, answers, bundle.policy);
    print(json_ ? to_text(result_json(bundle, dataset, report))
                : result_text(bundle, dataset, report));
    return 0;
  }

 private:
  static std::string result_text(const Bundle& bundle, const Dataset& dataset,
                                 const SystemReport& report) {
    std::string text = report_text(report) + "\n" + class_table(report);
    text += fmt::format("\ncertificate  {}\n", explain(bundle.policy));
    if (!is_bundles_own(bundle, dataset)) {
      text +=
          "note         this is not the dataset the bundle was made with; the certificate is "
          "about that one\n";
    }
    return text;
  }

  static Json result_json(const Bundle& bundle, const Dataset& dataset,
                          const SystemReport& report) {
    return {{"bundle", bundle.id},
            {"dataset", dataset.digest},
            {"same_dataset", is_bundles_own(bundle, dataset)},
            {"split", "test"},
            {"report", to_json(report)},
            {"policy", to_json(bundle.policy)}};
  }

  std::filesystem::path bundle_;
  std::filesystem::path dataset_;
  std::filesystem::path config_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> evaluate_command() { return std::make_unique<EvaluateCommand>(); }

}  // namespace biglittle
