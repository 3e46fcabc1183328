// SPDX-License-Identifier: MIT
// What runs on a GPU, run on the processor: LibTorch's operations are the same, so that arithmetic,
// augmentation, resuming and the traffic between device and host are tested without one.

#include "train/libtorch/device.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "data/priority.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"
#include "train/device_engine.h"
#include "train/interruptions.h"
#include "train/libtorch/device_optimizer.h"
#include "train/libtorch/device_samples.h"
#include "train/libtorch/inference.h"
#include "train/libtorch/initial_weights.h"
#include "train/toy_problem.h"

extern "C" const biglittle::Engine* biglittle_engine();

namespace biglittle {
namespace {

using testing::fit_with_interruptions;
using testing::make_toy_problem;
using testing::resumable_requests;

const at::Device kProcessor(at::kCPU);

template <typename Value>
Samples noise(const Shape& shape, std::int64_t count) {
  Random random(3);
  std::vector<Value> values(static_cast<std::size_t>(count * shape.count()));
  for (Value& value : values) value = static_cast<Value>(random.below(256));
  return {shape, std::move(values)};
}

TEST(DeviceSamples, MakeTheBatchesThatTheProcessorMakes) {
  const std::vector<std::int64_t> rows = {4, 0, 19, 7, 7, 11};
  const AugmentSeed seed{5, 2};
  for (const Samples& samples : {noise<std::uint8_t>({3, 8, 10}, 20), noise<float>({1, 7, 7}, 20),
                                 noise<std::uint8_t>({2, 1, 16}, 20)}) {
    const Preprocessing preprocessing{samples.type(), 1.0 / 57.3, 110.7};
    for (const AugmentOptions& augment :
         {AugmentOptions{}, AugmentOptions{2, true, 0}, AugmentOptions{0, false, 5},
          AugmentOptions{12, true, 3}}) {
      std::vector<float> values(rows.size() * static_cast<std::size_t>(samples.shape.count()));
      std::vector<std::uint8_t> flipped(rows.size());
      fill_training_batch(samples, rows, preprocessing, augment, seed, values, flipped);
      const at::Tensor expected = as_batch(values, samples.shape);
      for (const Residence residence : {Residence::device, Residence::host}) {
        DeviceSamples there(samples, kProcessor, residence);
        const DeviceSamples::Batch batch = there.batch(rows, preprocessing, augment, seed);
        EXPECT_TRUE(at::equal(batch.values, expected));
        EXPECT_TRUE(batch.values.is_contiguous(at::MemoryFormat::ChannelsLast));
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const auto at = static_cast<std::int64_t>(i);
          EXPECT_EQ(batch.rows[at].item<std::int64_t>(), rows[i]);
          EXPECT_EQ(batch.mirrored[at].item<std::int64_t>(), flipped[i]);
        }
      }
    }
  }
}

class DeviceOptimizers : public ::testing::TestWithParam<OptimizerKind> {};

TEST_P(DeviceOptimizers, StepAsTheProcessorsDo) {
  TrainOptions options;
  options.optimizer = GetParam();
  options.weight_decay = 0.05;
  options.ema = 0.9;
  const std::vector<std::uint8_t> decays = {1, 0, 1};
  std::vector<float> parameters = {1.0f, -2.0f, 0.25f};
  const at::Tensor there = at::tensor({1.0f, -2.0f, 0.25f});
  const std::vector<std::vector<float>> gradients = {
      {0.5f, -1.0f, 2.0f}, {0.1f, 0.0f, -3.0f}, {-0.7f, 0.4f, 0.2f}, {1.0f, 1.0f, 1.0f}};
  Optimizer host(options, decays);
  Optimizer back(options, decays);
  DeviceOptimizer device(options, decays, kProcessor);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const double rate = 0.1 / static_cast<double>(i + 1);
    host.begin_step(rate);
    host.update(parameters, gradients[i], 0, parameters.size());
    device.update(there, at::tensor(gradients[i]), rate);
    // A way over the host and back loses nothing.
    device.fetch(back);
    device = DeviceOptimizer(options, decays, kProcessor);
    device.send(back);
  }
  const auto expect_near = [](std::span<const float> a, std::span<const float> b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6);
  };
  expect_near(numbers(there), parameters);
  expect_near(back.state().first, host.state().first);
  expect_near(back.state().second, host.state().second);
  expect_near(back.state().averaged, host.state().averaged);
  EXPECT_EQ(back.steps(), 4);
}

INSTANTIATE_TEST_SUITE_P(OfBothKinds, DeviceOptimizers,
                         ::testing::Values(OptimizerKind::sgd, OptimizerKind::adamw));

/// A few steps without dropout, whose random numbers differ: rounding has not grown yet.
FitRequest short_request(FitRequest request) {
  request.options.epochs = 1;
  request.options.batch_size = 64;
  return request;
}

void expect_near(const TensorMap& a, const TensorMap& b, double tolerance) {
  for (const auto& [name, tensor] : a) {
    const auto x = tensor.values<float>();
    const auto y = b.at(name).values<float>();
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], tolerance) << name;
  }
}

