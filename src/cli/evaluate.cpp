// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "bundle/bundle.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/console.h"
#include "cli/measure.h"
#include "core/error.h"

namespace biglittle {
namespace {

void require_same_task(const Bundle& bundle, const Dataset& dataset,
                       const std::filesystem::path& file) {
  const Shape& expected = bundle.big.network.graph.input().shape;
  if (!(dataset.input_shape == expected)) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: samples are {}, the bundle's networks expect {}", file.string(),
                            to_string(dataset.input_shape), to_string(expected)));
  }
  if (dataset.classes != bundle.big.classes) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: its classes are not those of the bundle ({} and {} names); import "
                            "it with the bundle's class names, in the same order",
                            file.string(), dataset.classes.size(), bundle.big.classes.size()));
  }
}

class EvaluateCommand : public Command {
 public:
  std::string_view name() const override { return "evaluate"; }
  std::string_view summary() const override {
    return "Measure big, little and the system on a dataset's test split";
  }

  void declare(Arguments& arguments) override {
    arguments.required("BUNDLE", bundle_, "Folder that export wrote");
    arguments.required("DATASET", dataset_, "Dataset file; only its test split is read");
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
    const SystemReport report = report_split(pair, dataset.split(SplitName::test), bundle.policy);
    print(json_ ? to_text(result_json(bundle, dataset, report))
                : result_text(bundle, dataset, report));
    return 0;
  }

 private:
  static bool is_bundles_own(const Bundle& bundle, const Dataset& dataset) {
    return bundle.big.dataset_digest == dataset.digest;
  }

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
