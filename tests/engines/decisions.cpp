// SPDX-License-Identifier: MIT
#include "engines/decisions.h"

#include <utility>

#include "quant/interpreter.h"

namespace biglittle::testing {

void add_decisions(SafetensorsFile& file, const EscalationPolicy& policy, const PriorityMap& map) {
  const std::span<const std::int32_t> sums =
      std::as_const(file.tensors.at("accumulators")).values<std::int32_t>();
  const auto classes = static_cast<std::size_t>(map.classes());
  std::vector<std::int64_t> answers;
  std::vector<std::int64_t> scores;
  std::vector<std::uint8_t> escalate;
  for (std::size_t begin = 0; begin < sums.size(); begin += classes) {
    const auto row = sums.subspan(begin, classes);
    answers.push_back(decide(row).top);
    scores.push_back(score_of(row, policy.rule, map));
    escalate.push_back(scores.back() < policy.thresholds[static_cast<std::size_t>(answers.back())]);
  }
  const std::vector<std::int64_t> shape = {std::ssize(answers)};
  file.tensors["little_class"] = Tensor::of<std::int64_t>(shape, std::span(std::as_const(answers)));
  file.tensors["score"] = Tensor::of<std::int64_t>(shape, std::span(std::as_const(scores)));
  file.tensors["escalate"] = Tensor::of<std::uint8_t>(shape, std::span(std::as_const(escalate)));
}

}  // namespace biglittle::testing
