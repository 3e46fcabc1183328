// SPDX-License-Identifier: MIT
#pragma once

// Runs a Graph with LibTorch tensors. It owns no weights: they are views of flat arrays that
// several modules (one a replica) may share.

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <vector>

#include "train/libtorch/flat_weights.h"
#include "train/libtorch/fused_kernels.h"

namespace biglittle {

enum class Mode { training, inference };

/// What trains: this program's own operations where they pay, which are for the processor, or
/// LibTorch's, which run on any device.
enum class Kernels { fused, plain };

class GraphModule {
 public:
  /// `graph` and `layout` must outlive the module. Trainable weights become autograd leaves over
  /// `trainable`, with their gradients in `gradients` when that is defined; running statistics are
  /// updated in `buffers`. It computes where `trainable` is.
  GraphModule(const Graph& graph, const FlatLayout& layout, const at::Tensor& trainable,
              const at::Tensor& buffers, const at::Tensor& gradients,
              Kernels kernels = Kernels::fused);

  /// Starts this module's own random numbers, for dropout.
  void seed_dropout(std::uint64_t seed) { generator_.set_current_seed(seed); }

  /// `input` [n, C, H, W], channels-last in memory; the result is the last node's output [n,
  /// classes].
  at::Tensor forward(const at::Tensor& input, Mode mode) const;

  /// The same in inference mode, giving each node's output [n, C, H, W] (or [n, features]) to
  /// `see`.
  using See = std::function<void(const Node&, const at::Tensor&)>;
  at::Tensor forward(const at::Tensor& input, Mode mode, const See& see) const;

 private:
  // A batch norm with its tail, at the tail's last step that has inputs of its own.
  struct FusedNorm {
    std::size_t norm = 0;  // the batch norm's position
    NormTail tail;
    std::size_t input = 0;            // position of the step whose value is normalized
    std::optional<std::size_t> skip;  // position, with a residual
  };
  struct Step {
    const Node* node = nullptr;
    std::vector<std::size_t> inputs;  // positions of earlier steps
    std::vector<at::Tensor>
        weights;  // weight, bias, running mean, running variance; some undefined
    std::vector<std::size_t> finished;  // steps whose value nobody needs after this one
    bool overwrites_input = false;      // a relu that may work in place
    std::optional<FusedNorm> norm;      // what it computes in training instead
    bool hands_on = false;  // in training its work is done by a FusedNorm: it is its first input
  };

  void fuse(std::size_t norm, const Graph& graph);
  at::Tensor normalize(const FusedNorm& fused, const std::vector<at::Tensor>& values) const;
  at::Tensor drop(const at::Tensor& x, double rate) const;
  at::Tensor compute(const Step& step, const std::vector<at::Tensor>& values, Mode mode) const;

  at::Tensor normalize_alone(const BatchNorm& op, const at::Tensor& x,
                             const std::vector<at::Tensor>& weights, Mode mode) const;

  Kernels kernels_;
  std::vector<Step> steps_;
  at::Generator generator_;  // not the global one: replicas draw at the same time
};

}  // namespace biglittle
