// SPDX-License-Identifier: MIT
#include "quant/small_model.h"

#include <vector>

namespace biglittle::testing {
namespace {

template <typename T>
Tensor tensor(std::vector<std::int64_t> shape, const std::vector<T>& values) {
  return Tensor::of<T>(std::move(shape), std::span<const T>(values));
}

}  // namespace

Int8Model small_model() {
  Int8Model model;
  model.graph.append("input", Input{{2, 4, 4}});
  model.graph.append("conv", Conv2d{3, Window{}, 1, true}, {"input"});
  model.graph.append("relu", Relu{}, {"conv"});
  model.graph.append("mean", GlobalAvgPool{}, {"relu"});
  model.graph.append("logits", Linear{2}, {"mean"});
  model.preprocessing = {SampleType::u8, 0.02, 30.0};
  model.activations = {{"input", {0.02f, -98}},
                       {"conv", {0.1f, -128}},
                       {"relu", {0.1f, -128}},
                       {"mean", {0.05f, -128}}};
  model.weights = {{"conv.weight", tensor<std::int8_t>({3, 2, 1, 1}, {1, -2, 3, -4, 5, -127})},
                   {"conv.bias", tensor<std::int32_t>({3}, {10, -20, 30})},
                   {"conv.weight_scale", tensor<float>({3}, {0.01f, 0.02f, 0.03f})},
                   {"logits.weight", tensor<std::int8_t>({2, 3}, {1, 2, 3, 4, 5, 6})},
                   {"logits.bias", tensor<std::int32_t>({2}, {7, 8})},
                   {"logits.weight_scale", tensor<float>({2}, {0.04f, 0.04f})}};
  model.classes = {"boot", "other"};
  model.priority = PriorityMap{{1, 0, 1}, {"boot", "other"}, true};
  model.source_digest = "abc";
  model.config_toml = "[quantize]\nrange = \"mse\"\n";
  model.program_version = "0.1.0";
  return model;
}

}  // namespace biglittle::testing
