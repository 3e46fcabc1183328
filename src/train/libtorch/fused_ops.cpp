// SPDX-License-Identifier: MIT
#include "train/libtorch/fused_ops.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "train/libtorch/blocked_maps.h"
#include "train/libtorch/depthwise_kernels.h"
#include "train/libtorch/pool_kernels.h"
#include "train/libtorch/pooled_norm_kernels.h"

namespace biglittle {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// In memory as the kernels read it: channels-last maps, or blocks as they are.
at::MemoryFormat format_of(const at::Tensor& x) {
  return is_blocked(x) ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
}

at::Tensor laid_out(const at::Tensor& x) { return x.contiguous(format_of(x)); }

template <typename Value>
Value* values(const at::Tensor& tensor) {
  return static_cast<Value*>(tensor.data_ptr());
}

// Calls `run` with a value of the tensor's element type.
template <typename Run>
void with_type(const at::Tensor& x, const Run& run) {
  if (x.scalar_type() == at::kFloat) {
    run(float{});
  } else {
    TORCH_CHECK(x.scalar_type() == at::kBFloat16, "expected float32 or bfloat16");
    run(Bfloat16{});
  }
}

template <typename Value>
Value* values_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? values<Value>(tensor) : nullptr;
}

NormTail tail_of(AutogradContext& context) {
  return {static_cast<Activation>(context.saved_data["activation"].toInt()),
          static_cast<Residual>(context.saved_data["residual"].toInt()), false};
}

// Whether the backward pass reads the skip and writes a gradient of its own for it.
bool keeps_skip(NormTail tail) {
  return tail.residual == Residual::inside && tail.activation != Activation::none;
}

// Calls run(rows, first value, first channel) for each group of channels that lie together.
template <typename Run>
void for_each_group(const at::Tensor& x, const Run& run) {
  const auto [n, channels, height, width] = sizes_of(x);
  const std::int64_t pixels = height * width;
  const std::int64_t together = is_blocked(x) ? kBlockChannels : channels;
  for (std::int64_t first = 0; first < channels; first += together) {
    run(NormRows{n, pixels, channels * pixels, together}, first * pixels, first);
  }
}

std::int64_t pixels_of(const at::Tensor& x) {
  const MapSizes size = sizes_of(x);
  return size.height * size.width;
}

template <typename Value>
Value* from(Value* values, std::int64_t first) {
  return values == nullptr ? nullptr : values + first;
}

struct BatchNormFunction : torch::autograd::Function<BatchNormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const c10::optional<at::Tensor>& addend, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& running_mean,
                            const at::Tensor& running_variance, double momentum, double epsilon,
                            std::int64_t activation, std::int64_t residual) {
    context->saved_data["activation"] = activation;
    context->saved_data["residual"] = residual;
    const NormTail tail = tail_of(*context);
    const at::Tensor x = laid_out(input);
    const at::Tensor skip = addend ? laid_out(*addend) : at::Tensor();
    const at::Tensor y = at::empty_like(x);
    const at::Tensor mean = at::empty_like(weight);
    const at::Tensor inverse = at::empty_like(weight);
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      for_each_group(x, [&](const NormRows& rows, std::int64_t at, std::int64_t channel) {
        normalize_forward(NormForward<Value>{
            values<Value>(x) + at, from(values_or_null<Value>(skip), at), values<Value>(y) + at,
            rows, values<float>(weight) + channel, values<float>(bias) + channel,
            values<float>(running_mean) + channel, values<float>(running_variance) + channel,
            static_cast<float>(momentum), static_cast<float>(epsilon), tail,
            NormStatistics{values<float>(mean) + channel, values<float>(inverse) + channel}});
      });
    });
    context->save_for_backward(
        {x, keeps_skip(tail) ? skip : at::Tensor(), weight, bias, mean, inverse});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[2];
    const NormTail tail = tail_of(*context);
    const at::Tensor dy = laid_out(gradients[0]);
    const at::Tensor dx = at::empty_like(x);
    const at::Tensor dskip = keeps_skip(tail) ? at::empty_like(x) : at::Tensor();
    const at::Tensor dweight = at::empty_like(weight);
    const at::Tensor dbias = at::empty_like(weight);
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      for_each_group(x, [&](const NormRows& rows, std::int64_t at, std::int64_t channel) {
        normalize_backward(NormBackward<Value>{
            values<Value>(x) + at, from(values_or_null<Value>(saved[1]), at),
            values<Value>(dy) + at, values<Value>(dx) + at, from(values_or_null<Value>(dskip), at),
            rows, values<float>(weight) + channel, values<float>(saved[3]) + channel,
            NormStatistics{values<float>(saved[4]) + channel, values<float>(saved[5]) + channel},
            values<float>(dweight) + channel, values<float>(dbias) + channel, tail});
      });
    });
    const at::Tensor to_skip =
        tail.residual == Residual::none || dskip.defined() ? dskip : gradients[0];
    return {dx, to_skip, dweight, dbias, {}, {}, {}, {}, {}, {}};
  }
};

