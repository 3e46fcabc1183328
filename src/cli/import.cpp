// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/describe_network.h"
#include "cli/stages.h"
#include "core/error.h"
#include "core/option_names.h"

namespace biglittle {
namespace {

/// Makes a command-line option of every import option but the source, from its one description;
/// what was typed is kept as `--set` keeps it and checked the same way.
class ImportArguments : public OptionVisitor {
 public:
  explicit ImportArguments(Arguments& arguments) : arguments_(&arguments) {}

  void field(std::string_view name, bool&, std::string_view help) override {
    add(name, "true|false", help, Kind::plain);
  }
  void field(std::string_view name, std::int64_t&, IntRange, std::string_view help) override {
    add(name, "N", help, Kind::plain);
  }
  void field(std::string_view name, double&, RealRange, std::string_view help) override {
    add(name, "X", help, Kind::plain);
  }
  void field(std::string_view name, std::string&, std::string_view help) override {
    add(name, "TEXT", help, Kind::text);
  }
  void field(std::string_view name, std::filesystem::path&, std::string_view help) override {
    if (name != "source") add(name, "PATH", help, Kind::text);
  }
  void field(std::string_view name, std::vector<std::string>&, std::string_view help) override {
    add(name, "TEXT", help, Kind::list);
  }
  void field(std::string_view name, std::vector<std::int64_t>&, IntRange,
             std::string_view help) override {
    add(name, "[N,...]", help, Kind::plain);
  }
  void choice(std::string_view name, std::string_view, std::span<const std::string_view> permitted,
              const std::function<void(std::size_t)>&, std::string_view help) override {
    const std::string words = fmt::format("{}", fmt::join(permitted, "|"));
    add(name, words, help, Kind::text);
  }
  void begin_section(std::string_view, std::string_view) override {}
  void end_section() override {}

  /// Puts what was typed into `options`; throws Error{usage}.
  void apply(ImportOptions& options) const {
    for (const Typed& typed : typed_) {
      if (typed.values.empty()) continue;
      const std::string assignment = typed.name + "=" + value_of(typed);
      try {
        apply_assignment(assignment,
                         [&options](OptionVisitor& visitor) { describe(options, visitor); });
      } catch (const Error& error) {
        std::string reason = error.what();
        const std::string place = fmt::format("--set {}: ", assignment);
        if (reason.starts_with(place)) reason.erase(0, place.size());
        throw Error(ErrorKind::usage, fmt::format("import: {}: {}", typed.option, reason));
      }
    }
  }

 private:
  enum class Kind { plain, text, list };
  struct Typed {
    std::string name;
    std::string option;
    Kind kind = Kind::plain;
    std::vector<std::string> values;
  };

  void add(std::string_view name, std::string_view placeholder, std::string_view help, Kind kind) {
    std::string option = "--" + std::string(name);
    std::replace(option.begin(), option.end(), '_', '-');
    typed_.push_back({std::string(name), option, kind, {}});
    const std::string more = kind == Kind::list ? "; once for each, in order" : "";
    arguments_->option(option, placeholder, typed_.back().values, std::string(help) + more);
  }

  static std::string value_of(const Typed& typed) {
    if (typed.kind == Kind::plain) return typed.values.back();
    if (typed.kind == Kind::text) return toml_string(typed.values.back());
    std::vector<std::string> items;
    for (const std::string& value : typed.values) items.push_back(toml_string(value));
    return fmt::format("[{}]", fmt::join(items, ","));
  }

  Arguments* arguments_;
  std::deque<Typed> typed_;  // addresses are handed to the parser: they must stay
};

class ImportCommand : public Command {
 public:
  std::string_view name() const override { return "import"; }
  std::string_view summary() const override {
    return "Turn raw files into one checked dataset with disjoint splits";
  }

  void declare(Arguments& arguments) override {
    arguments.required("SOURCE", options_.source, "Folder or file with the raw data");
    arguments.option("-o,--output", "FILE", output_, "The dataset to write; default data.h5");
    typed_ = std::make_unique<ImportArguments>(arguments);
    ImportOptions defaults;
    describe(defaults, *typed_);
    arguments.flag("--json", json_, "Print what was imported as JSON");
  }

  int run() override {
    typed_->apply(options_);
    const Dataset dataset = import_dataset(options_);
    write_dataset(output_, dataset);
    print(json_ ? to_text(dataset_json(dataset))
                : fmt::format("dataset  {}\n{}", output_.string(), dataset_text(dataset)));
    return 0;
  }

 private:
  ImportOptions options_;
  std::filesystem::path output_ = "data.h5";
  std::unique_ptr<ImportArguments> typed_;
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
