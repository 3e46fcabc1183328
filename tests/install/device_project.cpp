// SPDX-License-Identifier: MIT
#include "install/device_project.h"

#include <gtest/gtest.h>

#include <span>

#include "bundle/device_cases.h"
#include "bundle/random_int8_model.h"
#include "quant/interpreter.h"
#include "testing/device_program_runner.h"

namespace biglittle::testing {
namespace {

constexpr std::int64_t kSamples = 40;

/// In the order in which a device reads it.
std::string raw_input(const Samples& samples) {
  const Shape& shape = samples.shape;
  const std::int64_t pixels = shape.height * shape.width;
  std::string bytes;
  for (std::int64_t i = 0; i < samples.count(); ++i) {
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
        const std::int64_t at = (i * shape.channels + channel) * pixels + pixel;
        bytes += static_cast<char>(samples.bytes()[static_cast<std::size_t>(at)]);
      }
    }
  }
  return bytes;
}

std::string expected_answers(const Int8Model& model, const EscalationPolicy& policy,
                             const Samples& samples) {
  const std::vector<std::int32_t> accumulators = Interpreter(model).run(samples, 1);
  const std::size_t classes = model.classes.size();
  std::string lines;
  for (std::size_t first = 0; first < accumulators.size(); first += classes) {
    const auto row = std::span(accumulators).subspan(first, classes);
    const auto top = static_cast<std::size_t>(decide(row).top);
    const bool local = score_of(row, policy.rule, *model.priority) >= policy.thresholds[top];
    lines += (local ? model.classes[top] : "ask the big network") + "\n";
  }
  return lines;
}

}  // namespace

DeviceProject::DeviceProject() {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  const EscalationPolicy policy = margin_policy(model);
  const Samples samples = random_samples(model, kSamples, 5);
  device_ = generate(model, policy).files;
  answers_ = expected_answers(model, policy, samples);
  write("samples.bin", raw_input(samples));
}

void DeviceProject::write(const std::string& file, const std::string& text) const {
  write_files((path() / file).parent_path(), {{std::filesystem::path(file).filename(), text}});
}

void DeviceProject::write_device(const std::string& folder) const {
  write_files(path() / folder, device_);
}

std::string DeviceProject::example(const std::string& language, const std::string& text) const {
  const std::string& readme = device_.at("README.md");
  const std::string fence = "```" + language + "\n";
  for (std::size_t at = readme.find(fence); at != std::string::npos;
       at = readme.find(fence, at + 1)) {
    const std::size_t first = at + fence.size();
    const std::string block = readme.substr(first, readme.find("```\n", first) - first);
    if (block.find(text) != std::string::npos) return block;
  }
  ADD_FAILURE() << "the README has no " << language << " example with " << text;
  return "";
}

std::string DeviceProject::run(const std::string& command) const {
  const CommandResult result = run_command("cd " + path().string() + " && (" + command + ")");
  EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.output;
  return result.output;
}

std::string DeviceProject::run_failing(const std::string& command) const {
  const CommandResult result = run_command("cd " + path().string() + " && (" + command + ")");
  EXPECT_NE(result.exit_code, 0) << command << "\n" << result.output;
  return result.output;
}

}  // namespace biglittle::testing
