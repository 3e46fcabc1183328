// SPDX-License-Identifier: MIT
#include "quant/fine_tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quant/float_engine.h"
#include "quant/random_model.h"
#include "quant/ranges.h"
#include "quant/small_model.h"

namespace biglittle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Int8Constants, AreTheContractsOfASmallModel) {
  const Int8Model model = testing::small_model();
  const Int8Constants constants = int8_constants(model);
  EXPECT_EQ(constants.weights, model.weights);
  ASSERT_EQ(constants.nodes.size(), 5u);
  const Int8Node& conv = constants.nodes.at("conv");
  EXPECT_EQ(conv.scale, 0.1f);
  EXPECT_EQ(conv.zero_point, -128);
  EXPECT_THAT(conv.multipliers,
              ElementsAre(0.02f * 0.01f / 0.1f, 0.02f * 0.02f / 0.1f, 0.02f * 0.03f / 0.1f));
  EXPECT_EQ(conv.bound, 132 * 225 + 30) << "sum |w| (127 + 98) + |bias| of the third channel";
  EXPECT_THAT(constants.nodes.at("relu").multipliers, ElementsAre());
  EXPECT_THAT(constants.nodes.at("mean").multipliers,
              ElementsAre(static_cast<float>(double{0.1f} / (16.0 * double{0.05f}))));
  const Int8Node& logits = constants.nodes.at("logits");
  EXPECT_THAT(logits.multipliers, ElementsAre());
  EXPECT_EQ(logits.scale, 0.05f * 0.04f);
}

TEST(RangeOf, IsTheInverseOfQuantizationOf) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (const auto& [node, quantization] : testing::random_case(seed).model.activations) {
      EXPECT_EQ(quantization_of(range_of(quantization)), quantization) << seed << " " << node;
    }
  }
  for (const Quantization extreme : {Quantization{kSmallestScale, -128}, {kLargestScale, 127}}) {
    EXPECT_EQ(quantization_of(range_of(extreme)), extreme);
  }
}

TEST(IsBetter, CountsRightAnswersFirstAndLossSecond) {
  QuantizeResult a;
  QuantizeResult b;
  a.int8_accuracy = 0.9;
  b.int8_accuracy = 0.8;
  a.int8_loss = 2.0;
  b.int8_loss = 1.0;
  EXPECT_TRUE(is_better(a, b));
  EXPECT_FALSE(is_better(b, a));
  b.int8_accuracy = 0.9;
  EXPECT_FALSE(is_better(a, b));
  EXPECT_TRUE(is_better(b, a));
  EXPECT_FALSE(is_better(a, a));
}

/// An engine whose training ends in given weights and scales.
class GivenResult : public testing::FloatEngine {
 public:
  explicit GivenResult(FitResult result) : result_(std::move(result)) {}
  FitResult fit(const FitRequest& request, Observer&) const override {
    seen = request;
    return result_;
  }
  mutable FitRequest seen;

 private:
  FitResult result_;
};

struct Notes : Observer {
  std::string text;
  void note(std::string_view message) override { text += message; }
};

/// Bytes a and b; class 0 where a > b. The float network has its two weights the wrong way around.
Checkpoint wrong_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.network.graph.append("input", Input{{2, 1, 1}});
  checkpoint.network.graph.append("hidden", Linear{2, false}, {"input"});
  checkpoint.network.graph.append("logits", Linear{2, false}, {"hidden"});
  checkpoint.network.weights = {
      {"hidden.weight", Tensor::of<float>({2, 2}, std::vector<float>{0.0f, 1.0f, 1.0f, 0.0f})},
      {"logits.weight", Tensor::of<float>({2, 2}, std::vector<float>{1.0f, 0.0f, 0.0f, 1.0f})}};
  checkpoint.classes = {"above", "below"};
  checkpoint.preprocessing = {SampleType::u8, 0.01, 100.0};
  return checkpoint;
}

const Samples kTune{{2, 1, 1}, std::vector<std::uint8_t>{150, 50, 60, 170, 140, 90, 10, 20}};
const std::vector<std::int64_t> kLabels = {0, 1, 0, 1};

TensorMap weights_of(float straight, float crossed) {
  return {{"hidden.weight",
           Tensor::of<float>({2, 2}, std::vector<float>{straight, crossed, crossed, straight})},
          {"hidden.bias", Tensor(DType::f32, {2})},
          {"logits.weight", Tensor::of<float>({2, 2}, std::vector<float>{1.0f, 0.0f, 0.0f, 1.0f})},
          {"logits.bias", Tensor(DType::f32, {2})}};
}

