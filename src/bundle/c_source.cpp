// SPDX-License-Identifier: MIT
#include "bundle/c_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bundle/c_layers.h"
#include "bundle/c_templates.h"
#include "bundle/c_text.h"
#include "bundle/device_memory.h"
#include "bundle/device_policy.h"
#include "bundle/device_program.h"
#include "bundle/runtime_text.h"
#include "core/error.h"
#include "quant/interpreter.h"

namespace biglittle {
namespace {

using Keys = std::map<std::string, std::string>;

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

/// BL_SLACK_BYTES of bl_runtime.h.
constexpr std::int64_t kDeviceSlackBytes = 64;

std::string_view type_name(SampleType type) { return type == SampleType::u8 ? "uint8" : "float32"; }

void require_priorities(const Int8Model& model) {
  if (!model.priority) {
    throw Error(ErrorKind::bad_data,
                "the int8 network has no priority classes, so there is nothing to decide on a "
                "device; derive it with derive-little");
  }
  const auto outputs = static_cast<std::int64_t>(model.classes.size());
  if (model.priority->classes() != outputs || outputs < 2) {
    throw Error(ErrorKind::bad_data,
                fmt::format("the int8 network has {} classes but its priority map has {}; at least "
                            "2 and equally many are needed",
                            outputs, model.priority->classes()));
  }
}

void require_vectors(const Int8Model& model, const Samples& vectors,
                     std::span<const std::int32_t> vector_accumulators) {
  const auto outputs = static_cast<std::int64_t>(model.classes.size());
  if (vectors.shape != model.graph.input().shape || vectors.type() != model.preprocessing.type) {
    throw Error(
        ErrorKind::bad_data,
        fmt::format("the self-test's vectors are {} {}, but the int8 network takes {} {}",
                    type_name(vectors.type()), to_string(vectors.shape),
                    type_name(model.preprocessing.type), to_string(model.graph.input().shape)));
  }
  if (vectors.count() < 1 || vector_accumulators.size() != index(vectors.count() * outputs)) {
    throw Error(ErrorKind::bad_data,
                fmt::format("the self-test has {} vectors and {} accumulators, expected at least 1 "
                            "vector and {} accumulators for each",
                            vectors.count(), vector_accumulators.size(), outputs));
  }
}

/// Samples in height, width, channel order.
template <typename T>
std::vector<T> interleave(std::span<const T> samples, const Shape& shape) {
  const std::size_t channels = index(shape.channels);
  const std::size_t pixels = index(shape.height * shape.width);
  std::vector<T> interleaved(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::size_t sample = i / (channels * pixels);
    const std::size_t channel = i / pixels % channels;
    interleaved[(sample * pixels + i % pixels) * channels + channel] = samples[i];
  }
  return interleaved;
}

std::string input_values(const Samples& vectors) {
  if (vectors.type() == SampleType::u8) {
    const std::vector<std::uint8_t> bytes = interleave(vectors.bytes(), vectors.shape);
    return c_values(std::span<const std::uint8_t>(bytes));
  }
  const std::vector<float> floats = interleave(vectors.floats(), vectors.shape);
  return c_values(std::span<const float>(floats));
}

std::string class_names(const Int8Model& model) {
  std::string text;
  for (const std::string& name : model.classes) text += "    " + c_string(name) + ",\n";
  return text;
}

void add_selftest(Keys& keys, const Samples& vectors, std::span<const std::int32_t> accumulators,
                  const ScoreRule& rule, const PriorityMap& map) {
  std::vector<std::int32_t> classes;
  std::vector<std::int64_t> scores;
  const std::size_t outputs = accumulators.size() / index(vectors.count());
  for (std::size_t first = 0; first < accumulators.size(); first += outputs) {
    const auto row = accumulators.subspan(first, outputs);
    classes.push_back(static_cast<std::int32_t>(decide(row).top));
    scores.push_back(score_of(row, rule, map));
  }
  keys["COUNT"] = std::to_string(vectors.count());
  keys["INPUTS"] = input_values(vectors);
  keys["ACCUMULATORS"] = c_values(accumulators);
  keys["EXPECTED_CLASSES"] = c_values(std::span<const std::int32_t>(classes));
  keys["SCORES"] = c_values(std::span<const std::int64_t>(scores));
}

/// What one layout adds to bl_model.c.
struct NetworkText {
  std::string data;
  std::string calls;  ///< the body of bl_model_run_with up to the accumulators
  std::int64_t arena_bytes = 0;
  std::int64_t constant_bytes = 0;
  std::int64_t code_bytes = 0;
};

NetworkText network_text(const Int8Model& model, DeviceLayout layout) {
  const DeviceProgram program = plan_device_program(model, layout);
  NetworkText text;
  text.code_bytes = device_code_bytes(model, program);
  text.arena_bytes = program.arena.bytes + (layout == DeviceLayout::wide ? kDeviceSlackBytes : 0);
  std::string calls;
  for (const DeviceStep& step : program.steps) {
    const LayerText layer = layer_text(model, program, step);
    text.data += layer.data;
    if (!layer.call.empty()) calls += "  " + layer.call + "\n";
    text.constant_bytes += layer.constant_bytes;
  }
  if (calls.find("memory") != std::string::npos) {
    text.calls = "  bl_byte* const memory = (bl_byte*)arena;\n";
  }
  text.calls += fmt::format("  int32_t* const accumulators = arena + {};\n{}",
                            program.arena.offsets[program.steps.back().output] / 4, calls);
  return text;
}

/// The largest |accumulator| of any layer over all inputs.
std::int64_t largest_accumulator(const Int8Model& model) {
  std::int64_t largest = 0;
  for (const Node& node : model.graph.nodes()) {
    if (!std::holds_alternative<Conv2d>(node.op) && !std::holds_alternative<Linear>(node.op)) {
      continue;
    }
    largest = std::max(largest, std::ranges::max(accumulator_bounds(model, node)));
  }
  return largest;
}

/// Everything that the fixed texts leave open about the network; returns its footprint.
DeviceFootprint add_network(Keys& keys, const Int8Model& model) {
  const NetworkText tight = network_text(model, DeviceLayout::tight);
  const NetworkText wide = network_text(model, DeviceLayout::wide);
  const DeviceFootprint footprint{tight.arena_bytes, tight.constant_bytes, wide.arena_bytes,
                                  wide.constant_bytes, tight.code_bytes};
  keys["DATA"] = tight.data;
  keys["CALLS"] = tight.calls;
  keys["WIDE_DATA"] = wide.data;
  keys["WIDE_CALLS"] = wide.calls;
  keys["WIDE_ARENA_BYTES"] = std::to_string(footprint.wide_arena_bytes);
  keys["WIDE_CONSTANT_BYTES"] = std::to_string(footprint.wide_constant_bytes);
  const Shape& shape = model.graph.input().shape;
  const bool bytes = model.preprocessing.type == SampleType::u8;
  keys["HEIGHT"] = std::to_string(shape.height);
  keys["WIDTH"] = std::to_string(shape.width);
  keys["CHANNELS"] = std::to_string(shape.channels);
  keys["INPUT_COUNT"] = std::to_string(shape.count());
  keys["INPUT_TYPE"] = bytes ? "uint8_t" : "float";
  keys["UNIT"] = bytes ? "one byte each" : "one float each";
  keys["CLASSES"] = std::to_string(model.classes.size());
  keys["CLASS_NAMES"] = class_names(model);
  keys["PRIORITIES"] = std::to_string(model.priority->priorities());
  keys["DIGEST"] = int8_digest(model);
  keys["ACCUMULATOR_BOUND"] = std::to_string(largest_accumulator(model));
  keys["ARENA_BYTES"] = std::to_string(footprint.arena_bytes);
  keys["CONSTANT_BYTES"] = std::to_string(footprint.constant_bytes);
  keys["CODE_BYTES"] = std::to_string(footprint.code_bytes);
  keys["FLASH_BYTES"] = std::to_string(footprint.constant_bytes + footprint.code_bytes);
  keys["STACK_BYTES"] = std::to_string(kDeviceStackBytes);
  keys["WIDE_STACK_BYTES"] = std::to_string(kWideDeviceStackBytes);
  keys["RAM_BYTES"] = std::to_string(footprint.arena_bytes + kDeviceStackBytes);
  return footprint;
}

}  // namespace

DeviceFootprint device_footprint(const Int8Model& model) {
  require_priorities(model);
  Keys unused;
  return add_network(unused, model);
}

DeviceSource device_source(const Int8Model& model, const EscalationPolicy& policy,
                           const Samples& vectors,
                           std::span<const std::int32_t> vector_accumulators) {
  require_priorities(model);
  require_device_policy(policy, model.classes.size());
  require_vectors(model, vectors, vector_accumulators);
  Keys keys = device_policy_keys(policy, *model.priority);
  DeviceSource source;
  source.footprint = add_network(keys, model);
  add_selftest(keys, vectors, vector_accumulators, policy.rule, *model.priority);
  source.files = runtime_text();
  source.files["bl_model.h"] = fill_in(model_header_template(), keys);
  source.files["bl_model.c"] = fill_in(model_source_template(), keys);
  source.files["bl_selftest.c"] = fill_in(selftest_template(), keys);
  source.files["README.md"] = fill_in(device_readme_template(), keys);
  source.files["CMakeLists.txt"] = device_cmake_template();
  return source;
}

}  // namespace biglittle
