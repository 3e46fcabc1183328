// SPDX-License-Identifier: MIT
// Training through the int8 network: what the engine computes is what the interpreter computes, and
// gradients are those of the real function in between.

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/random.h"
#include "graph/zoo.h"
#include "quant/fine_tune.h"
#include "quant/interpreter.h"
#include "quant/random_model.h"
#include "train/batch.h"
#include "train/libtorch/inference.h"
#include "train/libtorch/initial_weights.h"
#include "train/libtorch/int8_module.h"
#include "train/toy_problem.h"

extern "C" const biglittle::Engine* biglittle_engine();

namespace biglittle {
namespace {

const Engine& engine() { return *biglittle_engine(); }

using Integers = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

/// Every node's integers for all samples, row by row in C, H, W order: q, the last node's
/// accumulators.
Integers train_forward(const Int8Model& model, const Samples& samples) {
  const c10::NoGradGuard no_gradients;
  const Int8Tensors integers(model.graph, int8_constants(model));
  Preprocessing unscaled = model.preprocessing;
  unscaled.scale = 1.0;
  std::vector<float> values(static_cast<std::size_t>(samples.count() * samples.shape.count()));
  fill_batch(samples, 0, samples.count(), unscaled, Mirror::no, values);
  const at::Tensor input = quantize_input(as_batch(values, samples.shape), model.preprocessing.type,
                                          model.graph, integers);
  Integers seen;
  run_int8(model.graph, integers, Int8Learned(), input, [&](const Node& node, const at::Tensor& d) {
    const at::Tensor q = (d.to(at::kLong) + integers.node(node.name).zero_point).contiguous();
    const auto* first = q.data_ptr<std::int64_t>();
    seen[node.name].assign(first, first + q.numel());
  });
  return seen;
}

Integers interpret(const Int8Model& model, const Samples& samples) {
  const Interpreter interpreter(model);
  Integers seen;
  for (std::int64_t row = 0; row < samples.count(); ++row) {
    const auto accumulators = interpreter.trace(
        samples, row, [&](std::string_view node, std::span<const std::int8_t> values) {
          auto& all = seen[std::string(node)];
          all.insert(all.end(), values.begin(), values.end());
        });
    auto& all = seen[model.graph.output().name];
    all.insert(all.end(), accumulators.begin(), accumulators.end());
  }
  return seen;
}

void expect_equals_interpreter(const Int8Model& model, const Samples& samples) {
  const Integers trained = train_forward(model, samples);
  for (const auto& [node, integers] : interpret(model, samples)) {
    EXPECT_EQ(trained.at(node), integers) << node;
  }
}

TEST(Int8Training, ComputesEveryIntegerOfTheInterpreterOnRandomGraphs) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const testing::RandomCase random = testing::random_case(seed);
    expect_equals_interpreter(random.model, random.samples);
    if (HasFailure()) break;
  }
}

/// A network as after training: batch norm statistics near those of its inputs.
Checkpoint untrained(const NetworkOptions& options, const Shape& shape) {
  Checkpoint checkpoint;
  checkpoint.network.graph = build_network(options, shape, 5);
  checkpoint.network.weights = fresh_weights(checkpoint.network.graph, 3);
  Random random(4);
  for (auto& [name, tensor] : checkpoint.network.weights) {
    if (tensor.shape().size() != 1) continue;
    const double base = name.ends_with(".running_var") || name.ends_with(".weight") ? 1.0 : 0.0;
    for (float& value : tensor.values<float>()) {
      value = static_cast<float>(base + 0.4 * (random.uniform() - 0.5));
    }
  }
  checkpoint.classes = {"a", "b", "c", "d", "e"};
  checkpoint.preprocessing = {SampleType::u8, 1.0 / 60.0, 120.0};
  return checkpoint;
}

