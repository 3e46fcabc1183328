// SPDX-License-Identifier: MIT
#include "train/libtorch/blocked_convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "train/libtorch/blocked_maps.h"
#include "train/libtorch/device.h"
#include "train/libtorch/processor.h"

namespace biglittle {
namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;
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

// Of whatever type: it is read as `desc` says.
at::Tensor memory_for(const Desc& desc) {
  return at::empty({static_cast<std::int64_t>(desc.get_size())}, at::kByte);
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
  Window window;
  bool bias;
  bool in_bf16;  // maps and products; weights and their gradients stay in float32
  int threads;   // that LibTorch, and oneDNN with it, computes with

  bool of_image() const { return in_channels < kBlockChannels; }
  std::int64_t out_height() const {
    return (height + window.pad_top + window.pad_bottom - window.kernel_height) /
               window.stride_height +
           1;
  }
  std::int64_t out_width() const {
    return (width + window.pad_left + window.pad_right - window.kernel_width) /
               window.stride_width +
           1;
  }
  auto operator<=>(const ConvolutionShape&) const = default;
};

ConvolutionShape shape_of(const Conv2d& op, const at::Tensor& x) {
  const auto [n, channels, height, width] = sizes_of(x);
  const bool in_bf16 = autocasts_on_processor() || x.scalar_type() == at::kBFloat16;
  return {n,       channels, op.out_channels,      height, width, op.window,
          op.bias, in_bf16,  at::get_num_threads()};
}

at::ScalarType type_of(const ConvolutionShape& shape) {
  return shape.in_bf16 ? at::kBFloat16 : at::kFloat;
}

// Whether Winograd's way, which is for float32 alone, is faster than the direct one.
bool suits_winograd(const ConvolutionShape& s) {
  if (s.in_bf16) return false;
  if (s.window != square_window(3, 1, 1) || s.in_channels % kBlockChannels != 0) return false;
  // The share of the tiles' outputs that lies inside the map. Measured on AVX-512, forward and
  // backward, as a multiple of the direct way's speed: 16 to 16 channels of 32x32 0.8, 16 to 32 of
  // 28x28 1.6, 32 of 14x14 1.0, 64 of 14x14 1.4, 64 of 8x8 1.7, 128 of 3x3 0.6.
  const auto inside = [](std::int64_t size) {
    constexpr std::int64_t kTile = 4;
    return static_cast<double>(size) / static_cast<double>((size + kTile - 1) / kTile * kTile);
  };
  const double share = inside(s.height) * inside(s.width);
  const double channels = std::sqrt(static_cast<double>(s.in_channels * s.out_channels));
  return share >= 0.7 && share * channels >= 20.0;
}

struct Arrays {
  Desc x;
  Desc weight;
  Desc bias;  // of nothing without one
  Desc y;
};
// Weights in the given type and order.
Arrays arrays_of(const ConvolutionShape& s, Type weight_type, Tag weight_order) {
  static_assert(kBlockChannels == 16);
  const Type type = s.in_bf16 ? Type::bf16 : Type::f32;
  const Window& w = s.window;
  return {
      Desc({s.n, s.in_channels, s.height, s.width}, type, s.of_image() ? Tag::nchw : Tag::nChw16c),
      Desc({s.out_channels, s.in_channels, w.kernel_height, w.kernel_width}, weight_type,
           weight_order),
      s.bias ? Desc({s.out_channels}, Type::f32, Tag::a) : Desc(),
      Desc({s.n, s.out_channels, s.out_height(), s.out_width()}, type, Tag::nChw16c)};
}

// Weights have their input channel last (FlatLayout).
Arrays ours(const ConvolutionShape& shape) { return arrays_of(shape, Type::f32, Tag::ohwi); }

// What oneDNN plans for a convolution's passes.
struct Passes {
  dnnl::convolution_forward::primitive_desc forward;
  std::optional<dnnl::convolution_backward_data::primitive_desc> to_input;  // none of an image
  dnnl::convolution_backward_weights::primitive_desc to_weight;
};

// Nothing where oneDNN has no fast code for one of them. Weights are as each pass likes.
std::optional<Passes> plan(const ConvolutionShape& shape, dnnl::algorithm way) {
  const auto [x, weight, bias, y] =
      arrays_of(shape, shape.in_bf16 ? Type::bf16 : Type::f32, Tag::any);
  const Desc weight_gradient = arrays_of(shape, Type::f32, Tag::any).weight;
  const Window& w = shape.window;
  const dnnl::memory::dims stride = {w.stride_height, w.stride_width};
  const dnnl::memory::dims before = {w.pad_top, w.pad_left};
  const dnnl::memory::dims after = {w.pad_bottom, w.pad_right};
  const dnnl::primitive_attr attributes = Program::attributes();
  const auto is_fast = [](const auto& pass) {
    return !std::string_view(pass.impl_info_str()).starts_with("ref");
  };
  try {
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, way, x, weight, bias, y, stride, before, after},
        attributes, processor());
    Passes passes = {forward,
                     std::nullopt,
                     {{way, x, weight_gradient, bias, y, stride, before, after},
                      attributes,
                      processor(),
                      forward}};
    bool all_fast = is_fast(forward) && is_fast(passes.to_weight);
    if (!shape.of_image()) {
      passes.to_input.emplace(
          dnnl::convolution_backward_data::desc{way, x, weight, y, stride, before, after},
          attributes, processor(), forward);
      all_fast = all_fast && is_fast(*passes.to_input);
    }
    return all_fast ? std::make_optional(passes) : std::nullopt;
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented) throw;
    return std::nullopt;
  }
}

