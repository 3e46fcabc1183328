// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "bundle/bundle.h"
#include "bundle/c_source.h"
#include "bundle/device_memory.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/describe_network.h"
#include "core/error.h"
#include "core/files.h"
#include "core/safetensors.h"
#include "core/text.h"

namespace biglittle {
namespace {

struct Description {
  std::string text;
  Json json;
};

std::string preprocessing_text(const Preprocessing& preprocessing) {
  return fmt::format("x = {:.6g} (raw - {:.6g}), raw is {}{}", preprocessing.scale,
                     preprocessing.offset,
                     preprocessing.type == SampleType::u8 ? "uint8" : "float32",
                     preprocessing.with_mirror ? "; logits are means with the mirror image's" : "");
}

Description describe_dataset(const std::filesystem::path& file) {
  const Dataset dataset = read_dataset(file);
  return {"kind     dataset\n" + dataset_text(dataset), dataset_json(dataset)};
}

Description describe_checkpoint(const std::filesystem::path& file) {
  const Checkpoint checkpoint = load_checkpoint(file);
  const std::string digest = network_digest(checkpoint.network);
  std::string text = "kind           checkpoint\n";
  text += fmt::format("classes        {}\n", fmt::join(checkpoint.classes, ", "));
  text += fmt::format("preprocessing  {}\n", preprocessing_text(checkpoint.preprocessing));
  text += fmt::format("epochs         {}\n", checkpoint.history.size());
  text += fmt::format("digest         {}\n", digest);
  text += fmt::format("dataset        {}\n", checkpoint.dataset_digest);
  if (!checkpoint.teacher_digest.empty()) {
    text += fmt::format("teacher        {}\n", checkpoint.teacher_digest);
  }
  text += fmt::format("made by        biglittle {}\n\n", checkpoint.program_version);
  Json json = {{"kind", "checkpoint"},
               {"classes", checkpoint.classes},
               {"preprocessing", to_json(checkpoint.preprocessing)},
               {"priority", checkpoint.priority ? to_json(*checkpoint.priority) : Json()},
               {"digest", digest},
               {"dataset_digest", checkpoint.dataset_digest},
               {"teacher_digest", checkpoint.teacher_digest},
               {"program_version", checkpoint.program_version},
               {"history", checkpoint.history},
               {"cost", graph_cost_json(checkpoint.network.graph)}};
  return {text + graph_text(checkpoint.network.graph), std::move(json)};
}

Description describe_int8_model(const std::filesystem::path& file) {
  const Int8Model model = load_int8_model(file);
  const std::string digest = int8_digest(model);
  std::string text = "kind           int8 network\n";
  text += fmt::format("classes        {}\n", fmt::join(model.classes, ", "));
  text += fmt::format("preprocessing  {}\n", preprocessing_text(model.preprocessing));
  text += fmt::format("digest         {}\n", digest);
  text += fmt::format("made from      {}\n", model.source_digest);
  text += fmt::format("made by        biglittle {}\n\n", model.program_version);
  Json json = {{"kind", "int8 network"},
               {"classes", model.classes},
               {"preprocessing", to_json(model.preprocessing)},
               {"priority", model.priority ? to_json(*model.priority) : Json()},
               {"digest", digest},
               {"source_digest", model.source_digest},
               {"program_version", model.program_version},
               {"cost", graph_cost_json(model.graph)}};
  return {text + graph_text(model.graph), std::move(json)};
}

std::string footprint_text(const DeviceFootprint& footprint) {
  return format_table(
      {"device code, bytes", "microcontrollers, portable C", "x86, AArch64"},
      {{"weights, biases, multipliers (flash)", with_thousands(footprint.constant_bytes),
        with_thousands(footprint.wide_constant_bytes)},
       {"code and tables on a Cortex-M4 (flash), at most", with_thousands(footprint.code_bytes),
        ""},
       {"arena for activations (RAM)", with_thousands(footprint.arena_bytes),
        with_thousands(footprint.wide_arena_bytes)},
       {"stack, at most", with_thousands(kDeviceStackBytes),
        with_thousands(kWideDeviceStackBytes)}});
}

Json footprint_json(const DeviceFootprint& footprint) {
  return {{"constant_bytes", footprint.constant_bytes},
          {"code_bytes", footprint.code_bytes},
          {"arena_bytes", footprint.arena_bytes},
          {"stack_bytes", kDeviceStackBytes},
          {"wide_constant_bytes", footprint.wide_constant_bytes},
          {"wide_arena_bytes", footprint.wide_arena_bytes},
          {"wide_stack_bytes", kWideDeviceStackBytes}};
}

Description describe_bundle(const std::filesystem::path& folder) {
  const Bundle bundle = load_bundle(folder);
  std::string text = fmt::format("kind         bundle\nname         {}\nid           {}\n",
                                 bundle.name, bundle.id);
  text += fmt::format("made by      biglittle {}\n", bundle.manifest.program_version);
  text += fmt::format("classes      {}\n", fmt::join(bundle.big.classes, ", "));
  text += fmt::format("on device    {}\n", fmt::join(bundle.little.classes, ", "));
  text += fmt::format("certificate  {}\n\n", explain(bundle.policy));
  std::vector<std::vector<std::string>> rows;
  Json files = Json::array();
  for (const FileRecord& file : bundle.manifest.files) {
    rows.push_back({file.path, format_bytes(file.bytes), file.sha256.substr(0, 12)});
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  text += format_table({"file", "size", "sha256"}, rows);
  const DeviceFootprint footprint = device_footprint(bundle.little_int8);
  text.append("\n").append(footprint_text(footprint));
  text += "\nlittle network\n" + graph_text(bundle.little_int8.graph);
  Json json = {{"kind", "bundle"},
               {"name", bundle.name},
               {"id", bundle.id},
               {"program_version", bundle.manifest.program_version},
               {"classes", bundle.big.classes},
               {"little_classes", bundle.little.classes},
               {"policy", to_json(bundle.policy)},
               {"files", files},
               {"report", bundle.report},
               {"device", footprint_json(footprint)},
               {"little_cost", graph_cost_json(bundle.little_int8.graph)},
               {"big_cost", graph_cost_json(bundle.big.network.graph)}};
  return {std::move(text), std::move(json)};
}

Description describe_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return describe_bundle(file);
  if (!std::filesystem::exists(file, ignored)) {
    throw Error(ErrorKind::missing_input,
                fmt::format("{} is not there; expected a dataset, a checkpoint, an int8 network or "
                            "a bundle folder",
                            file.string()));
  }
  if (looks_like_hdf5(file)) return describe_dataset(file);
  const SafetensorsFile content = read_safetensors(file);
  const auto kind = content.metadata.find("kind");
  const bool is_int8 = kind != content.metadata.end() && kind->second == "biglittle-int8";
  return is_int8 ? describe_int8_model(file) : describe_checkpoint(file);
}

class InspectCommand : public Command {
 public:
  std::string_view name() const override { return "inspect"; }
  std::string_view summary() const override {
    return "Describe a dataset, a checkpoint, an int8 network or a bundle";
  }

  void declare(Arguments& arguments) override {
    arguments.required("FILE", file_, "The file, or a bundle's folder");
    arguments.flag("--json", json_, "Print the description as JSON");
  }

  int run() override {
    const Description description = describe_file(file_);
    print(json_ ? to_text(description.json) : description.text);
    return 0;
  }

 private:
  std::filesystem::path file_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> inspect_command() { return std::make_unique<InspectCommand>(); }

}  // namespace biglittle
