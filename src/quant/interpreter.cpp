// SPDX-License-Identifier: MIT
#include "quant/interpreter.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "core/cores.h"
#include "core/error.h"
#include "quant/arithmetic.h"
#include "quant/kernels.h"
#include "quant/rounding.h"

namespace biglittle {
namespace {

/// Samples that a thread takes at a time: small enough to share evenly, large enough that taking is
/// free.
constexpr std::int64_t kBlock = 8;

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

/// One node's output in height, width, channel order.
using Buffer = std::vector<std::int8_t>;

/// What one thread writes while it runs a sample.
struct Workspace {
  std::vector<Buffer> buffers;  ///< one a node
  std::vector<std::int16_t> widened;
};

/// Fills `buffers[node]` from the buffers of its inputs.
using Step = std::function<void(Workspace&)>;

Step clamp_step(std::size_t from, std::size_t to, std::int8_t low, std::int8_t high) {
  return [=](Workspace& work) {
    std::transform(work.buffers[from].begin(), work.buffers[from].end(), work.buffers[to].begin(),
                   [=](std::int8_t value) { return std::clamp(value, low, high); });
  };
}

Step flatten_step(std::size_t from, std::size_t to, const Shape& shape) {
  return [=](Workspace& work) {
    const std::int64_t pixels = shape.height * shape.width;
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        work.buffers[to][index(c * pixels + p)] = work.buffers[from][index(p * shape.channels + c)];
      }
    }
  };
}

Step add_step(const Int8Model& model, const Node& node, std::size_t left, std::size_t right,
              std::size_t to) {
  const AddConstants constants = add_constants(model, node);
  const std::int32_t left_zero = model.activations.at(node.inputs[0]).zero_point;
  const std::int32_t right_zero = model.activations.at(node.inputs[1]).zero_point;
  const std::int32_t zero = model.activations.at(node.name).zero_point;
  return [=](Workspace& work) {
    const Buffer& a = work.buffers[left];
    const Buffer& b = work.buffers[right];
    Buffer& out = work.buffers[to];
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::int32_t acc =
          constants.left * (a[i] - left_zero) + constants.right * (b[i] - right_zero);
      out[i] = round_to_int8(static_cast<float>(acc) * constants.multiplier, zero);
    }
  };
}

Step avg_pool_step(const Int8Model& model, const Node& node, const Window& window, std::size_t from,
                   std::size_t to) {
  const PoolConstants constants{model.activations.at(node.inputs[0]).zero_point,
                                model.activations.at(node.name).zero_point,
                                pool_multiplier(model, node)};
  return [=, input = model.graph.input_shape(node), output = node.shape](Workspace& work) {
    run_avg_pool(input, output, window, constants, work.buffers[from], work.buffers[to]);
  };
}

Step max_pool_step(const Shape& input, const Node& node, std::size_t from, std::size_t to) {
  return [=, output = node.shape, window = std::get<MaxPool>(node.op).window](Workspace& work) {
    run_max_pool(input, output, window, work.buffers[from], work.buffers[to]);
  };
}

Step conv_step(PackedConv conv, std::size_t from, std::size_t to) {
  return [=, conv = std::move(conv)](Workspace& work) {
    widen(work.buffers[from], conv.input_zero, work.widened);
    run_conv(conv, work.widened, work.buffers[to]);
  };
}

}  // namespace

struct Interpreter::Program {
  explicit Program(const Int8Model& model);

  Workspace workspace() const;
  void check(const Samples& samples) const;
  void load(const Samples& samples, std::int64_t row, Buffer& buffer) const;
  void run(const Samples& samples, std::int64_t row, Workspace& work,
           std::span<std::int32_t> accumulators) const;

  std::vector<Node> nodes;
  std::vector<Step> steps;  ///< of nodes[1] .. the last but one
  PackedConv last;
  std::size_t last_input = 0;
  Preprocessing preprocessing;
  float input_step = 1.0f;
  std::int32_t input_zero = 0;
};

namespace {

Step make_step(const Int8Model& model, const Node& node, std::size_t to,
               const std::map<std::string, std::size_t>& place) {
  const std::size_t from = place.at(node.inputs.at(0));
  const Shape& input = model.graph.input_shape(node);
  const Quantization& quantization = model.activations.at(node.name);
  const auto zero = static_cast<std::int8_t>(quantization.zero_point);
  return std::visit(
      Overloaded{
          [&](const Conv2d&) { return conv_step(pack_conv(model, node), from, to); },
          [&](const Linear&) { return conv_step(pack_conv(model, node), from, to); },
          [&](const Relu&) { return clamp_step(from, to, zero, 127); },
          [&](const Relu6&) {
            return clamp_step(from, to, zero, static_cast<std::int8_t>(relu6_limit(quantization)));
          },
          [&](const MaxPool&) { return max_pool_step(input, node, from, to); },
          [&](const AvgPool& pool) { return avg_pool_step(model, node, pool.window, from, to); },
          [&](const GlobalAvgPool&) {
            Window window;
            window.kernel_height = input.height;
            window.kernel_width = input.width;
            return avg_pool_step(model, node, window, from, to);
          },
          [&](const Add&) { return add_step(model, node, from, place.at(node.inputs.at(1)), to); },
          [&](const Flatten&) { return flatten_step(from, to, input); },
          [&](const auto&) -> Step {
            throw Error(
                ErrorKind::internal,
                "int8 network with a " + std::string(op_name(node.op)) + " node: " + node.name);
          }},
      node.op);
}

}  // namespace

