// SPDX-License-Identifier: MIT
#include "quant/float_engine.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "core/error.h"
#include "quant/naive_layers.h"

namespace biglittle::testing {
namespace {

using Reals = std::vector<double>;

Reals tensor(const Network& network, const std::string& name, std::size_t count_if_absent) {
  const auto found = network.weights.find(name);
  if (found == network.weights.end()) return Reals(count_if_absent, 0.0);
  const auto values = found->second.values<float>();
  return Reals(values.begin(), values.end());
}

Reals batch_norm(const Network& network, const Node& node, const BatchNorm& op, Reals values) {
  const auto channels = static_cast<std::size_t>(node.shape.channels);
  const Reals weight = tensor(network, node.name + ".weight", channels);
  const Reals bias = tensor(network, node.name + ".bias", channels);
  const Reals mean = tensor(network, node.name + ".running_mean", channels);
  const Reals variance = tensor(network, node.name + ".running_var", channels);
  const std::size_t pixels = values.size() / channels;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i / pixels;
    values[i] = (values[i] - mean[c]) / std::sqrt(variance[c] + op.epsilon) * weight[c] + bias[c];
  }
  return values;
}

Reals compute(const Network& network, const Node& node, const std::map<std::string, Reals>& done) {
  Reals input = done.at(node.inputs.at(0));
  const Shape& in = network.graph.input_shape(node);
  const auto channels = static_cast<std::size_t>(node.shape.channels);
  const auto clamp = [&](double high) {
    for (double& value : input) value = std::clamp(value, 0.0, high);
    return input;
  };
  const auto mean = [&](const Window& window) {
    Reals sums = naive_window_sum(input, in, window, node.shape);
    for (double& sum : sums) sum /= static_cast<double>(window.kernel_height * window.kernel_width);
    return sums;
  };
  return std::visit(
      Overloaded{
          [&](const Conv2d& op) {
            return naive_conv(input, in, tensor(network, node.name + ".weight", 0),
                              tensor(network, node.name + ".bias", channels), op, node.shape);
          },
          [&](const Linear&) {
            return naive_linear(input, tensor(network, node.name + ".weight", 0),
                                tensor(network, node.name + ".bias", channels));
          },
          [&](const BatchNorm& op) { return batch_norm(network, node, op, input); },
          [&](const Relu&) { return clamp(1e300); }, [&](const Relu6&) { return clamp(6.0); },
          [&](const MaxPool& op) { return naive_window_max(input, in, op.window, node.shape); },
          [&](const AvgPool& op) { return mean(op.window); },
          [&](const GlobalAvgPool&) { return mean(whole_image(in)); },
          [&](const Add&) {
            const Reals& other = done.at(node.inputs.at(1));
            for (std::size_t i = 0; i < input.size(); ++i) input[i] += other[i];
            return input;
          },
          [&](const auto&) { return input; }},
      node.op);
}

std::map<std::string, Reals> run(const Network& network, const Preprocessing& preprocessing,
                                 const Samples& samples, std::int64_t row) {
  std::map<std::string, Reals> done;
  Reals input;
  const std::int64_t count = samples.shape.count();
  for (std::int64_t i = row * count; i < (row + 1) * count; ++i) {
    const auto place = static_cast<std::size_t>(i);
    const double raw = samples.type() == SampleType::u8
                           ? static_cast<double>(samples.bytes()[place])
                           : static_cast<double>(samples.floats()[place]);
    input.push_back(preprocessing.scale * (raw - preprocessing.offset));
  }
  for (const Node& node : network.graph.nodes()) {
    const bool first = std::holds_alternative<Input>(node.op);
    done[node.name] = first ? input : compute(network, node, done);
  }
  return done;
}

}  // namespace

FitResult FloatEngine::fit(const FitRequest&, Observer&) const {
  throw Error(ErrorKind::internal, "the float engine of the tests cannot train");
}

TrainingProfile FloatEngine::profile(const FitRequest&, std::int64_t) const {
  throw Error(ErrorKind::internal, "the float engine of the tests cannot train");
}

std::vector<float> FloatEngine::logits(const Network& network, const Preprocessing& preprocessing,
                                       const Samples& samples, const ComputeOptions&) const {
  std::vector<float> result;
  for (std::int64_t row = 0; row < samples.count(); ++row) {
    const auto values = run(network, preprocessing, samples, row);
    for (const double value : values.at(network.graph.output().name)) {
      result.push_back(static_cast<float>(value));
    }
  }
  return result;
}

void FloatEngine::observe(const Network& network, const Preprocessing& preprocessing,
                          const Samples& samples, const SeeActivations& see) const {
  for (std::int64_t first = 0; first < samples.count(); first += batch_) {
    std::map<std::string, std::vector<float>> batch;
    for (std::int64_t row = first; row < std::min(samples.count(), first + batch_); ++row) {
      for (const auto& [node, values] : run(network, preprocessing, samples, row)) {
        for (const double value : values) batch[node].push_back(static_cast<float>(value));
      }
    }
    for (const Node& node : network.graph.nodes()) see(node.name, batch.at(node.name));
  }
}

}  // namespace biglittle::testing