class Convolution {
 public:
  Convolution(const ConvolutionShape& shape, const Passes& passes)
      : type_(type_of(shape)),
        arrays_(ours(shape)),
        forward_(Program::of<dnnl::convolution_forward>(passes.forward)),
        to_weight_(Program::of<dnnl::convolution_backward_weights>(passes.to_weight)),
        take_weight_(arrays_.weight, passes.forward.weights_desc()),
        give_dweight_(passes.to_weight.diff_weights_desc(), arrays_.weight) {
    if (!passes.to_input) return;
    to_input_.emplace(Program::of<dnnl::convolution_backward_data>(*passes.to_input));
    take_weight_back_.emplace(arrays_.weight, passes.to_input->weights_desc());
  }

  at::Tensor output(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const {
    const dnnl::memory::dims size = arrays_.y.dims();
    const at::Tensor y =
        at::empty({size[0], size[1] / kBlockChannels, size[2], size[3], kBlockChannels}, type_);
    forward_.run({{DNNL_ARG_SRC, arrays_.x, x},
                  {DNNL_ARG_WEIGHTS, take_weight_.to(), take_weight_(weight)},
                  {DNNL_ARG_BIAS, arrays_.bias, bias},
                  {DNNL_ARG_DST, arrays_.y, y}});
    return y;
  }

  void input_gradient(const at::Tensor& weight, const at::Tensor& dy, const at::Tensor& dx) const {
    to_input_->run({{DNNL_ARG_DIFF_DST, arrays_.y, dy},
                    {DNNL_ARG_WEIGHTS, take_weight_back_->to(), (*take_weight_back_)(weight)},
                    {DNNL_ARG_DIFF_SRC, arrays_.x, dx}});
  }

  void weight_gradient(const at::Tensor& x, const at::Tensor& dy, const at::Tensor& dweight,
                       const at::Tensor& dbias) const {
    const at::Tensor theirs = memory_for(give_dweight_.from());
    to_weight_.run({{DNNL_ARG_SRC, arrays_.x, x},
                    {DNNL_ARG_DIFF_DST, arrays_.y, dy},
                    {DNNL_ARG_DIFF_WEIGHTS, give_dweight_.from(), theirs},
                    {DNNL_ARG_DIFF_BIAS, arrays_.bias, dbias}});
    give_dweight_.write(theirs, dweight);
  }

 private:
  at::ScalarType type_;  // of maps
  Arrays arrays_;
  Program forward_;
  std::optional<Program> to_input_;
  Program to_weight_;
  Reorder take_weight_;
  std::optional<Reorder> take_weight_back_;
  Reorder give_dweight_;
};

// Null where oneDNN has no code for it.
std::unique_ptr<const Convolution> make(const ConvolutionShape& shape) {
  std::optional<Passes> passes;
  if (suits_winograd(shape)) passes = plan(shape, dnnl::algorithm::convolution_winograd);
  if (!passes) passes = plan(shape, dnnl::algorithm::convolution_direct);
  return passes ? std::make_unique<const Convolution>(shape, *passes) : nullptr;
}

// The same. Each is made once and lives as long as the process.
const Convolution* find(const ConvolutionShape& shape) {
  static std::mutex mutex;
  static std::map<ConvolutionShape, std::unique_ptr<const Convolution>> made;
  const std::lock_guard lock(mutex);
  auto place = made.find(shape);
  if (place == made.end()) place = made.emplace(shape, make(shape)).first;
  return place->second.get();
}

struct BlockedConvolutionFunction : torch::autograd::Function<BlockedConvolutionFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const c10::optional<at::Tensor>& addend, const Convolution* program) {
    const at::Tensor bias = addend.value_or(at::Tensor());
    context->save_for_backward({x, weight, bias});
    context->saved_data["program"] = reinterpret_cast<std::int64_t>(program);
    return program->output(x, weight, bias);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const auto* const program =
        reinterpret_cast<const Convolution*>(context->saved_data["program"].toInt());
    const at::Tensor dy = gradients[0].contiguous();
    const at::Tensor dx = context->needs_input_grad(0) ? at::empty_like(x) : at::Tensor();
    const at::Tensor dweight = at::empty_like(weight);
    const at::Tensor dbias = saved[2].defined() ? at::empty_like(saved[2]) : at::Tensor();
    if (dx.defined()) program->input_gradient(weight, dy, dx);
    program->weight_gradient(x, dy, dweight, dbias);
    return {dx, dweight, dbias, {}};
  }
};

}  // namespace

