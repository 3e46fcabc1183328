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

struct RequantizeFunction : torch::autograd::Function<RequantizeFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& acc,
                            const at::Tensor& multiplier, const at::Tensor& log_step,
                            std::int64_t low, std::int64_t high) {
    const at::Tensor scaled = acc.to(at::kFloat) * multiplier;
    // Whole limits: clamping before rounding gives the same integers as after.
    const at::Tensor rounded = scaled.clamp(low, high).round_();
    context->save_for_backward({scaled, rounded, multiplier});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    context->saved_data["learns"] = log_step.requires_grad();
    context->saved_data["wide"] = acc.scalar_type() == at::kDouble;
    return rounded;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& scaled = saved[0];
    const at::Tensor& rounded = saved[1];
    const at::Tensor inside = scaled.ge(context->saved_data["low"].toInt())
                                  .logical_and_(scaled.le(context->saved_data["high"].toInt()));
    const at::Tensor passed = gradients[0] * inside;
    at::Tensor log_step;
    if (context->saved_data["learns"].toBool()) {
      const auto values = static_cast<double>(rounded.numel() / rounded.size(0));
      const at::Tensor slope = (gradients[0] * rounded).sum() - (passed * scaled).sum();
      log_step = (slope / std::sqrt(127.0 * values)).reshape({1});
    }
    at::Tensor acc = passed * saved[2];
    if (context->saved_data["wide"].toBool()) acc = acc.to(at::kDouble);
    return {acc, {}, log_step, {}, {}};
  }
};

}  // namespace

at::Tensor stand_in(const at::Tensor& learned, const at::Tensor& integers, const at::Tensor& step) {
  if (!learned.defined()) return integers;
  return StandInFunction::apply(learned, integers, step);
}

at::Tensor requantize(const at::Tensor& acc, const at::Tensor& multiplier,
                      const at::Tensor& log_step, RequantizeLimits limits) {
  // Autograd wants every argument defined.
  const at::Tensor step = log_step.defined() ? log_step : at::zeros({1});
  return RequantizeFunction::apply(acc, multiplier, step, std::int64_t{limits.low},
                                   std::int64_t{limits.high});
}

}  // namespace biglittle
