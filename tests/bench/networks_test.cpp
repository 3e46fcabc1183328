// SPDX-License-Identifier: MIT
#include "bench/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/naive_network.h"
#include "bench/network_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "graph/cost.h"
#include "quant/interpreter.h"
#include "testing/temporary_folder.h"

namespace biglittle::bench {
namespace {

using ::testing::HasSubstr;

// The first three in millions: 12.5, 2.7, 7.5 (Banbury et al. 2021, "MLPerf Tiny Benchmark"). By
// hand, lenet-5: 784 * 6 * 25 + 100 * 16 * 150 + 400 * 120 + 120 * 84 + 84 * 10; mlp:
// 784 * 128 + 128 * 64 + 64 * 10.
TEST(BenchNetworks, HaveTheMacsOfTheirPublishedShapes) {
  const std::map<std::string, std::int64_t> expected = {{"resnet-8", 12501632},
                                                        {"ds-cnn", 2656768},
                                                        {"mobilenet-0.25", 7489664},
                                                        {"lenet-5", 416520},
                                                        {"mlp", 109184}};
  for (const auto& [name, macs] : expected) {
    EXPECT_EQ(count_cost(make_network(name).folded.graph).macs, macs) << name;
  }
}

TEST(BenchNetworks, AreTen) { EXPECT_EQ(network_names().size(), 10); }

TEST(BenchNetworks, AreTheSameEveryTime) {
  const BenchNetwork first = make_network("lenet-5");
  const BenchNetwork second = make_network("lenet-5");
  EXPECT_EQ(int8_digest(first.int8), int8_digest(second.int8));
  EXPECT_TRUE(std::ranges::equal(first.samples.bytes(), second.samples.bytes()));
}

TEST(BenchNetworks, AnUnknownNameIsAnsweredWithTheNamesThereAre) {
  try {
    make_network("resnet-9");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(),
                HasSubstr("there is no benchmark network resnet-9; there are resnet-8, ds-cnn, "));
  }
}

/// A network that a wrong range ruins would still be timed, but would say nothing about int8.
TEST(BenchNetworks, QuantizedLogitsAreCloseToFloatOnes) {
  for (const char* name : {"lenet-5", "ds-cnn", "conv-1d", "mlp", "demo"}) {
    const BenchNetwork network = make_network(name);
    const std::vector<std::int32_t> sums = Interpreter(network.int8).run(network.samples, 1);
    const std::vector<float> logits = float_logits(network);
    double error = 0.0;
    double size = 0.0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const double int8_logit = double{logit_scale(network.int8)} * sums[i];
      error += (int8_logit - double{logits[i]}) * (int8_logit - double{logits[i]});
      size += double{logits[i]} * double{logits[i]};
    }
    EXPECT_LT(error, 0.01 * size) << name;  // 20 dB
  }
}

TEST(NaiveNetwork, ComputesTheInterpretersAccumulators) {
  for (const std::string& name : network_names()) {
    if (name == "resnet-8-w40" || name == "resnet-20") continue;  // as resnet-8, only longer
    const BenchNetwork network = make_network(name);
    NaiveNetwork naive(network.int8);
    const std::vector<std::uint8_t> samples = interleaved(network.samples);
    const std::vector<std::int32_t> expected = Interpreter(network.int8).run(network.samples, 1);
    std::vector<std::int32_t> actual;
    const auto size = static_cast<std::size_t>(network.samples.shape.count());
    for (std::size_t first = 0; first < samples.size(); first += size) {
      const auto sums = naive.run(std::span(samples).subspan(first, size));
      actual.insert(actual.end(), sums.begin(), sums.end());
    }
    EXPECT_EQ(actual, expected) << name;
  }
}

TEST(NetworkFolder, HoldsWhatTheWorkersRead) {
  const biglittle::testing::TemporaryFolder folder;
  write_network_folder(make_network("demo"), folder.path());
  for (const char* file : {"float.onnx", "int8.onnx", "usual.onnx", "empty.onnx", "samples.u8",
                           "sample.u8", "samples.chw.u8", "samples.f32", "network.json",
                           "device/bl_model.c", "device/bl_runtime.c"}) {
    EXPECT_TRUE(std::filesystem::is_regular_file(folder.path() / file)) << file;
  }
  EXPECT_EQ(std::filesystem::file_size(folder.path() / "samples.u8"), 8u * 28 * 28);
  EXPECT_EQ(std::filesystem::file_size(folder.path() / "sample.u8"), 28u * 28);
  EXPECT_EQ(std::filesystem::file_size(folder.path() / "samples.f32"), 4u * 8 * 28 * 28);
}

TEST(NetworkFolder, InterleavesTheChannelsOfAPixel) {
  Samples samples{{2, 1, 3}, std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(interleaved(samples), (std::vector<std::uint8_t>{1, 4, 2, 5, 3, 6}));
}

}  // namespace
}  // namespace biglittle::bench
