// SPDX-License-Identifier: MIT
#pragma once

// Options with every kind of field, in the shape of a real config.

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace biglittle {

namespace testing {

enum class Method { retrain, distill };

struct TrainSample {
  std::int64_t epochs = 10;
  double rate = 0.1;
  Method method = Method::distill;
  bool operator==(const TrainSample&) const = default;
};

struct BigSample {
  std::vector<std::int64_t> widths = {16, 32};
  TrainSample train;
  bool ema = false;
  bool operator==(const BigSample&) const = default;
};

struct Sample {
  std::string name = "run";
  std::filesystem::path data;
  std::vector<std::string> priority;
  std::int64_t seed = 1;
  double scale = 1.0;
  std::map<std::string, double> shares;
  std::map<std::string, std::map<std::string, double>> costs;
  BigSample big;
  bool operator==(const Sample&) const = default;
};

void describe(TrainSample& options, OptionVisitor& visitor);
void describe(BigSample& options, OptionVisitor& visitor);
void describe(Sample& options, OptionVisitor& visitor);

}  // namespace testing

template <>
struct EnumNames<testing::Method> {
  static constexpr std::array<std::string_view, 2> names = {"retrain", "distill"};
};

namespace testing {

inline void describe(TrainSample& options, OptionVisitor& visitor) {
  visitor.field("epochs", options.epochs, IntRange{1, 100'000}, "Passes over the data");
  visitor.field("rate", options.rate, RealRange{0.0, 1.0}, "Step size");
  visitor.field("method", options.method, "Targets");
}

inline void describe(BigSample& options, OptionVisitor& visitor) {
  visitor.field("widths", options.widths, IntRange{1, 512}, "Channels of each stage");
  visitor.section("train", options.train, "How it is trained");
  visitor.field("ema", options.ema, "Average the weights");
}

inline void describe(Sample& options, OptionVisitor& visitor) {
  visitor.field("name", options.name, "Names the run");
  visitor.field("data", options.data, "The dataset");
  visitor.field("priority", options.priority, "Classes that matter");
  visitor.field("seed", options.seed, IntRange{0}, "Of everything random");
  visitor.field("scale", options.scale, RealRange{}, "A factor");
  visitor.field("shares", options.shares, RealRange{0.0, 1.0}, "Share of each class");
  visitor.field("costs", options.costs, RealRange{0.0, 1.0}, "Cost of each mistake");
  visitor.section("big", options.big, "The big network");
}

inline DescribeOptions describer(Sample& options) {
  return [&options](OptionVisitor& visitor) { describe(options, visitor); };
}

}  // namespace testing
}  // namespace biglittle
