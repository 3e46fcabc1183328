// SPDX-License-Identifier: MIT
#include "engines/engine_cases.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "bundle/onnx.h"
#include "core/files.h"
#include "core/safetensors.h"
#include "graph/reference.h"
#include "quant/interpreter.h"

namespace biglittle::testing {
namespace {

const OnnxMetadata kMetadata = {{"purpose", "test"}};

std::vector<std::int64_t> batch_shape(const Samples& samples) {
  return {samples.count(), samples.shape.channels, samples.shape.height, samples.shape.width};
}

Tensor as_tensor(const Samples& samples) {
  if (samples.type() == SampleType::u8) {
    return Tensor::of<std::uint8_t>(batch_shape(samples), samples.bytes());
  }
  return Tensor::of<float>(batch_shape(samples), samples.floats());
}

/// One sample in the network's own units.
std::vector<double> normalized(const Samples& samples, std::int64_t row,
                               const Preprocessing& preprocessing) {
  std::vector<double> values;
  for (std::int64_t i = row * samples.shape.count(); i < (row + 1) * samples.shape.count(); ++i) {
    const auto index = static_cast<std::size_t>(i);
    const double raw = samples.type() == SampleType::u8 ? double{samples.bytes()[index] * 1.0}
                                                        : double{samples.floats()[index]};
    values.push_back(preprocessing.scale * (raw - preprocessing.offset));
  }
  return values;
}

std::vector<double> mirrored(std::vector<double> sample, const Shape& shape) {
  for (auto row = sample.begin(); row != sample.end(); row += shape.width) {
    std::reverse(row, row + shape.width);
  }
  return sample;
}

/// accumulators * s_x * s_w of the last layer, in float32.
std::vector<float> logits_of(const Int8Model& model, const std::vector<std::int32_t>& sums) {
  const Node& last = model.graph.output();
  const float unit = model.activations.at(last.inputs.at(0)).scale *
                     model.weights.at(last.name + ".weight_scale").values<float>()[0];
  std::vector<float> logits;
  for (const std::int32_t sum : sums) logits.push_back(static_cast<float>(sum) * unit);
  return logits;
}

}  // namespace

void EngineCases::add_int8(const std::string& name, const Int8Model& model,
                           const Samples& samples) {
  const std::vector<std::int32_t> sums = Interpreter(model).run(samples, 1);
  const std::vector<std::int64_t> shape = {samples.count(), model.graph.output().shape.channels};
  SafetensorsFile file;
  file.tensors["samples"] = as_tensor(samples);
  file.tensors["accumulators"] = Tensor::of<std::int32_t>(shape, sums);
  file.tensors["logits"] = Tensor::of<float>(shape, logits_of(model, sums));
  write_safetensors(folder_ / (name + ".safetensors"), file);
  add_case(name + ".qdq.onnx", name + ".safetensors", "int8", {"extended", "all"},
           int8_onnx(model, kMetadata, Int8OnnxForm::qdq));
  add_case(name + ".qoperator.onnx", name + ".safetensors", "int8",
           {"disabled", "basic", "extended", "all"},
           int8_onnx(model, kMetadata, Int8OnnxForm::qoperator));
}

void EngineCases::add_float(const std::string& name, const Network& network,
                            const Preprocessing& preprocessing, const Samples& samples) {
  std::vector<float> logits;
  for (std::int64_t row = 0; row < samples.count(); ++row) {
    const std::vector<double> sample = normalized(samples, row, preprocessing);
    std::vector<double> answer = run_reference(network, sample);
    if (preprocessing.with_mirror) {
      const std::vector<double> other = run_reference(network, mirrored(sample, samples.shape));
      for (std::size_t i = 0; i < answer.size(); ++i) answer[i] = (answer[i] + other[i]) / 2.0;
    }
    for (const double logit : answer) logits.push_back(static_cast<float>(logit));
  }
  SafetensorsFile file;
  file.tensors["samples"] = as_tensor(samples);
  file.tensors["logits"] =
      Tensor::of<float>({samples.count(), network.graph.output().shape.channels}, logits);
  write_safetensors(folder_ / (name + ".safetensors"), file);
  add_case(name + ".onnx", name + ".safetensors", "float", {"disabled", "all"},
           float_onnx(fold_batch_norm(network), preprocessing, kMetadata));
}

void EngineCases::add_case(const std::string& model, const std::string& tensors,
                           const std::string& kind, const std::vector<std::string>& levels,
                           std::span<const std::byte> bytes) {
  write_file(folder_ / model, bytes);
  cases_.push_back({{"model", model}, {"tensors", tensors}, {"kind", kind}, {"levels", levels}});
  models_.push_back((folder_ / model).string());
}

void EngineCases::finish() const { write_file(folder_ / "cases.json", to_text(cases_)); }

Network random_float_network(const Graph& graph, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Network network{graph, {}};
  for (const WeightSpec& spec : graph.weights()) {
    Tensor tensor(DType::f32, spec.shape);
    const auto fan_in = static_cast<float>(tensor.count() / spec.shape.front());
    const bool filter = spec.shape.size() > 1;
    for (float& value : tensor.values<float>()) {
      value = normal(random) * (filter ? std::sqrt(1.5f / fan_in) : 0.1f);
      if (spec.name.ends_with(".running_var")) value = 0.5f + std::abs(value);
      if (spec.name.ends_with("_bn.weight")) value += 0.8f;
    }
    network.weights.emplace(spec.name, std::move(tensor));
  }
  return network;
}

}  // namespace biglittle::testing