TEST(DeviceTraining, LearnsWhatTheProcessorLearns) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 8);
  Observer silent;
  for (const OptimizerKind optimizer : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    FitRequest request = short_request(resumable_requests(problem)[2]);
    request.options.optimizer = optimizer;
    const FitResult expected = biglittle_engine()->fit(request, silent);
    const FitResult found = testing::DeviceEngine().fit(request, silent);
    expect_near(found.weights, expected.weights, 1e-4);
    EXPECT_EQ(found.tune_accuracy, expected.tune_accuracy);
    EXPECT_NEAR(found.history[0]["train_loss"].get<double>(),
                expected.history[0]["train_loss"].get<double>(), 1e-4);
  }
}

TEST(DeviceTraining, DistilsWhatTheProcessorDistils) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 8);
  Observer silent;
  FitRequest request = short_request(resumable_requests(problem)[2]);
  const Network teacher{request.graph, biglittle_engine()->fit(request, silent).weights};
  const PriorityMap map{{0, 1, 2, 2}, {"a", "b", "other"}, true};
  const std::vector<std::int64_t> train = relabel(problem.train_labels, map);
  const std::vector<std::int64_t> tune = relabel(problem.tune_labels, map);
  request.graph = testing::toy_graph(3);
  request.train_labels = train;
  request.tune_labels = tune;
  for (const TeacherLogits logits : {TeacherLogits::cached, TeacherLogits::fresh}) {
    request.distillation = Distillation{teacher, map, 3.0, 0.9, logits};
    expect_near(testing::DeviceEngine().fit(request, silent).weights,
                biglittle_engine()->fit(request, silent).weights, 1e-4);
  }
}

TEST(DeviceTraining, ResumesWithTheBytesOfARunWithoutInterruption) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 8);
  const testing::TemporaryFolder folder;
  const testing::DeviceEngine engine;
  Observer silent;
  for (const FitRequest& request : resumable_requests(problem)) {
    if (request.compute.threads > 1) continue;
    const FitResult whole = engine.fit(request, silent);
    const std::int64_t epoch = 256 / request.options.batch_size;
    for (const std::vector<std::int64_t>& steps :
         {std::vector<std::int64_t>{1}, {epoch}, {epoch + 1, epoch + 2}, {3 * epoch - 1}}) {
      const FitResult resumed =
          fit_with_interruptions(engine, request, steps, folder / "state.safetensors");
      EXPECT_EQ(resumed.weights, whole.weights) << "after step " << steps.front();
      EXPECT_EQ(resumed.history, whole.history);
    }
  }
}

TEST(DeviceTraining, NamesStepAndTensorThatDiverged) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 8);
  Observer silent;
  FitRequest request = resumable_requests(problem)[2];
  request.options.optimizer = OptimizerKind::sgd;
  request.options.learning_rate = 100.0;
  request.options.momentum = 0.99;
  request.options.schedule = ScheduleKind::constant;
  request.graph = testing::toy_graph(4);
  request.initial = fresh_weights(request.graph, 1);
  for (float& value : request.initial->at("classifier.weight").values<float>()) value = 1e38f;
  try {
    testing::DeviceEngine().fit(request, silent);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::gate);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("at step 1 (epoch 1"));
  }
}

TEST(DeviceTraining, IsNotGoneOnWithElsewhereUnlessAllowed) {
  const testing::ToyProblem problem = make_toy_problem(128, 32, 9);
  FitRequest request = resumable_requests(problem)[0];
  FitState state;
  request.on_state = [&](const FitState& now) { state = now; };
  Observer silent;
  biglittle_engine()->fit(request, silent);
  EXPECT_EQ(state.device, "cpu");
  state.device = "cuda";
  request.resume = state;
  testing::expect_error(ErrorKind::config,
                        "the interrupted training ran on cuda, this one on cpu: set "
                        "compute.device = \"cuda\", or allow changes",
                        [&] { biglittle_engine()->fit(request, silent); });
  request.allow_changes = true;
  request.options.epochs += 1;
  EXPECT_EQ(biglittle_engine()->fit(request, silent).history.size(), 4u);
}

TEST(ChoosePlace, TakesTheProcessorWhereThereIsNoGpuButNotWhenOneIsAskedFor) {
  EXPECT_EQ(choose_place(Device::cpu, 0), std::nullopt);
  const std::int64_t gpus = gpu_count();
  if (gpus > 0) {
    EXPECT_EQ(choose_place(Device::automatic, gpus + 1), at::Device(at::kCUDA, gpus == 1 ? 0 : 1));
    return;
  }
  EXPECT_EQ(choose_place(Device::automatic, 0), std::nullopt);
  try {
    choose_place(Device::cuda, 0);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.what(), ::testing::StartsWith("compute.device = \"cuda\", but LibTorch "));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("or set compute.device = \"auto\""));
  }
}

}  // namespace
}  // namespace biglittle
