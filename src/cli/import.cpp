// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/describe_network.h"
#include "cli/option_arguments.h"
#include "cli/stages.h"
#include "core/error.h"

namespace biglittle {
namespace {

class ImportCommand : public Command {
 public:
  std::string_view name() const override { return "import"; }
  std::string_view summary() const override {
    return "Turn raw files into one checked dataset with disjoint splits";
  }

  void declare(Arguments& arguments) override {
    arguments.required("SOURCE", options_.source, "Folder or file with the raw data");
    arguments.option("-o,--output", "FILE", output_, "The dataset to write; default data.h5");
    typed_.declare(arguments, [this](OptionVisitor& visitor) { describe(options_, visitor); });
    arguments.flag("--json", json_, "Print what was imported as JSON");
  }

  int run() override {
    typed_.apply([this](OptionVisitor& visitor) { describe(options_, visitor); });
    const Dataset dataset = import_dataset(options_);
    write_dataset(output_, dataset);
    print(json_ ? to_text(dataset_json(dataset))
                : fmt::format("dataset  {}\n{}", output_.string(), dataset_text(dataset)));
    return 0;
  }

 private:
  ImportOptions options_;
  std::filesystem::path output_ = "data.h5";
  OptionArguments typed_{"import", {"source"}};
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> import_command() { return std::make_unique<ImportCommand>(); }

StageResult import_stage(Workspace& workspace) {
  const Project& project = workspace.project();
  ImportOptions options = workspace.config().data.import;
  if (options.source.empty()) {
    throw Error(ErrorKind::config,
                fmt::format("data.import.source is not set, so {} cannot be made",
                            project.dataset_file().string()));
  }
  options.source = project.import_source();
  workspace.keep_dataset(import_dataset(options));
  const Dataset& dataset = workspace.dataset();
  return {fmt::format("dataset  {}\n{}", project.dataset_file().string(), dataset_text(dataset)),
          dataset_json(dataset)};
}

}  // namespace biglittle
