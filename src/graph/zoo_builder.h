// SPDX-License-Identifier: MIT
#pragma once

// Appends the usual groups of layers to a graph, one after the other; the zoo's builders are
// written in its words.

#include <string>

#include "graph/zoo.h"

namespace biglittle {

/// A graph under construction. Each call reads the node appended last and makes its own node the
/// last. For signals of height (or width) 1 every window is 1 in that direction.
class ZooBuilder {
 public:
  ZooBuilder(const NetworkOptions& options, const Shape& input);

  /// The name and shape of the node appended last.
  const std::string& last() const { return last_; }
  const Shape& shape() const { return graph_.node(last_).shape; }
  /// Continues from an earlier node.
  void resume_at(const std::string& node) { last_ = node; }

  /// Convolution with bias and without batch norm; `pad` pixels on all sides.
  void conv(const std::string& name, std::int64_t channels, std::int64_t kernel, std::int64_t pad);
  /// NAME, NAME_bn: convolution without bias, padded so that stride 1 keeps the size, batch norm.
  void conv_bn(const std::string& name, std::int64_t channels, std::int64_t kernel,
               std::int64_t stride = 1, std::int64_t groups = 1);
  /// conv_bn and NAME_relu.
  void conv_bn_relu(const std::string& name, std::int64_t channels, std::int64_t kernel,
                    std::int64_t stride = 1, std::int64_t groups = 1);
  void relu(const std::string& name);
  /// 2x2 maximum with stride 2.
  void max_pool(const std::string& name);
  void add(const std::string& name, const std::string& other);
  void linear(const std::string& name, std::int64_t outputs);
  /// Appends nothing when the last node is a vector already.
  void flatten();
  void global_avg_pool();
  /// Appends nothing when the options ask for none.
  void dropout(const std::string& name);

  /// The last layer, `classifier`, and the whole graph; the builder is spent.
  Graph finish(std::int64_t classes);

 private:
  void append(std::string name, Op op);
  Window window(std::int64_t kernel, std::int64_t stride, std::int64_t pad_begin,
                std::int64_t pad_end) const;

  const NetworkOptions& options_;
  Shape input_;
  Graph graph_;
  std::string last_;
};

}  // namespace biglittle
