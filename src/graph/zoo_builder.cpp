// SPDX-License-Identifier: MIT
#include "graph/zoo_builder.h"

#include <utility>

namespace biglittle {

ZooBuilder::ZooBuilder(const NetworkOptions& options, const Shape& input)
    : options_(options), input_(input) {
  last_ = graph_.append("input", Input{input});
}

void ZooBuilder::conv(const std::string& name, std::int64_t channels, std::int64_t kernel,
                      std::int64_t pad) {
  append(name, Conv2d{channels, window(kernel, 1, pad, pad), 1, true});
}

void ZooBuilder::conv_bn(const std::string& name, std::int64_t channels, std::int64_t kernel,
                         std::int64_t stride, std::int64_t groups) {
  const Window same = window(kernel, stride, (kernel - 1) / 2, kernel / 2);
  append(name, Conv2d{channels, same, groups, false});
  append(name + "_bn", BatchNorm{});
}

void ZooBuilder::conv_bn_relu(const std::string& name, std::int64_t channels, std::int64_t kernel,
                              std::int64_t stride, std::int64_t groups) {
  conv_bn(name, channels, kernel, stride, groups);
  relu(name + "_relu");
}

void ZooBuilder::relu(const std::string& name) {
  append(name, options_.relu6 ? Op{Relu6{}} : Op{Relu{}});
}

void ZooBuilder::max_pool(const std::string& name) { append(name, MaxPool{window(2, 2, 0, 0)}); }

void ZooBuilder::add(const std::string& name, const std::string& other) {
  last_ = graph_.append(name, Add{}, {last_, other});
}

void ZooBuilder::linear(const std::string& name, std::int64_t outputs) {
  append(name, Linear{outputs, true});
}

void ZooBuilder::flatten() {
  if (shape().height != 1 || shape().width != 1) append("flatten", Flatten{});
}

void ZooBuilder::global_avg_pool() { append("global_pool", GlobalAvgPool{}); }

void ZooBuilder::dropout(const std::string& name) {
  if (options_.dropout > 0.0) append(name, Dropout{options_.dropout});
}

Graph ZooBuilder::finish(std::int64_t classes) {
  linear("classifier", classes);
  return std::move(graph_);
}

void ZooBuilder::append(std::string name, Op op) {
  last_ = graph_.append(std::move(name), std::move(op), {last_});
}

Window ZooBuilder::window(std::int64_t kernel, std::int64_t stride, std::int64_t pad_begin,
                          std::int64_t pad_end) const {
  Window window = {kernel, kernel, stride, stride, pad_begin, pad_begin, pad_end, pad_end};
  if (input_.height == 1) {
    window.kernel_height = window.stride_height = 1;
    window.pad_top = window.pad_bottom = 0;
  }
  if (input_.width == 1) {
    window.kernel_width = window.stride_width = 1;
    window.pad_left = window.pad_right = 0;
  }
  return window;
}

}  // namespace biglittle
