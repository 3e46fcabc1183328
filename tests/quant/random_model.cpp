// SPDX-License-Identifier: MIT
#include "quant/random_model.h"

#include <fmt/format.h>

#include <cmath>
#include <random>
#include <string>

namespace biglittle::testing {
namespace {

/// Draws without std distributions, whose results differ between standard libraries.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  bool chance(std::int64_t percent) { return whole(1, 100) <= percent; }

 private:
  std::mt19937_64 engine_;
};

/// Grows one graph with the quantization and weights of each node.
class Builder {
 public:
  explicit Builder(std::uint64_t seed) : random_(seed), seed_(seed) {}

  RandomCase build() {
    add_input();
    const std::int64_t layers = random_.whole(1, 6);
    for (std::int64_t i = 0; i < layers; ++i) add_random_node();
    add_head();
    for (std::int64_t c = 0; c < model_.graph.output().shape.channels; ++c) {
      model_.classes.push_back("class" + std::to_string(c));
    }
    return {model_, samples()};
  }

 private:
  std::string next_name() { return fmt::format("n{}", model_.graph.nodes().size()); }
  const Node& last() const { return model_.graph.nodes().back(); }

  Quantization random_quantization(double scale) {
    return {static_cast<float>(scale), static_cast<std::int32_t>(random_.whole(-128, 127))};
  }

  void add_input() {
    const Shape shape{random_.whole(1, 20), random_.whole(1, 9), random_.whole(1, 9)};
    model_.graph.append("input", Input{shape});
    Preprocessing& raw = model_.preprocessing;
    raw.scale = random_.real(0.004, 0.05);
    if (seed_ % 2 == 0) {
      raw.offset = static_cast<double>(random_.whole(0, 255));
      model_.activations["input"] = {static_cast<float>(raw.scale),
                                     static_cast<std::int32_t>(raw.offset) - 128};
      return;
    }
    raw.type = SampleType::f32;
    raw.offset = random_.real(-3.0, 3.0);
    model_.input_step = static_cast<float>(random_.real(0.01, 0.1));
    model_.activations["input"] =
        random_quantization(static_cast<float>(raw.scale * double{model_.input_step}));
  }

  Window random_window(const Shape& in, bool pooling) {
    Window window;
    window.kernel_height = random_.whole(1, std::min<std::int64_t>(5, in.height + 2));
    window.kernel_width = random_.whole(1, std::min<std::int64_t>(5, in.width + 2));
    window.stride_height = random_.whole(1, 3);
    window.stride_width = random_.whole(1, 3);
    const auto pad = [&](std::int64_t kernel, std::int64_t size) {
      const std::int64_t most = pooling ? kernel - 1 : kernel;
      const std::int64_t least = std::max<std::int64_t>(0, kernel - size);
      return random_.whole(std::min(least, most), most);
    };
    window.pad_top = pad(window.kernel_height, in.height);
    window.pad_bottom = pad(window.kernel_height, in.height);
    window.pad_left = pad(window.kernel_width, in.width);
    window.pad_right = pad(window.kernel_width, in.width);
    return window;
  }

  Conv2d random_conv(const Shape& in) {
    Conv2d conv;
    conv.window = random_window(in, false);
    conv.out_channels = random_.whole(1, 40);
    if (random_.chance(40)) {  // depthwise, with one or two filters a channel
      conv.groups = in.channels;
      conv.out_channels = in.channels * random_.whole(1, 2);
    } else if (in.channels % 2 == 0 && random_.chance(40)) {
      conv.groups = 2;
      conv.out_channels *= 2;
    }
    return conv;
  }

  void add_weights(const Node& node, std::int64_t channels, std::int64_t row, bool shared_scale) {
    std::vector<std::int8_t> weights;
    for (std::int64_t i = 0; i < channels * row; ++i) {
      weights.push_back(static_cast<std::int8_t>(random_.whole(-127, 127)));
    }
    std::vector<std::int32_t> bias;
    std::vector<float> scales;
    for (std::int64_t o = 0; o < channels; ++o) {
      bias.push_back(static_cast<std::int32_t>(random_.whole(-20000, 20000)));
      scales.push_back(static_cast<float>(random_.real(0.001, 0.01)));
      if (shared_scale) scales.back() = scales.front();
    }
    model_.weights[node.name + ".weight"] =
        Tensor::of<std::int8_t>(model_.graph.weights(node)[0].shape, weights);
    model_.weights[node.name + ".bias"] = Tensor::of<std::int32_t>({channels}, bias);
    model_.weights[node.name + ".weight_scale"] = Tensor::of<float>({channels}, scales);
  }

