// SPDX-License-Identifier: MIT
#include "train/libtorch/fused_ops.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace biglittle {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

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

struct BatchNormFunction : torch::autograd::Function<BatchNormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& running_mean, const at::Tensor& running_variance,
                            double momentum, double epsilon, bool clamps) {
    const at::Tensor x = channels_last(input);
    const at::Tensor y = at::empty_like(x);
    const at::Tensor mean = at::empty_like(weight);
    const at::Tensor inverse = at::empty_like(weight);
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      normalize_forward(NormForward<Value>{
          values<Value>(x), values<Value>(y), x.numel() / x.size(1), x.size(1),
          weight.data_ptr<float>(), bias.data_ptr<float>(), running_mean.data_ptr<float>(),
          running_variance.data_ptr<float>(), static_cast<float>(momentum),
          static_cast<float>(epsilon), clamps ? Activation::relu : Activation::none,
          NormStatistics{mean.data_ptr<float>(), inverse.data_ptr<float>()}});
    });
    context->save_for_backward({x, y, weight, mean, inverse});
    context->saved_data["clamps"] = clamps;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[2];
    const bool clamps = context->saved_data["clamps"].toBool();
    const at::Tensor dy = channels_last(gradients[0]);
    const at::Tensor dx = at::empty_like(x);
    const at::Tensor dweight = at::empty_like(weight);
    const at::Tensor dbias = at::empty_like(weight);
    with_type(x, [&](auto type) {
      using Value = decltype(type);
      normalize_backward(NormBackward<Value>{
          values<Value>(x), values<Value>(saved[1]), values<Value>(dy), values<Value>(dx),
          x.numel() / x.size(1), x.size(1), weight.data_ptr<float>(),
          NormStatistics{saved[3].data_ptr<float>(), saved[4].data_ptr<float>()},
          dweight.data_ptr<float>(), dbias.data_ptr<float>(),
          clamps ? Activation::relu : Activation::none});
    });
    return {dx, dweight, dbias, {}, {}, {}, {}, {}};
  }
};

PoolSize size_of(const at::Tensor& x) { return {x.size(0), x.size(2), x.size(3), x.size(1)}; }

struct MaxPoolFunction : torch::autograd::Function<MaxPoolFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    const at::Tensor x = channels_last(input);
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
    const at::Tensor dy = channels_last(gradients[0]);
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

}  // namespace

at::Tensor fused_batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& running_mean, const at::Tensor& running_variance,
                            const BatchNorm& options, Activation activation) {
  return BatchNormFunction::apply(x, weight, bias, running_mean, running_variance, options.momentum,
                                  options.epsilon, activation == Activation::relu);
}

at::Tensor fused_max_pool(const at::Tensor& x) { return MaxPoolFunction::apply(x); }

}  // namespace biglittle
