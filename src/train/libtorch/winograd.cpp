// SPDX-License-Identifier: MIT
#include "train/libtorch/winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "train/libtorch/device.h"

namespace biglittle {
namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const dnnl::engine& processor() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& stream_of_thread() {
  thread_local dnnl::stream stream(processor());
  return stream;
}

at::Tensor memory_for(const Desc& desc) {
  return at::empty({static_cast<std::int64_t>(desc.get_size() / sizeof(float))}, at::kFloat);
}

// A primitive of oneDNN's. Scratch memory comes from here, so that several threads may run one.
class Program {
 public:
  template <typename Primitive>
  static Program of(const typename Primitive::primitive_desc& descriptor) {
    return {Primitive(descriptor), descriptor.scratchpad_desc()};
  }
  static dnnl::primitive_attr attributes() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
  }

  // What a primitive reads or writes: its name for it, its order in memory, the values.
  struct Argument {
    int name;
    const Desc& desc;
    const at::Tensor& values;
  };
  void run(std::initializer_list<Argument> arguments) const {
    std::unordered_map<int, dnnl::memory> memories;
    const auto add = [&](const Argument& argument) {
      memories.emplace(argument.name,
                       dnnl::memory(argument.desc, processor(), argument.values.data_ptr()));
    };
    const at::Tensor scratch = memory_for(scratch_);
    add({DNNL_ARG_SCRATCHPAD, scratch_, scratch});
    for (const Argument& argument : arguments) add(argument);
    primitive_.execute(stream_of_thread(), memories);
    stream_of_thread().wait();
  }

 private:
  Program(dnnl::primitive primitive, const Desc& scratch)
      : primitive_(std::move(primitive)), scratch_(scratch) {}

  dnnl::primitive primitive_;
  Desc scratch_;
};

// Brings values from one order in memory to another.
class Reorder {
 public:
  Reorder(const Desc& from, const Desc& to)
      : from_(from),
        to_(to),
        program_(Program::of<dnnl::reorder>(
            {processor(), from, processor(), to, Program::attributes()})) {}

  at::Tensor operator()(const at::Tensor& values) const {
    const at::Tensor result = memory_for(to_);
    write(values, result);
    return result;
  }
  void write(const at::Tensor& values, const at::Tensor& result) const {
    program_.run({{DNNL_ARG_FROM, from_, values}, {DNNL_ARG_TO, to_, result}});
  }

 private:
  Desc from_;
  Desc to_;
  Program program_;
};

struct ConvolutionShape {
  std::int64_t n;
  std::int64_t in_channels;
  std::int64_t out_channels;
  std::int64_t height;
  std::int64_t width;
  int threads;  // that LibTorch, and oneDNN with it, computes with

  auto operator<=>(const ConvolutionShape&) const = default;
};

// What oneDNN plans for a convolution's three passes.
struct Passes {
  dnnl::convolution_forward::primitive_desc forward;
  dnnl::convolution_backward_data::primitive_desc to_input;
  dnnl::convolution_backward_weights::primitive_desc to_weight;
};

// Maps are channels-last for LibTorch, and weights have their input channel last (FlatLayout).
struct Arrays {
  Desc x;
  Desc weight;
  Desc y;
};
Arrays arrays_of(const ConvolutionShape& s, Tag maps, Tag weights) {
  const auto array = [](const dnnl::memory::dims& dims, Tag tag) {
    return Desc(dims, dnnl::memory::data_type::f32, tag);
  };
  return {array({s.n, s.in_channels, s.height, s.width}, maps),
          array({s.out_channels, s.in_channels, 3, 3}, weights),
          array({s.n, s.out_channels, s.height, s.width}, maps)};
}

std::optional<Passes> plan(const ConvolutionShape& shape) {
  const Arrays any = arrays_of(shape, Tag::any, Tag::any);
  const auto way = dnnl::algorithm::convolution_winograd;
  const dnnl::memory::dims one = {1, 1};  // stride and margin
  const dnnl::primitive_attr attributes = Program::attributes();
  try {
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, way, any.x, any.weight, any.y, one, one, one},
        attributes, processor());
    Passes passes = {
        forward,
        {{way, any.x, any.weight, any.y, one, one, one}, attributes, processor(), forward},
        {{way, any.x, any.weight, any.y, one, one, one}, attributes, processor(), forward}};
    // What two passes read is brought into their order once.
    if (passes.to_weight.src_desc() != forward.src_desc() ||
        passes.to_weight.diff_dst_desc() != passes.to_input.diff_dst_desc()) {
      return std::nullopt;
    }
    return passes;
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented) throw;
    return std::nullopt;
  }
}

class Winograd {
 public:
  Winograd(const ConvolutionShape& shape, const Passes& passes)
      : shape_(shape),
        passes_(passes),
        ours_(arrays_of(shape, Tag::nhwc, Tag::ohwi)),
        forward_(Program::of<dnnl::convolution_forward>(passes.forward)),
        to_input_(Program::of<dnnl::convolution_backward_data>(passes.to_input)),
        to_weight_(Program::of<dnnl::convolution_backward_weights>(passes.to_weight)),
        take_x_(ours_.x, passes.forward.src_desc()),
        take_weight_(ours_.weight, passes.forward.weights_desc()),
        give_y_(passes.forward.dst_desc(), ours_.y),
        take_dy_(ours_.y, passes.to_input.diff_dst_desc()),
        take_weight_back_(ours_.weight, passes.to_input.weights_desc()),
        give_dx_(passes.to_input.diff_src_desc(), ours_.x),
        give_dweight_(passes.to_weight.diff_weights_desc(), ours_.weight) {}