Samples random_bytes(const Shape& shape, std::int64_t count) {
  Random random(6);
  std::vector<std::uint8_t> bytes;
  for (std::int64_t i = 0; i < count * shape.count(); ++i) {
    bytes.push_back(static_cast<std::uint8_t>(random.below(256)));
  }
  return {shape, bytes};
}

TEST(Int8Training, ComputesEveryIntegerOfTheInterpreterOnTheZoo) {
  const Shape shape{3, 17, 16};
  const Samples samples = random_bytes(shape, 20);
  for (const Architecture arch :
       {Architecture::mlp, Architecture::lenet, Architecture::vgg, Architecture::resnet,
        Architecture::resnet9, Architecture::ds_cnn}) {
    for (const bool relu6 : {false, true}) {
      SCOPED_TRACE(std::string(name_of(arch)) + (relu6 ? " relu6" : ""));
      NetworkOptions options;
      options.arch = arch;
      options.width = 8;
      options.relu6 = relu6;
      const Checkpoint checkpoint = untrained(options, shape);
      const QuantizeResult result = quantize(checkpoint, samples, std::vector<std::int64_t>(20, 0),
                                             QuantizeOptions(), {}, engine());
      expect_equals_interpreter(result.model, samples);
    }
  }
}

/// The whole gradient against that of the float network, which the int8 network follows.
TEST(Int8Training, FollowsTheGradientOfTheFloatNetwork) {
  const testing::ToyProblem problem = testing::make_toy_problem(64, 64, 3);
  Checkpoint checkpoint;
  checkpoint.network =
      fold_batch_norm({testing::toy_graph(4), fresh_weights(testing::toy_graph(4), 5)});
  checkpoint.classes = {"a", "b", "c", "d"};
  checkpoint.preprocessing = {SampleType::u8, 1.0 / 50.0, 80.0};
  const QuantizeResult result =
      quantize(checkpoint, problem.tune, problem.tune_labels, QuantizeOptions(), {}, engine());

  const FlatLayout layout(result.model.graph);
  const at::Tensor none = at::empty({layout.buffer_count()});
  const auto gradients_of = [&](const auto& logits_with) {
    const at::Tensor parameters = at::zeros({layout.trainable_count()});
    const at::Tensor gradients = at::zeros({layout.trainable_count()});
    TensorMap weights = result.folded.weights;
    for (const WeightSpec& spec : result.model.graph.weights()) {
      weights.try_emplace(spec.name, DType::f32, spec.shape);
    }
    layout.load(weights, parameters, none);
    const at::Tensor logits = logits_with(parameters, gradients);
    std::vector<std::int64_t> labels = problem.tune_labels;
    at::cross_entropy_loss(logits, at::tensor(labels, at::kLong)).backward();
    return gradients;
  };
  Preprocessing unscaled = checkpoint.preprocessing;
  unscaled.scale = 1.0;
  std::vector<float> raw(static_cast<std::size_t>(64 * problem.tune.shape.count()));
  fill_batch(problem.tune, 0, 64, unscaled, Mirror::no, raw);
  const at::Tensor input = as_batch(raw, problem.tune.shape);
  const Int8Tensors integers(result.model.graph, int8_constants(result.model));
  const at::Tensor through_int8 = gradients_of([&](const auto& parameters, const auto& gradients) {
    Int8Learned learned;
    for (const FlatLayout::Slot& slot : layout.slots()) {
      at::Tensor leaf = FlatLayout::view(parameters, slot).detach();
      leaf.set_requires_grad(true);
      leaf.mutable_grad() = FlatLayout::view(gradients, slot);
      learned.weights[slot.spec.name] = leaf;
    }
    return run_int8(result.model.graph, integers, learned, input) *
           integers.node("classifier").scale;
  });
  const at::Tensor through_float = gradients_of([&](const auto& parameters, const auto& gradients) {
    const GraphModule module(result.model.graph, layout, parameters, none, gradients);
    return module.forward(input / 50.0, Mode::training);
  });
  const double cosine =
      ((through_int8 * through_float).sum() / (through_int8.norm() * through_float.norm()))
          .item<double>();
  EXPECT_GT(cosine, 0.99);
  EXPECT_NEAR((through_int8.norm() / through_float.norm()).item<double>(), 1.0, 0.05);
}

