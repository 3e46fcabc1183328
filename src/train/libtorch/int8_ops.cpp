// SPDX-License-Identifier: MIT
#include "train/libtorch/int8_ops.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

namespace biglittle {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct StandInFunction : torch::autograd::Function<StandInFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& learned,
                            const at::Tensor& integers, const at::Tensor& step) {
    (void)learned;
    context->save_for_backward({step});
    return integers.alias();  // a tensor of its own, so that the shared integers stay constants
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor step = context->get_saved_variables()[0];
    return {(gradients[0] / step).to(at::kFloat), {}, {}};
  }
};

at::Tensor rows_of_channels(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x.contiguous();
}

// Calls `run` with a number of the type that the sums are held in.
template <typename Run>
void with_sum(at::ScalarType type, const Run& run) {
  if (type == at::kFloat) {
    run(float{});
  } else {
    TORCH_CHECK(type == at::kDouble, "expected float32 or float64");
    run(double{});
  }
}

struct RequantizeFunction : torch::autograd::Function<RequantizeFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& sums,
                            const at::Tensor& multipliers, const at::Tensor& log_step,
                            std::int64_t low, std::int64_t high) {
    const at::Tensor acc = rows_of_channels(sums);
    const at::Tensor scaled = at::empty_like(acc, acc.options().dtype(at::kFloat));
    const at::Tensor d = at::empty_like(scaled);
    with_sum(acc.scalar_type(), [&](auto type) {
      using Sum = decltype(type);
      requantize_forward(RequantizeForward<Sum>{
          acc.data_ptr<Sum>(), multipliers.data_ptr<float>(), scaled.data_ptr<float>(),
          d.data_ptr<float>(), acc.numel() / acc.size(1), acc.size(1), limits(low, high)});
    });
    context->save_for_backward({scaled, multipliers});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    context->saved_data["learns"] = log_step.requires_grad();
    context->saved_data["wide"] = acc.scalar_type() == at::kDouble;
    return d;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& scaled = saved[0];
    const at::Tensor dd = rows_of_channels(gradients[0]);
    const RequantizeLimits range =
        limits(context->saved_data["low"].toInt(), context->saved_data["high"].toInt());
    const auto type = context->saved_data["wide"].toBool() ? at::kDouble : at::kFloat;
    const at::Tensor dacc = at::empty_like(scaled, scaled.options().dtype(type));
    with_sum(type, [&](auto number) {
      using Sum = decltype(number);
      requantize_backward(RequantizeBackward<Sum>{
          scaled.data_ptr<float>(), dd.data_ptr<float>(), saved[1].data_ptr<float>(),
          dacc.data_ptr<Sum>(), scaled.numel() / scaled.size(1), scaled.size(1), range});
    });
    at::Tensor log_step;
    if (context->saved_data["learns"].toBool()) {
      const auto values = static_cast<double>(scaled.numel() / scaled.size(0));
      const double slope =
          step_slope(scaled.data_ptr<float>(), dd.data_ptr<float>(), scaled.numel(), range);
      log_step = at::full({1}, slope / std::sqrt(127.0 * values), at::kFloat);
    }
    return {dacc, {}, log_step, {}, {}};
  }

 private:
  static RequantizeLimits limits(std::int64_t low, std::int64_t high) {
    return {static_cast<std::int32_t>(low), static_cast<std::int32_t>(high)};
  }
};

}  // namespace

at::Tensor stand_in(const at::Tensor& learned, const at::Tensor& integers, const at::Tensor& step) {
  if (!learned.defined()) return integers;
  return StandInFunction::apply(learned, integers, step);
}

at::Tensor requantize(const at::Tensor& acc, const at::Tensor& multipliers,
                      const at::Tensor& log_step, RequantizeLimits limits) {
  // Autograd wants every argument defined.
  const at::Tensor step = log_step.defined() ? log_step : at::zeros({1});
  return RequantizeFunction::apply(acc, multipliers, step, std::int64_t{limits.low},
                                   std::int64_t{limits.high});
}

}  // namespace biglittle
