// SPDX-License-Identifier: MIT
#include "bundle/device_cases.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "bundle/random_int8_model.h"
#include "quant/interpreter.h"

namespace biglittle::testing {

EscalationPolicy margin_policy(const Int8Model& model, std::int64_t threshold) {
  const PriorityMap& map = *model.priority;
  EscalationPolicy policy;
  policy.rule = plain_rule(ScoreKind::margin, map);
  policy.thresholds.assign(map.names.size(), threshold);
  if (map.has_other) policy.thresholds.back() = kAlwaysEscalate;
  return policy;
}

EscalationPolicy gate_policy(const Int8Model& model) {
  const auto classes = static_cast<std::int64_t>(model.classes.size());
  EscalationPolicy policy;
  policy.rule = {ScoreKind::gate, 300, -40, {}};
  for (std::int64_t i = 0; i < classes; ++i) {
    policy.rule.offsets.push_back((std::int64_t{1} << 40) - 100000 * i);
    const std::int64_t least = i + 1 == classes ? 120000 : 1900000;
    policy.thresholds.push_back((std::int64_t{1} << 40) + least + i);
  }
  policy.other = OtherMode::answer;
  return policy;
}

DeviceSource generate(const Int8Model& model, const EscalationPolicy& policy) {
  const Samples vectors = random_samples(model, 3, 99);
  return device_source(model, policy, vectors, Interpreter(model).run(vectors, 1));
}

DeviceSource generate(const Int8Model& model) { return generate(model, margin_policy(model)); }

Graph rich_graph() {
  Graph g;
  g.append("input", Input{{3, 13, 11}});
  g.append("conv", Conv2d{17, Window{3, 2, 1, 1, 0, 1, 2, 0}}, {"input"});
  g.append("relu", Relu{}, {"conv"});
  g.append("depthwise", Conv2d{17, square_window(3, 1, 1), 17}, {"relu"});
  g.append("relu6", Relu6{}, {"depthwise"});
  g.append("add", Add{}, {"relu", "relu6"});
  g.append("mix", Conv2d{16, square_window(1, 1, 0)}, {"add"});
  g.append("grouped", Conv2d{12, Window{5, 3, 2, 1, 2, 1, 1, 1}, 4}, {"mix"});
  g.append("run", Conv2d{24, square_window(3, 2, 1), 12}, {"grouped"});  // named like a symbol
  g.append("pooled", MaxPool{Window{2, 3, 1, 1, 1, 0, 0, 2}}, {"run"});
  g.append("own_relu", Relu{}, {"pooled"});
  g.append("average", AvgPool{Window{2, 2, 1, 2, 1, 0, 0, 1}}, {"own_relu"});
  g.append("flat", Flatten{}, {"average"});
  g.append("hidden", Linear{21}, {"flat"});
  g.append("hidden_relu", Relu{}, {"hidden"});
  g.append("fc", Linear{5}, {"hidden_relu"});
  return g;
}

std::int64_t count_differences(const Int8Model& model, const std::vector<DeviceAnswer>& answers,
                               const Samples& samples, const EscalationPolicy& policy) {
  const std::vector<std::int32_t> expected = Interpreter(model).run(samples, 1);
  const std::size_t classes = model.classes.size();
  EXPECT_EQ(answers.size() * classes, expected.size());
  std::int64_t differences = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::vector<std::int32_t> row(
        expected.begin() + static_cast<std::ptrdiff_t>(i * classes),
        expected.begin() + static_cast<std::ptrdiff_t>((i + 1) * classes));
    const Decision decision = decide(row);
    const std::int64_t score = score_of(row, policy.rule, *model.priority);
    const bool local = score >= policy.thresholds[static_cast<std::size_t>(decision.top)];
    const bool same = answers[i].accumulators == row && answers[i].class_index == decision.top &&
                      answers[i].margin == decision.margin && answers[i].score == score &&
                      answers[i].escalate == !local;
    differences += same ? 0 : 1;
  }
  return differences;
}

}  // namespace biglittle::testing
