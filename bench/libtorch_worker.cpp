// SPDX-License-Identifier: MIT
// LibTorch on one benchmark network as a worker: the operators that an eager module calls, without
// gradients. usage: libtorch_worker NETWORK

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <exception>
#include <map>

#include "bench/networks.h"
#include "bench/worker.h"

namespace {

using namespace biglittle;
using namespace biglittle::bench;

/// A node with what it reads: indices into the values of a run.
struct Step {
  const Node* node;
  std::vector<std::size_t> inputs;
  at::Tensor weight;
  at::Tensor bias;
};

struct LibTorch {
  BenchNetwork made;
  std::vector<Step> steps;
  std::vector<at::Tensor> samples;
  std::vector<at::Tensor> values;
};

at::Tensor as_tensor(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return at::from_blob(const_cast<float*>(values.data()), tensor.shape(), at::kFloat).clone();
}

at::Tensor convolve(const Step& step, const Conv2d& op, at::Tensor input) {
  const Window& w = op.window;
  const bool even = w.pad_top == w.pad_bottom && w.pad_left == w.pad_right;
  if (!even) {
    input = at::constant_pad_nd(input, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom});
  }
  return at::conv2d(
      input, step.weight, step.bias, {w.stride_height, w.stride_width},
      even ? std::vector<std::int64_t>{w.pad_top, w.pad_left} : std::vector<std::int64_t>{0, 0},
      {1, 1}, op.groups);
}

at::Tensor compute(const LibTorch& self, const Step& step) {
  const at::Tensor& input = self.values[step.inputs.at(0)];
  return std::visit(
      Overloaded{
          [&](const Conv2d& op) { return convolve(step, op, input); },
          [&](const Linear&) { return at::linear(input.flatten(1), step.weight, step.bias); },
          [&](const Relu&) { return at::relu(input); },
          [&](const MaxPool& op) {
            const Window& w = op.window;
            return at::max_pool2d(input, {w.kernel_height, w.kernel_width},
                                  {w.stride_height, w.stride_width}, {w.pad_top, w.pad_left});
          },
          [&](const GlobalAvgPool&) {
            return at::adaptive_avg_pool2d(input, {1, 1});
          },
          [&](const Add&) { return at::add(input, self.values[step.inputs.at(1)]); },
          [&](const auto&) { return input.flatten(1); }},
      step.node->op);
}

void infer(void* state, long sample) {
  LibTorch& self = *static_cast<LibTorch*>(state);
  const c10::InferenceMode no_gradients;
  self.values[0] = self.samples[static_cast<std::size_t>(sample)];
  for (std::size_t i = 0; i < self.steps.size(); ++i) {
    self.values[i + 1] = compute(self, self.steps[i]);
  }
}

double output(void* state, long index) {
  return double{static_cast<LibTorch*>(state)->values.back().data_ptr<float>()[index]};
}

void prepare(LibTorch& self) {
  const Network& folded = self.made.folded;
  std::map<std::string, std::size_t> made;
  for (const Node& node : folded.graph.nodes()) {
    const std::size_t index = made.size();
    made[node.name] = index;
    if (index == 0) continue;
    Step step{&node, {}, {}, {}};
    for (const std::string& input : node.inputs) step.inputs.push_back(made.at(input));
    if (folded.weights.contains(node.name + ".weight")) {
      step.weight = as_tensor(folded.weights.at(node.name + ".weight"));
      step.bias = as_tensor(folded.weights.at(node.name + ".bias"));
    }
    self.steps.push_back(std::move(step));
  }
  self.values.resize(made.size());
  const Shape& shape = self.made.samples.shape;
  const Preprocessing& preprocessing = self.made.preprocessing;
  const auto bytes = self.made.samples.bytes();
  at::Tensor all =
      at::from_blob(const_cast<std::uint8_t*>(bytes.data()),
                    {self.made.samples.count(), shape.channels, shape.height, shape.width},
                    at::kByte)
          .to(at::kFloat);
  all = (all - preprocessing.offset) * preprocessing.scale;
  for (std::int64_t i = 0; i < all.size(0); ++i) {
    self.samples.push_back(all.slice(0, i, i + 1).contiguous().clone());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: libtorch_worker NETWORK\n");
    return 64;
  }
  try {
    const c10::InferenceMode no_gradients;
    at::set_num_threads(1);
    LibTorch self{make_network(argv[1]), {}, {}, {}};
    prepare(self);
    const bench_engine engine = {&self, static_cast<long>(self.samples.size()),
                                 static_cast<long>(self.made.int8.classes.size()), infer, output};
    return bench_serve(&engine, "libtorch");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "libtorch_worker: %s\n", error.what());
    return 70;
  }
}