// Maps of another size in the order of `x`.
at::Tensor empty_as(const at::Tensor& x, std::int64_t height, std::int64_t width,
                    at::ScalarType type) {
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape[2] = height;
  shape[3] = width;
  return at::empty(shape, x.options().dtype(type).memory_format(format_of(x)));
}

// Half the height and width, rounded down.
at::Tensor empty_pooled(const at::Tensor& x, at::ScalarType type) {
  return empty_as(x, x.size(2) / 2, x.size(3) / 2, type);
}

struct PooledBatchNormFunction : torch::autograd::Function<PooledBatchNormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& running_mean, const at::Tensor& running_variance,
                            double momentum, double epsilon, std::int64_t activation) {
    const at::Tensor x = laid_out(input);
    const at::Tensor y = empty_pooled(x, x.scalar_type());
    const at::Tensor winner = empty_pooled(x, at::kByte);
    const at::Tensor mean = at::empty_like(weight);
    const at::Tensor inverse = at::empty_like(weight);
    const NormTail tail{static_cast<Activation>(activation), Residual::none, true};
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      for_each_group(x, [&](const NormRows& rows, std::int64_t at, std::int64_t channel) {
        const std::int64_t pooled = channel * pixels_of(y);
        pooled_normalize_forward(PooledNormForward<Value>{
            {values<Value>(x) + at, nullptr, values<Value>(y) + pooled, rows,
             values<float>(weight) + channel, values<float>(bias) + channel,
             values<float>(running_mean) + channel, values<float>(running_variance) + channel,
             static_cast<float>(momentum), static_cast<float>(epsilon), tail,
             NormStatistics{values<float>(mean) + channel, values<float>(inverse) + channel}},
            sizes_of(x).width,
            values<std::uint8_t>(winner) + pooled});
      });
    });
    context->save_for_backward({x, winner, weight, bias, mean, inverse});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[2];
    const at::Tensor dy = laid_out(gradients[0]);
    const at::Tensor dx = at::empty_like(x);
    const at::Tensor dweight = at::empty_like(weight);
    const at::Tensor dbias = at::empty_like(weight);
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      for_each_group(x, [&](const NormRows& rows, std::int64_t at, std::int64_t channel) {
        const std::int64_t pooled = channel * pixels_of(dy);
        pooled_normalize_backward(PooledNormBackward<Value>{
            {values<Value>(x) + at, nullptr, values<Value>(dy) + pooled, values<Value>(dx) + at,
             nullptr, rows, values<float>(weight) + channel, values<float>(saved[3]) + channel,
             NormStatistics{values<float>(saved[4]) + channel, values<float>(saved[5]) + channel},
             values<float>(dweight) + channel, values<float>(dbias) + channel, NormTail{}},
            sizes_of(x).width,
            values<std::uint8_t>(saved[1]) + pooled});
      });
    });
    return {dx, dweight, dbias, {}, {}, {}, {}, {}};
  }
};

PoolSize size_of(const at::Tensor& x) { return {x.size(0), x.size(2), x.size(3), x.size(1)}; }

struct MaxPoolFunction : torch::autograd::Function<MaxPoolFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    const at::Tensor x = laid_out(input);
    const PoolSize size = size_of(x);
    const std::vector<std::int64_t> shape = {size.n, size.channels, size.height / 2,
                                             size.width / 2};
    const at::Tensor y =
        at::empty(shape, x.options().memory_format(at::MemoryFormat::ChannelsLast));
    const at::Tensor winner = at::empty({y.numel()}, at::kByte);
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      pool_forward(values<Value>(x), values<Value>(y), winner.data_ptr<std::uint8_t>(), size);
    });
    context->save_for_backward({winner});
    context->saved_data["shape"] = x.sizes().vec();
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor winner = context->get_saved_variables()[0];
    const at::Tensor dy = laid_out(gradients[0]);
    const at::Tensor dx = at::empty(context->saved_data["shape"].toIntVector(),
                                    dy.options().memory_format(at::MemoryFormat::ChannelsLast));
    with_type(dy, [&](auto type) {
      using Value = decltype(type);
      pool_backward(values<Value>(dy), winner.data_ptr<std::uint8_t>(), values<Value>(dx),
                    size_of(dx));
    });
    return {dx};
  }
};