  /// A scale that spreads a sum of `row` random products over the int8 range and a little beyond.
  double output_scale(const std::string& input, std::int64_t row) {
    return model_.activations.at(input).scale * 0.005 * 70.0 * std::sqrt(static_cast<double>(row)) *
           random_.real(0.5, 3.0);
  }

  void add_conv(const std::string& from) {
    const Conv2d conv = random_conv(last().shape);
    const std::int64_t row =
        last().shape.channels / conv.groups * conv.window.kernel_height * conv.window.kernel_width;
    const std::string name = model_.graph.append(next_name(), conv, {from});
    model_.activations[name] = random_quantization(output_scale(from, row));
    add_weights(last(), conv.out_channels, row, false);
  }

  void add_clamp(const std::string& from) {
    const Quantization quantization = model_.activations.at(from);
    const Op op = random_.chance(50) ? Op{Relu{}} : Op{Relu6{}};
    model_.activations[model_.graph.append(next_name(), op, {from})] = quantization;
  }

  /// x + f(x), f a 1x1 convolution.
  void add_residual(const std::string& from) {
    Conv2d conv;
    conv.out_channels = last().shape.channels;
    const std::string branch = model_.graph.append(next_name(), conv, {from});
    model_.activations[branch] = random_quantization(output_scale(from, conv.out_channels));
    add_weights(last(), conv.out_channels, conv.out_channels, false);
    const double scale = std::max(model_.activations[branch].scale, model_.activations[from].scale);
    const std::string sum = model_.graph.append(next_name(), Add{}, {from, branch});
    model_.activations[sum] = random_quantization(scale * random_.real(0.5, 1.5));
  }

  void add_random_node() {
    const std::string from = last().name;
    const Shape shape = last().shape;
    const std::int64_t kind = random_.whole(0, 9);
    if (kind <= 3) return add_conv(from);
    if (kind <= 5) return add_clamp(from);
    if (kind == 6) return add_residual(from);
    if (kind <= 8) {
      const Window window = random_window(shape, true);
      const Quantization quantization = model_.activations.at(from);
      if (kind == 7) {
        model_.activations[model_.graph.append(next_name(), MaxPool{window}, {from})] =
            quantization;
        return;
      }
      model_.activations[model_.graph.append(next_name(), AvgPool{window}, {from})] =
          random_quantization(quantization.scale * random_.real(0.3, 1.5));
      return;
    }
    add_conv(from);
    add_clamp(last().name);
  }

  void add_head() {
    const std::string from = last().name;
    const Quantization quantization = model_.activations.at(from);
    if (random_.chance(50)) {
      model_.activations[model_.graph.append("flat", Flatten{}, {from})] = quantization;
    } else {
      model_.activations[model_.graph.append("mean", GlobalAvgPool{}, {from})] =
          random_quantization(quantization.scale * random_.real(0.2, 1.0));
    }
    if (random_.chance(50)) add_linear("hidden", random_.whole(1, 40), false);
    add_linear("logits", random_.whole(2, 20), true);
  }

  void add_linear(const std::string& name, std::int64_t outputs, bool is_last) {
    const std::string from = last().name;
    const std::int64_t row = last().shape.channels;
    model_.graph.append(name, Linear{outputs}, {from});
    if (!is_last) model_.activations[name] = random_quantization(output_scale(from, row));
    add_weights(last(), outputs, row, is_last);
  }

  Samples samples() {
    constexpr std::int64_t kCount = 3;
    Samples result;
    result.shape = model_.graph.input().shape;
    const std::int64_t count = kCount * result.shape.count();
    if (seed_ % 2 == 0) {
      std::vector<std::uint8_t> bytes;
      for (std::int64_t i = 0; i < count; ++i) {
        bytes.push_back(static_cast<std::uint8_t>(random_.whole(0, 255)));
      }
      result.values = bytes;
      return result;
    }
    std::vector<float> floats;
    for (std::int64_t i = 0; i < count; ++i) {
      floats.push_back(static_cast<float>(random_.real(-10.0, 10.0)));
    }
    result.values = floats;
    return result;
  }

  Random random_;
  std::uint64_t seed_;
  Int8Model model_;
};

}  // namespace

RandomCase random_case(std::uint64_t seed) { return Builder(seed).build(); }

}  // namespace biglittle::testing