  // `x` in oneDNN's order, which both passes read.
  at::Tensor take(const at::Tensor& x) const { return take_x_(x); }

  at::Tensor output(const at::Tensor& taken_x, const at::Tensor& weight) const {
    const Desc y_desc = passes_.forward.dst_desc();
    const at::Tensor y = memory_for(y_desc);
    forward_.run({{DNNL_ARG_SRC, passes_.forward.src_desc(), taken_x},
                  {DNNL_ARG_WEIGHTS, passes_.forward.weights_desc(), take_weight_(weight)},
                  {DNNL_ARG_DST, y_desc, y}});
    return given(give_y_, y, maps(shape_.out_channels));
  }

  struct Gradients {
    at::Tensor x;
    at::Tensor weight;
  };
  Gradients gradients(const at::Tensor& taken_x, const at::Tensor& weight,
                      const at::Tensor& dy) const {
    const at::Tensor taken_dy = take_dy_(dy);
    const Desc dy_desc = passes_.to_input.diff_dst_desc();
    const Desc dx_desc = passes_.to_input.diff_src_desc();
    const at::Tensor dx = memory_for(dx_desc);
    to_input_.run({{DNNL_ARG_DIFF_DST, dy_desc, taken_dy},
                   {DNNL_ARG_WEIGHTS, passes_.to_input.weights_desc(), take_weight_back_(weight)},
                   {DNNL_ARG_DIFF_SRC, dx_desc, dx}});
    const Desc dweight_desc = passes_.to_weight.diff_weights_desc();
    const at::Tensor dweight = memory_for(dweight_desc);
    to_weight_.run({{DNNL_ARG_SRC, passes_.to_weight.src_desc(), taken_x},
                    {DNNL_ARG_DIFF_DST, dy_desc, taken_dy},
                    {DNNL_ARG_DIFF_WEIGHTS, dweight_desc, dweight}});
    return {given(give_dx_, dx, maps(shape_.in_channels)),
            given(give_dweight_, dweight, at::empty_like(weight))};
  }

 private:
  at::Tensor maps(std::int64_t channels) const {
    return at::empty({shape_.n, channels, shape_.height, shape_.width},
                     at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  }
  static at::Tensor given(const Reorder& reorder, const at::Tensor& values, at::Tensor result) {
    reorder.write(values, result);
    return result;
  }

  ConvolutionShape shape_;
  Passes passes_;
  Arrays ours_;
  Program forward_;
  Program to_input_;
  Program to_weight_;
  Reorder take_x_;
  Reorder take_weight_;
  Reorder give_y_;
  Reorder take_dy_;
  Reorder take_weight_back_;
  Reorder give_dx_;
  Reorder give_dweight_;
};

// Null where oneDNN has no code for it. Each is made once and lives as long as the process.
const Winograd* find(const ConvolutionShape& shape) {
  static std::mutex mutex;
  static std::map<ConvolutionShape, std::unique_ptr<const Winograd>> made;
  const std::lock_guard lock(mutex);
  const auto [place, is_new] = made.try_emplace(shape);
  if (is_new) {
    if (const std::optional<Passes> passes = plan(shape)) {
      place->second = std::make_unique<const Winograd>(shape, *passes);
    }
  }
  return place->second.get();
}

const Winograd* find(const at::Tensor& x, std::int64_t out_channels) {
  return find({x.size(0), x.size(1), out_channels, x.size(2), x.size(3), at::get_num_threads()});
}

struct WinogradFunction : torch::autograd::Function<WinogradFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight) {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const Winograd& winograd = *find(x, weight.size(0));
    const at::Tensor taken = winograd.take(x);
    context->save_for_backward({taken, weight});
    context->saved_data["in_shape"] = x.sizes().vec();
    return winograd.output(taken, weight);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const std::vector<std::int64_t> in = context->saved_data["in_shape"].toIntVector();
    const Winograd& winograd =
        *find({in[0], in[1], saved[1].size(0), in[2], in[3], at::get_num_threads()});
    const Winograd::Gradients result = winograd.gradients(saved[0], saved[1], dy);
    return {result.x, result.weight};
  }
};

}  // namespace

at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight) {
  return WinogradFunction::apply(x, weight);
}

bool winograd_pays(const Conv2d& op, const at::Tensor& x) {
  if (op.window != square_window(3, 1, 1) || op.groups != 1 || op.bias) return false;
  if (x.scalar_type() != at::kFloat || autocasts_on_processor()) return false;
  // The share of the tiles' outputs that lies inside the map. Measured on AVX-512, forward and
  // backward, the two reorders of each map included: 32 channels of 32x32 1.3 times as fast as
  // LibTorch, of 14x14 0.9; 64 of 14x14 1.4; 128 of 8x8 1.8, of 3x3 1.0.
  const auto inside = [](std::int64_t size) {
    constexpr std::int64_t kTile = 4;
    return static_cast<double>(size) / static_cast<double>((size + kTile - 1) / kTile * kTile);
  };
  const double share = inside(x.size(2)) * inside(x.size(3));
  const auto channels = static_cast<double>(std::min(x.size(1), op.out_channels));
  if (share < 0.7 || share * channels < 28.0) return false;
  return find(x, op.out_channels) != nullptr;
}

}  // namespace biglittle