struct Outcome {
  QuantizeResult start;
  QuantizeResult kept;
  FitRequest seen;
  std::string note;
};

Outcome fine_tune_to(FitResult given) {
  const Checkpoint checkpoint = wrong_checkpoint();
  const GivenResult engine(std::move(given));
  Outcome outcome;
  outcome.start = quantize(checkpoint, kTune, kLabels, {}, {}, engine);
  FitRequest objective;
  objective.tune = &kTune;
  objective.tune_labels = kLabels;
  objective.options.weight_decay = 0.1;
  objective.options.epochs = 20;
  FineTuneOptions options;
  options.epochs = 3;
  options.learning_rate = 0.25;
  options.learn_steps = true;
  Notes notes;
  outcome.kept = fine_tune(checkpoint, outcome.start, objective, options, engine, notes);
  outcome.seen = engine.seen;
  outcome.note = notes.text;
  return outcome;
}

TEST(FineTune, KeepsWhatIsBetterOnTune) {
  const Outcome better = fine_tune_to({weights_of(1.0f, 0.0f), {}, Json::array(), 1.0});
  EXPECT_EQ(better.start.int8_accuracy, 0.0);
  EXPECT_EQ(better.kept.int8_accuracy, 1.0);
  EXPECT_THAT(better.note, HasSubstr("int8 fine-tuned: 100.00 % of tune right"));
  EXPECT_THAT(better.note, HasSubstr("post-training: 0.00 % of tune right"));
  EXPECT_THAT(better.note, HasSubstr("kept: fine-tuned"));
  EXPECT_EQ(better.kept.model.source_digest, better.start.model.source_digest);
  EXPECT_EQ(better.kept.folded.weights.at("hidden.weight").values<float>()[0], 1.0f);

  // As wrong as before, and surer of it.
  const Outcome worse = fine_tune_to({weights_of(0.0f, 2.0f), {}, Json::array(), 0.0});
  EXPECT_THAT(worse.note, HasSubstr("kept: post-training"));
  EXPECT_EQ(int8_digest(worse.kept.model), int8_digest(worse.start.model));
}

TEST(FineTune, TrainsOnTheObjectiveWithItsOwnEpochsAndRate) {
  const Outcome outcome = fine_tune_to({weights_of(1.0f, 0.0f), {}, Json::array(), 1.0});
  EXPECT_EQ(outcome.seen.options.epochs, 3);
  EXPECT_EQ(outcome.seen.options.learning_rate, 0.25);
  EXPECT_EQ(outcome.seen.options.weight_decay, 0.0);
  EXPECT_EQ(outcome.seen.graph, outcome.start.model.graph);
  EXPECT_EQ(*outcome.seen.initial, weights_of(0.0f, 1.0f)) << "folded, with a bias on every layer";
  EXPECT_TRUE(outcome.seen.quantization->learn_steps);
}

TEST(FineTune, TakesLearnedScalesAndKeepsZeroPoints) {
  const Outcome outcome =
      fine_tune_to({weights_of(1.0f, 0.0f), {{"hidden", 0.0625f}}, Json::array(), 1.0});
  const Quantization before = outcome.start.model.activations.at("hidden");
  EXPECT_EQ(outcome.kept.model.activations.at("hidden"),
            (Quantization{0.0625f, before.zero_point}));
  EXPECT_EQ(outcome.kept.model.activations.at("input"),
            outcome.start.model.activations.at("input"));
}

TEST(FineTuneOptions, AreReadFromToml) {
  QuantizeOptions options;
  const DescribeOptions all = [&](OptionVisitor& visitor) { describe(options, visitor); };
  read_toml_text(
      "equalize = true\n[fine_tune]\nepochs = 2\nlearning_rate = 0.5\nlearn_steps = true\n",
      "t.toml", ".", all);
  EXPECT_TRUE(options.equalize);
  EXPECT_EQ(options.fine_tune.epochs, 2);
  EXPECT_EQ(options.fine_tune.learning_rate, 0.5);
  EXPECT_TRUE(options.fine_tune.learn_steps);
  for (const auto* bad : {"fine_tune.epochs = -1", "fine_tune.learning_rate = 0.0"}) {
    EXPECT_THROW(read_toml_text(bad, "t.toml", ".", all), Error) << bad;
  }
}

}  // namespace
}  // namespace biglittle
