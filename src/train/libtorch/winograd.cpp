// SPDX-License-Identifier: MIT
#include "train/libtorch/winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "train/libtorch/blocked_maps.h"
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

  // What a primitive reads or writes: its name for it, its order in memory, the values, undefined
  // where it has none.
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
    for (const Argument& argument : arguments) {
      if (argument.values.defined()) add(argument);
    }
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
  const Desc& from() const { return from_; }
  const Desc& to() const { return to_; }
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
  bool bias;
  int threads;  // that LibTorch, and oneDNN with it, computes with

  auto operator<=>(const ConvolutionShape&) const = default;
};

// What oneDNN plans for a convolution's three passes.
struct Passes {
  dnnl::convolution_forward::primitive_desc forward;
  dnnl::convolution_backward_data::primitive_desc to_input;
  dnnl::convolution_backward_weights::primitive_desc to_weight;
};

struct Arrays {
  Desc x;
  Desc weight;
  Desc bias;  // of nothing without one
  Desc y;
};
Arrays arrays_of(const ConvolutionShape& s, Tag maps, Tag weights) {
  const auto array = [](const dnnl::memory::dims& dims, Tag tag) {
    return Desc(dims, dnnl::memory::data_type::f32, tag);
  };
  return {array({s.n, s.in_channels, s.height, s.width}, maps),
          array({s.out_channels, s.in_channels, 3, 3}, weights),
          s.bias ? array({s.out_channels}, Tag::a) : Desc(),
          array({s.n, s.out_channels, s.height, s.width}, maps)};
}

// Blocks of channels; weights have their input channel last (FlatLayout).
Arrays ours(const ConvolutionShape& shape) {
  static_assert(kBlockChannels == 16);
  return arrays_of(shape, Tag::nChw16c, Tag::ohwi);
}

// Nothing where maps would not be in blocks in every pass: then nothing would be won. Weights are
// as each pass likes.
std::optional<Passes> plan(const ConvolutionShape& shape) {
  const Arrays any = arrays_of(shape, Tag::any, Tag::any);
  const auto way = dnnl::algorithm::convolution_winograd;
  const dnnl::memory::dims one = {1, 1};  // stride and margin
  const dnnl::primitive_attr attributes = Program::attributes();
  const dnnl::convolution_forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, way, any.x, any.weight, any.bias, any.y, one, one, one},
      attributes, processor());
  Passes passes = {
      forward,
      {{way, any.x, any.weight, any.y, one, one, one}, attributes, processor(), forward},
      {{way, any.x, any.weight, any.bias, any.y, one, one, one}, attributes, processor(), forward}};
  const auto [x, weight, bias, y] = ours(shape);
  const bool in_blocks = forward.src_desc() == x && forward.dst_desc() == y &&
                         passes.to_input.diff_src_desc() == x &&
                         passes.to_input.diff_dst_desc() == y && passes.to_weight.src_desc() == x &&
                         passes.to_weight.diff_dst_desc() == y;
  return in_blocks ? std::make_optional(passes) : std::nullopt;
}

class Winograd {
 public:
  Winograd(const ConvolutionShape& shape, const Passes& passes)
      : arrays_(ours(shape)),
        forward_(Program::of<dnnl::convolution_forward>(passes.forward)),
        to_input_(Program::of<dnnl::convolution_backward_data>(passes.to_input)),
        to_weight_(Program::of<dnnl::convolution_backward_weights>(passes.to_weight)),
        take_weight_(arrays_.weight, passes.forward.weights_desc()),
        take_weight_back_(arrays_.weight, passes.to_input.weights_desc()),
        give_dweight_(passes.to_weight.diff_weights_desc(), arrays_.weight) {}

  void output(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
              const at::Tensor& y) const {
    forward_.run({{DNNL_ARG_SRC, arrays_.x, x},
                  {DNNL_ARG_WEIGHTS, take_weight_.to(), take_weight_(weight)},
                  {DNNL_ARG_BIAS, arrays_.bias, bias},
                  {DNNL_ARG_DST, arrays_.y, y}});
  }