bool multiplies_bf16_in_blocks() {
  static const Processor processor = detect_processor();
  return processor.avx512_bf16 && !processor.amx_bf16;
}

bool convolves_in_blocks(const Conv2d& op, const at::Tensor& x) {
  if (op.groups != 1 || op.out_channels % kBlockChannels != 0) return false;
  if (!x.is_cpu() || (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16)) {
    return false;
  }
  const ConvolutionShape shape = shape_of(op, x);
  if (shape.in_bf16 && !multiplies_bf16_in_blocks()) return false;
  const bool in_blocks = shape.in_channels % kBlockChannels == 0;
  const bool is_image = shape.of_image() && !x.requires_grad();
  return (in_blocks || is_image) && find(shape) != nullptr;
}

at::Tensor blocked_convolution(const Conv2d& op, const at::Tensor& x, const at::Tensor& weight,
                               const at::Tensor& bias) {
  const ConvolutionShape shape = shape_of(op, x);
  const at::Tensor maps = x.to(type_of(shape));
  const at::Tensor input = shape.of_image() ? maps.contiguous() : as_blocks(maps).contiguous();
  // LibTorch takes no undefined tensor there.
  const auto addend = bias.defined() ? c10::make_optional(bias) : c10::nullopt;
  return BlockedConvolutionFunction::apply(input, weight, addend, find(shape));
}

bool has_winograd() {
  const ConvolutionShape shape{1, 16, 16, 8, 8, square_window(3, 1, 1), false, false, 1};
  return plan(shape, dnnl::algorithm::convolution_winograd).has_value();
}

}  // namespace biglittle