struct Trained {
  testing::ToyProblem problem = testing::make_toy_problem(512, 256, 11);
  Checkpoint checkpoint;
  FitRequest objective = testing::toy_request(problem, 2);

  Trained() {
    Observer silent;
    checkpoint.network = {objective.graph, engine().fit(objective, silent).weights};
    checkpoint.classes = {"a", "b", "c", "d"};
    checkpoint.preprocessing = objective.preprocessing;
  }
};

/// Ranges that cut most values off, so that there is something to repair.
QuantizeResult badly_quantized(const Trained& trained) {
  QuantizeOptions options;
  options.range = RangeMethod::percentile;
  options.percentile = 60.0;
  return quantize(trained.checkpoint, trained.problem.tune, trained.problem.tune_labels, options,
                  {}, engine());
}

TEST(FineTune, RepairsWhatBadRangesCost) {
  const Trained trained;
  const QuantizeResult start = badly_quantized(trained);
  for (const bool learn_steps : {false, true}) {
    FineTuneOptions options;
    options.epochs = 2;
    options.learning_rate = 0.01;
    options.learn_steps = learn_steps;
    std::vector<Json> epochs;
    FitRequest objective = trained.objective;
    objective.on_epoch = [&](const Json& metrics) { epochs.push_back(metrics); };
    Observer silent;
    const QuantizeResult tuned =
        fine_tune(trained.checkpoint, start, objective, options, engine(), silent);
    EXPECT_LT(tuned.int8_loss, 0.7 * start.int8_loss) << learn_steps;
    EXPECT_GE(tuned.int8_accuracy, start.int8_accuracy);
    ASSERT_EQ(epochs.size(), 2u);
    // What the engine measured while training is what the interpreter gives for the result.
    double best = 0.0;
    double loss = 0.0;
    for (const Json& epoch : epochs) {
      if (epoch["tune_accuracy"].get<double>() < best) continue;
      best = epoch["tune_accuracy"];
      loss = epoch["tune_loss"];
    }
    EXPECT_EQ(tuned.int8_accuracy, best);
    EXPECT_NEAR(tuned.int8_loss, loss, 1e-4);
    const bool same_scales = tuned.model.activations == start.model.activations;
    EXPECT_EQ(same_scales, !learn_steps);
  }
}

TEST(FineTune, GivesTheSameBitsTwice) {
  const Trained trained;
  const QuantizeResult start = badly_quantized(trained);
  FineTuneOptions options;
  options.epochs = 1;
  options.learning_rate = 0.01;
  options.learn_steps = true;
  Observer silent;
  const auto digest = [&] {
    return int8_digest(
        fine_tune(trained.checkpoint, start, trained.objective, options, engine(), silent).model);
  };
  EXPECT_EQ(digest(), digest());
}

TEST(FineTune, StopsWhenWeightsAreNoNumbers) {
  const Trained trained;
  FineTuneOptions options;
  options.epochs = 1;
  options.learning_rate = 1e38;
  options.learn_steps = true;
  Observer silent;
  try {
    fine_tune(trained.checkpoint, badly_quantized(trained), trained.objective, options, engine(),
              silent);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::gate);
    EXPECT_NE(std::string(error.what()).find("lower learning_rate"), std::string::npos);
  }
}

TEST(FineTune, EndsWhenAskedTo) {
  struct AsksAtOnce : Observer {
    int stop_requested() const override { return 130; }
  };
  const Trained trained;
  FineTuneOptions options;
  options.epochs = 1;
  AsksAtOnce observer;
  EXPECT_THROW(fine_tune(trained.checkpoint, badly_quantized(trained), trained.objective, options,
                         engine(), observer),
               Interrupted);
}

}  // namespace
}  // namespace biglittle