  void gradients(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& dy,
                 const at::Tensor& dx, const at::Tensor& dweight, const at::Tensor& dbias) const {
    to_input_.run({{DNNL_ARG_DIFF_DST, arrays_.y, dy},
                   {DNNL_ARG_WEIGHTS, take_weight_back_.to(), take_weight_back_(weight)},
                   {DNNL_ARG_DIFF_SRC, arrays_.x, dx}});
    const at::Tensor theirs = memory_for(give_dweight_.from());
    to_weight_.run({{DNNL_ARG_SRC, arrays_.x, x},
                    {DNNL_ARG_DIFF_DST, arrays_.y, dy},
                    {DNNL_ARG_DIFF_WEIGHTS, give_dweight_.from(), theirs},
                    {DNNL_ARG_DIFF_BIAS, arrays_.bias, dbias}});
    give_dweight_.write(theirs, dweight);
  }

 private:
  Arrays arrays_;
  Program forward_;
  Program to_input_;
  Program to_weight_;
  Reorder take_weight_;
  Reorder take_weight_back_;
  Reorder give_dweight_;
};

// Null where oneDNN has no code for it.
std::unique_ptr<const Winograd> make(const ConvolutionShape& shape) {
  try {
    const std::optional<Passes> passes = plan(shape);
    return passes ? std::make_unique<const Winograd>(shape, *passes) : nullptr;
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented) throw;
    return nullptr;
  }
}

// The same. Each is made once and lives as long as the process.
const Winograd* find(const ConvolutionShape& shape) {
  static std::mutex mutex;
  static std::map<ConvolutionShape, std::unique_ptr<const Winograd>> made;
  const std::lock_guard lock(mutex);
  auto place = made.find(shape);
  if (place == made.end()) place = made.emplace(shape, make(shape)).first;
  return place->second.get();
}

const Winograd* find(const at::Tensor& x, std::int64_t out_channels, bool bias) {
  const auto [n, channels, height, width] = sizes_of(x);
  return find({n, channels, out_channels, height, width, bias, at::get_num_threads()});
}

struct WinogradFunction : torch::autograd::Function<WinogradFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const c10::optional<at::Tensor>& addend) {
    const at::Tensor x = input.contiguous();
    const at::Tensor bias = addend.value_or(at::Tensor());
    const at::Tensor y = at::empty(
        {x.size(0), weight.size(0) / kBlockChannels, x.size(2), x.size(3), kBlockChannels},
        x.options());
    find(x, weight.size(0), bias.defined())->output(x, weight, bias, y);
    context->save_for_backward({x, weight, bias});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor dx = at::empty_like(x);
    const at::Tensor dweight = at::empty_like(weight);
    const at::Tensor dbias = saved[2].defined() ? at::empty_like(saved[2]) : at::Tensor();
    find(x, weight.size(0), dbias.defined())
        ->gradients(x, weight, gradients[0].contiguous(), dx, dweight, dbias);
    return {dx, dweight, dbias};
  }
};

}  // namespace

at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& bias) {
  // LibTorch takes no undefined tensor there.
  const auto addend = bias.defined() ? c10::make_optional(bias) : c10::nullopt;
  return WinogradFunction::apply(as_blocks(x), weight, addend);
}

bool has_winograd() { return find({1, 16, 16, 8, 8, false, 1}) != nullptr; }

bool winograd_pays(const Conv2d& op, const at::Tensor& x) {
  if (op.window != square_window(3, 1, 1) || op.groups != 1) return false;
  if (!x.is_cpu() || x.scalar_type() != at::kFloat || autocasts_on_processor()) return false;
  // The share of the tiles' outputs that lies inside the map. Measured on AVX-512, forward and
  // backward, as a multiple of LibTorch's speed: 16 to 16 channels of 32x32 0.9, 16 to 32 of 28x28
  // 1.2, 32 of 14x14 1.2, 64 of 14x14 1.6, 128 of 8x8 2.0, 128 of 3x3 0.9.
  const auto inside = [](std::int64_t size) {
    constexpr std::int64_t kTile = 4;
    return static_cast<double>(size) / static_cast<double>((size + kTile - 1) / kTile * kTile);
  };
  const auto [n, in_channels, height, width] = sizes_of(x);
  if (in_channels % kBlockChannels != 0 || op.out_channels % kBlockChannels != 0) return false;
  const double share = inside(height) * inside(width);
  const double channels = std::sqrt(static_cast<double>(in_channels * op.out_channels));
  if (share < 0.7 || share * channels < 20.0) return false;
  return find(x, op.out_channels, op.bias) != nullptr;
}

}  // namespace biglittle
