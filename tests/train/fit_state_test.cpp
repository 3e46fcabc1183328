// SPDX-License-Identifier: MIT
#include "train/fit_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/safetensors.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using ::testing::ElementsAre;

FitState small_state() {
  FitState state;
  state.step = 17;
  state.steps_an_epoch = 15;
  state.epoch_loss = 0.1 + 0.2;  // needs all digits
  state.ranks = 3;
  state.threads = 2;
  state.epochs = 9;
  state.rollbacks = 3;
  state.device = "cuda";
  state.precision = "fp32";
  const std::vector<float> values = {1.5f, -0.0f, 3e-39f};
  state.tensors.emplace("trainable", Tensor::of<float>({3}, values));
  state.last_good.emplace("trainable", Tensor::of<float>({2}, std::vector<float>{2.5f, 7.0f}));
  state.best.emplace("fc.weight", Tensor::of<float>({3}, values));
  state.best_scales = {{"conv", 0.1f}, {"fc", 3e-39f}};
  state.best_epoch = 1;
  state.best_accuracy = 2.0 / 3.0;
  state.best_loss = 0.7;
  state.history.push_back({{"epoch", 1}, {"train_loss", 1.0 / 3.0}});
  return state;
}

TEST(FitState, ComesBackFromItsFileBitForBit) {
  const testing::TemporaryFolder folder;
  const FitState state = small_state();
  const FitIdentity identity = {{"dataset", "12ab"}, {"settings", "[a]\nb = 1\n"}};
  save_fit_state(folder / "state.safetensors", state, identity);
  FitIdentity of;
  const FitState read = load_fit_state(folder / "state.safetensors", of);
  EXPECT_EQ(of, identity);
  EXPECT_EQ(read.step, state.step);
  EXPECT_EQ(read.steps_an_epoch, state.steps_an_epoch);
  EXPECT_EQ(read.epoch_loss, state.epoch_loss);
  EXPECT_EQ(read.ranks, state.ranks);
  EXPECT_EQ(read.threads, state.threads);
  EXPECT_EQ(read.epochs, state.epochs);
  EXPECT_EQ(read.rollbacks, state.rollbacks);
  EXPECT_EQ(read.last_good, state.last_good);
  EXPECT_EQ(read.device, state.device);
  EXPECT_EQ(read.precision, state.precision);
  EXPECT_EQ(read.tensors, state.tensors);
  EXPECT_EQ(read.best, state.best);
  EXPECT_EQ(read.best_scales, state.best_scales);
  EXPECT_EQ(read.best_epoch, state.best_epoch);
  EXPECT_EQ(read.best_accuracy, state.best_accuracy);
  EXPECT_EQ(read.best_loss, state.best_loss);
  EXPECT_EQ(read.history, state.history);
}

TEST(FitState, NamesWhatChanged) {
  const FitIdentity saved = {{"dataset", "12ab"},
                             {"settings", "seed = 1\n[big.train]\nrate = 0.1\nepochs = 5\n"}};
  const FitIdentity now = {
      {"dataset", "34cd"},
      {"settings", "seed = 1\n[big.train]\nrate = 0.2\nema = 0.9\nepochs = 5\n"}};
  EXPECT_THAT(differences(saved, saved), ElementsAre());
  EXPECT_THAT(differences(saved, now),
              ElementsAre("dataset is 34cd, was 12ab", "big.train.ema is 0.9, was not there",
                          "big.train.rate is 0.2, was 0.1"));
}

TEST(FitState, RefusesOtherFiles) {
  const testing::TemporaryFolder folder;
  FitIdentity unused;
  SafetensorsFile file;
  file.metadata = {{"kind", "biglittle-checkpoint"}, {"format_version", "1"}};
  write_safetensors(folder / "other", file);
  testing::expect_error(ErrorKind::bad_data,
                        (folder / "other").string() +
                            ": is biglittle-checkpoint version 1, expected biglittle-train-state "
                            "version 4; train from the beginning",
                        [&] { load_fit_state(folder / "other", unused); });
  file.metadata = {{"kind", "biglittle-train-state"}, {"format_version", "4"}};
  write_safetensors(folder / "headless", file);
  testing::expect_error(ErrorKind::bad_data,
                        (folder / "headless").string() + ": metadata 'state' is missing",
                        [&] { load_fit_state(folder / "headless", unused); });
}

TEST(FitState, RefusesNumbersThatCannotBe) {
  const testing::TemporaryFolder folder;
  const std::filesystem::path file = folder / "state.safetensors";
  const auto expect_refused = [&](const FitState& state, const std::string& why) {
    save_fit_state(file, state, {});
    FitIdentity unused;
    testing::expect_error(ErrorKind::bad_data, file.string() + ": " + why + ": not a state",
                          [&] { load_fit_state(file, unused); });
  };
  FitState many = small_state();
  many.ranks = many.threads = std::int64_t{1} << 32;  // their product overflows
  expect_refused(many, "step 17, 15 step(s) an epoch, 4294967296 rank(s), 4294967296 thread(s)");
  FitState none = small_state();
  none.steps_an_epoch = 0;
  expect_refused(none, "step 17, 0 step(s) an epoch, 3 rank(s), 2 thread(s)");
  FitState typed = small_state();
  typed.best["counts"] = Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{1});
  expect_refused(typed, "tensor 'counts' is not f32");
}

}  // namespace
}  // namespace biglittle
