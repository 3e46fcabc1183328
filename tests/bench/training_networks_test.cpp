// SPDX-License-Identifier: MIT
#include "bench/training_networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/cost.h"

namespace biglittle::bench {
namespace {

using ::testing::HasSubstr;

// Layer by layer: channels out times the window's values times pixels out.
constexpr std::int64_t kVggFirst = 32 * 27 * 1024;
constexpr std::int64_t kVgg = kVggFirst + 32 * 288 * 1024 + 64 * 288 * 256 + 64 * 576 * 256 +
                              128 * 576 * 64 + 128 * 1152 * 64 + 128 * 10;
constexpr std::int64_t kAirbench = 24 * 12 * 961 + 64 * 216 * 961 + 64 * 576 * 225 +
                                   256 * 576 * 225 + 256 * 2304 * 49 + 256 * 2304 * 49 +
                                   256 * 2304 * 9 + 256 * 10 +
                                   // batch norms behind a pool cannot be folded into a convolution
                                   64 * 225 + 256 * 49 + 256 * 9;
constexpr std::int64_t kWide = 16 * 27 * 1024 + (64 * 144 + 64 * 576 + 64 * 16) * 1024 +
                               (128 * 576 + 128 * 1152 + 128 * 64) * 256 +
                               (256 * 1152 + 256 * 2304 + 256 * 128) * 64 + 256 * 10;

TEST(TrainingNetworks, HaveTheMacsOfTheirLayers) {
  EXPECT_EQ(count_cost(training_network("vgg-6")).macs, kVgg);
  EXPECT_EQ(count_cost(training_network("airbench94")).macs, kAirbench);
  EXPECT_EQ(count_cost(training_network("wrn-10-4")).macs, kWide);
}

// He et al. 2016, table 6: 0.27 million, here with projections of 16 * 32 + 32 * 64 weights and
// their batch norms.
TEST(TrainingNetworks, ResNet20HasThePublishedParameters) {
  EXPECT_NEAR(static_cast<double>(count_cost(training_network("resnet-20")).parameters), 0.272e6,
              0.001e6);
}

TEST(TrainingNetworks, AllHaveTenOutputs) {
  for (const std::string& name : training_network_names()) {
    EXPECT_EQ(training_network(name).output().shape, (Shape{10, 1, 1})) << name;
  }
}

TEST(TrainingNetworks, AnUnknownNameIsAnsweredWithTheNamesThereAre) {
  try {
    training_network("vgg");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("no training network vgg; there are vgg-6, resnet-20, "));
  }
}

TEST(TrainingOperations, AreThreePassesWithoutTheGradientOfTheImage) {
  EXPECT_EQ(training_operations(training_network("vgg-6")), 2.0 * (3 * kVgg - kVggFirst));
}

}  // namespace
}  // namespace biglittle::bench