// Window and padding as [stride_height, stride_width, pad_top, pad_left, out_height, out_width].
DepthwiseSize depthwise_size(const at::Tensor& x, const std::vector<std::int64_t>& steps) {
  const auto [n, channels, height, width] = sizes_of(x);
  const std::int64_t together = is_blocked(x) ? kBlockChannels : channels;
  return {n,        height,   width,    steps[4], steps[5], channels,
          together, steps[0], steps[1], steps[2], steps[3]};
}

struct DepthwiseFunction : torch::autograd::Function<DepthwiseFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const std::vector<std::int64_t>& steps) {
    const at::Tensor x = laid_out(input);
    const DepthwiseSize size = depthwise_size(x, steps);
    const at::Tensor y = empty_as(x, size.out_height, size.out_width, x.scalar_type());
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      depthwise_forward(DepthwiseForward<Value>{values<Value>(x), weight.data_ptr<float>(),
                                                values<Value>(y), size});
    });
    context->save_for_backward({x, weight});
    context->saved_data["steps"] = steps;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor dy = laid_out(gradients[0]);
    const at::Tensor dx = at::empty_like(x);
    const at::Tensor dweight = at::empty_like(weight);
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      depthwise_backward(
          DepthwiseBackward<Value>{values<Value>(x), weight.data_ptr<float>(), values<Value>(dy),
                                   values<Value>(dx), dweight.data_ptr<float>(),
                                   depthwise_size(x, context->saved_data["steps"].toIntVector())});
    });
    return {dx, dweight, {}};
  }
};

}  // namespace

at::Tensor fused_batch_norm(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& running_mean,
                            const at::Tensor& running_variance, const BatchNorm& options,
                            NormTail tail) {
  const auto activation = static_cast<std::int64_t>(tail.activation);
  if (tail.pools) {
    TORCH_CHECK(tail.residual == Residual::none, "a pooled batch norm has no residual");
    return PooledBatchNormFunction::apply(x, weight, bias, running_mean, running_variance,
                                          options.momentum, options.epsilon, activation);
  }
  // LibTorch takes no undefined tensor there.
  const auto addend = skip.defined() ? c10::make_optional(skip) : c10::nullopt;
  return BatchNormFunction::apply(x, addend, weight, bias, running_mean, running_variance,
                                  options.momentum, options.epsilon, activation,
                                  static_cast<std::int64_t>(tail.residual));
}

// Each block of channels is a small image to it.
at::Tensor fused_max_pool(const at::Tensor& x) {
  if (!is_blocked(x)) return MaxPoolFunction::apply(x);
  const at::Tensor images = x.flatten(0, 1).permute({0, 3, 1, 2});
  return MaxPoolFunction::apply(images).permute({0, 2, 3, 1}).unflatten(0, {x.size(0), x.size(1)});
}

bool is_fusable_depthwise(const Conv2d& op, const at::Tensor& x) {
  const Window& w = op.window;
  const std::int64_t channels = sizes_of(x).channels;
  const std::int64_t most_padding = std::max({w.pad_top, w.pad_bottom, w.pad_left, w.pad_right});
  return op.groups == channels && op.out_channels == channels && w.kernel_height == 3 &&
         w.kernel_width == 3 && most_padding <= kMostDepthwisePadding && !op.bias;
}

at::Tensor fused_depthwise(const at::Tensor& x, const at::Tensor& weight, const Window& window) {
  const Window& w = window;
  const std::int64_t height = x.size(2) + w.pad_top + w.pad_bottom - w.kernel_height;
  const std::int64_t width = x.size(3) + w.pad_left + w.pad_right - w.kernel_width;
  const std::vector<std::int64_t> steps = {w.stride_height,
                                           w.stride_width,
                                           w.pad_top,
                                           w.pad_left,
                                           height / w.stride_height + 1,
                                           width / w.stride_width + 1};
  return DepthwiseFunction::apply(x, weight, steps);
}

}  // namespace biglittle