Interpreter::Program::Program(const Int8Model& model)
    : nodes(model.graph.nodes()),
      preprocessing(model.preprocessing),
      input_step(model.input_step),
      input_zero(model.activations.at(model.graph.input().name).zero_point) {
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < nodes.size(); ++i) place[nodes[i].name] = i;
  for (std::size_t i = 1; i + 1 < nodes.size(); ++i) {
    steps.push_back(make_step(model, nodes[i], i, place));
  }
  last = pack_conv(model, nodes.back());
  last_input = place.at(nodes.back().inputs.at(0));
}

Workspace Interpreter::Program::workspace() const {
  Workspace work;
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
    work.buffers.emplace_back(index(nodes[i].shape.count()));
  }
  return work;
}

void Interpreter::Program::check(const Samples& samples) const {
  if (samples.shape != nodes.front().shape) {
    throw Error(ErrorKind::bad_data, "samples are " + to_string(samples.shape) +
                                         " but the int8 network expects " +
                                         to_string(nodes.front().shape));
  }
  if (samples.type() != preprocessing.type) {
    throw Error(ErrorKind::bad_data,
                samples.type() == SampleType::u8
                    ? "samples are uint8 but the int8 network expects float32"
                    : "samples are float32 but the int8 network expects uint8");
  }
}

void Interpreter::Program::load(const Samples& samples, std::int64_t row, Buffer& buffer) const {
  const Shape& shape = nodes.front().shape;
  const std::int64_t pixels = shape.height * shape.width;
  const std::int64_t first = row * shape.count();
  const auto fill = [&](auto&& quantize_value) {
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        buffer[index(p * shape.channels + c)] = quantize_value(index(first + c * pixels + p));
      }
    }
  };
  if (preprocessing.type == SampleType::u8) {
    const auto bytes = samples.bytes();
    fill([&](std::size_t i) { return static_cast<std::int8_t>(bytes[i] - 128); });
    return;
  }
  const auto floats = samples.floats();
  const auto offset = static_cast<float>(preprocessing.offset);
  fill([&](std::size_t i) { return quantize_input(floats[i], offset, input_step, input_zero); });
}

void Interpreter::Program::run(const Samples& samples, std::int64_t row, Workspace& work,
                               std::span<std::int32_t> accumulators) const {
  load(samples, row, work.buffers.front());
  for (const Step& step : steps) step(work);
  widen(work.buffers[last_input], last.input_zero, work.widened);
  run_conv(last, work.widened, accumulators);
}

Interpreter::Interpreter(const Int8Model& model) {
  check_int8_model(model, "int8 network");
  program_ = std::make_unique<Program>(model);
}
Interpreter::~Interpreter() = default;
Interpreter::Interpreter(Interpreter&&) noexcept = default;

std::vector<std::int32_t> Interpreter::run(const Samples& samples, std::int64_t threads) const {
  program_->check(samples);
  const std::int64_t count = samples.count();
  const std::int64_t outputs = program_->last.output.channels;
  std::vector<std::int32_t> accumulators(index(count * outputs));
  const std::int64_t blocks = (count + kBlock - 1) / kBlock;
  if (threads == 0) threads = usable_cores();
  std::vector<Workspace> workspaces(index(std::max<std::int64_t>(1, std::min(threads, blocks))),
                                    program_->workspace());
  std::atomic<std::int64_t> next = 0;
  const auto work_through = [&](Workspace& work) {
    for (std::int64_t block = next++; block < blocks; block = next++) {
      for (std::int64_t row = block * kBlock; row < std::min(count, (block + 1) * kBlock); ++row) {
        program_->run(samples, row, work,
                      std::span(accumulators).subspan(index(row * outputs), index(outputs)));
      }
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < workspaces.size(); ++i) {
    others.emplace_back([&, i] { work_through(workspaces[i]); });
  }
  work_through(workspaces.front());
  others.clear();  // joins
  return accumulators;
}

std::vector<std::int32_t> Interpreter::trace(const Samples& samples, std::int64_t row,
                                             const SeeTensor& see) const {
  program_->check(samples);
  if (row < 0 || row >= samples.count()) {
    throw Error(ErrorKind::internal, "there is no sample " + std::to_string(row));
  }
  Workspace work = program_->workspace();
  std::vector<std::int32_t> accumulators(index(program_->last.output.channels));
  program_->run(samples, row, work, accumulators);
  for (std::size_t i = 0; i + 1 < program_->nodes.size(); ++i) {
    const Shape& shape = program_->nodes[i].shape;
    const std::int64_t pixels = shape.height * shape.width;
    Buffer planar(work.buffers[i].size());
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        planar[index(c * pixels + p)] = work.buffers[i][index(p * shape.channels + c)];
      }
    }
    see(program_->nodes[i].name, planar);
  }
  return accumulators;
}

Decision decide(std::span<const std::int32_t> accumulators) {
  if (accumulators.size() < 2) {
    throw Error(ErrorKind::internal, "a decision needs at least two classes");
  }
  std::size_t top = 0;
  for (std::size_t i = 1; i < accumulators.size(); ++i) {
    if (accumulators[i] > accumulators[top]) top = i;
  }
  std::size_t second = top == 0 ? 1 : 0;
  for (std::size_t i = 0; i < accumulators.size(); ++i) {
    if (i != top && accumulators[i] > accumulators[second]) second = i;
  }
  return {static_cast<std::int64_t>(top), static_cast<std::int64_t>(second),
          std::int64_t{accumulators[top]} - accumulators[second]};
}

}  // namespace biglittle
