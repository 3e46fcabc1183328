// SPDX-License-Identifier: MIT
#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <set>

#include "core/files.h"
#include "core/safetensors.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

Tensor floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  return Tensor::of<float>(std::move(shape), std::span<const float>(values));
}

/// input 1x1x2 -> conv -> batch norm -> flatten -> linear (2 classes).
Checkpoint small_checkpoint() {
  Checkpoint checkpoint;
  Graph& graph = checkpoint.network.graph;
  graph.append("input", Input{{1, 1, 2}});
  graph.append("conv", Conv2d{1, Window{}, 1, false}, {"input"});
  graph.append("norm", BatchNorm{}, {"conv"});
  graph.append("flat", Flatten{}, {"norm"});
  graph.append("logits", Linear{2, true}, {"flat"});
  checkpoint.network.weights = {{"conv.weight", floats({1, 1, 1, 1}, {0.1f})},
                                {"norm.weight", floats({1}, {1.5f})},
                                {"norm.bias", floats({1}, {-0.0f})},
                                {"norm.running_mean", floats({1}, {1e-30f})},
                                {"norm.running_var", floats({1}, {2.0f})},
                                {"logits.weight", floats({2, 2}, {1.0f, 2.0f, 3.0f, 4.0f})},
                                {"logits.bias", floats({2}, {5.0f, 6.0f})}};
  checkpoint.classes = {"Sneaker", "other"};
  checkpoint.preprocessing = {SampleType::u8, 1.0 / 90.0, 73.0};
  checkpoint.priority = PriorityMap{{1, 0, 1}, {"Sneaker", "other"}, true};
  checkpoint.history = Json::array({{{"epoch", 1}, {"loss", 0.1}}, {{"epoch", 2}, {"loss", 0.05}}});
  checkpoint.config_toml = "seed = 1\n[train]\nepochs = 2\n";
  checkpoint.dataset_digest = "d1";
  checkpoint.teacher_digest = "d2";
  checkpoint.program_version = "0.1.0";
  return checkpoint;
}

void expect_same(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.network.graph, b.network.graph);
  EXPECT_EQ(a.network.weights, b.network.weights);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.preprocessing, b.preprocessing);
  EXPECT_EQ(a.priority, b.priority);
  EXPECT_EQ(a.history, b.history);
  EXPECT_EQ(a.config_toml, b.config_toml);
  EXPECT_EQ(a.dataset_digest, b.dataset_digest);
  EXPECT_EQ(a.teacher_digest, b.teacher_digest);
  EXPECT_EQ(a.program_version, b.program_version);
}

TEST(AnswerCost, CountsBothPassesWhereTheMirrorImageIsLookedAt) {
  // The convolution takes one multiplication for each of 2 pixels, the linear layer 2 x 2.
  Checkpoint checkpoint = small_checkpoint();
  EXPECT_EQ(answer_cost(checkpoint).macs, 6);
  const std::int64_t parameters = answer_cost(checkpoint).parameters;
  checkpoint.preprocessing.with_mirror = true;
  EXPECT_EQ(answer_cost(checkpoint).macs, 12);
  EXPECT_EQ(answer_cost(checkpoint).parameters, parameters);
}

TEST(CheckpointFile, GivesBackWhatWasSaved) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "big.safetensors", small_checkpoint());
  expect_same(load_checkpoint(folder / "big.safetensors"), small_checkpoint());
}

TEST(CheckpointFile, GivesBackANetworkOverAllClasses) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint();
  checkpoint.priority.reset();
  checkpoint.teacher_digest.clear();
  checkpoint.preprocessing = {SampleType::f32, 0.123456789012345678, -1e-7};
  save_checkpoint(folder / "big.safetensors", checkpoint);
  expect_same(load_checkpoint(folder / "big.safetensors"), checkpoint);
}

TEST(CheckpointFile, HasTheSameBytesForTheSameCheckpoint) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "a", small_checkpoint());
  save_checkpoint(folder / "b", load_checkpoint(folder / "a"));
  EXPECT_EQ(read_bytes(folder / "a"), read_bytes(folder / "b"));
}

TEST(CheckpointFile, IsMissingInputWhenItIsNotThere) {
  const TemporaryFolder folder;
  try {
    load_checkpoint(folder / "none");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing_input);
  }
}

TEST(CheckpointFile, IsRefusedWhenTruncatedAtAnyPlace) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "a", small_checkpoint());
  const auto bytes = read_bytes(folder / "a");
  for (std::size_t size = 0; size < bytes.size(); size += 13) {
    write_file(folder / "cut", std::span(bytes).first(size));
    try {
      load_checkpoint(folder / "cut");
      ADD_FAILURE() << "accepted at " << size << " bytes";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data) << error.what();
    }
  }
}

/// Saves the small checkpoint, changes the file and expects the loader to refuse with `message`.
void expect_refused_file(const std::function<void(SafetensorsFile&)>& change,
                         const std::string& message) {
  const TemporaryFolder folder;
  const auto file = folder / "big.safetensors";
  save_checkpoint(file, small_checkpoint());
  SafetensorsFile content = read_safetensors(file);
  change(content);
  write_safetensors(file, content);
  expect_error(ErrorKind::bad_data, file.string() + ": " + message, [&] { load_checkpoint(file); });
}

TEST(CheckpointFile, IsRefusedWhenItIsOfAnotherKind) {
  expect_refused_file([](auto& file) { file.metadata.erase("kind"); },
                      "not a checkpoint: metadata 'kind' is missing, expected "
                      "'biglittle-checkpoint'");
  expect_refused_file([](auto& file) { file.metadata["kind"] = "biglittle-int8"; },
                      "not a checkpoint: kind is 'biglittle-int8', expected "
                      "'biglittle-checkpoint'");
}

TEST(CheckpointFile, IsRefusedWhenItsVersionIsUnknown) {
  expect_refused_file([](auto& file) { file.metadata["format_version"] = "2"; },
                      "format version 2, expected 1; train it again with this program");
}

TEST(CheckpointFile, IsRefusedWithoutAnyOneOfItsKeys) {
  for (const std::string key : {"format_version", "graph", "classes", "preprocessing", "history",
                                "config", "dataset_digest", "teacher_digest", "program_version"}) {
    expect_refused_file([&](auto& file) { file.metadata.erase(key); },
                        "metadata '" + key + "' is missing");
  }
}

TEST(CheckpointFile, IsRefusedForMetadataOfTheWrongType) {
  const TemporaryFolder folder;
  for (const std::string key : {"graph", "classes", "preprocessing", "history", "priority"}) {
    for (const std::string text : {"7", "{", R"({"a": 1})"}) {
      save_checkpoint(folder / "m", small_checkpoint());
      SafetensorsFile content = read_safetensors(folder / "m");
      content.metadata[key] = text;
      write_safetensors(folder / "m", content);
      try {
        load_checkpoint(folder / "m");
        ADD_FAILURE() << key << " = " << text << " was accepted";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_data) << error.what();
      }
    }
  }
  expect_refused_file([](auto& file) { file.metadata["history"] = "7"; }, "history is not a list");
}

TEST(CheckpointFile, IsRefusedForTensorsThatAreNotTheGraphs) {
  expect_refused_file([](auto& file) { file.tensors.erase("logits.bias"); },
                      "tensor 'logits.bias' is missing");
  expect_refused_file([](auto& file) { file.tensors["extra"] = floats({1}, {1.0f}); },
                      "tensor 'extra' belongs to no node of the graph");
  expect_refused_file(
      [](auto& file) {
        file.tensors["logits.bias"].template values<float>()[1] =
            std::numeric_limits<float>::quiet_NaN();
      },
      "tensor 'logits.bias' is not finite at element 1");
}

TEST(CheckpointFile, IsRefusedForClassesThatDoNotFit) {
  expect_refused_file(
      [](auto& file) {
        file.metadata["classes"] = R"(["Sneaker"])";
        file.metadata.erase("priority");
      },
      "1 class names for an output of 2x1x1");
  expect_refused_file([](auto& file) { file.metadata["classes"] = R"(["Boot", "other"])"; },
                      "the priority map names other classes than the network");
}

TEST(CheckpointFile, IsNotWrittenForABrokenCheckpoint) {
  const TemporaryFolder folder;
  const auto file = folder / "a";
  Checkpoint checkpoint = small_checkpoint();
  checkpoint.network = Network{};
  expect_error(ErrorKind::bad_data, file.string() + ": the graph has no nodes",
               [&] { save_checkpoint(file, checkpoint); });
  checkpoint = small_checkpoint();
  checkpoint.classes.pop_back();
  expect_error(ErrorKind::bad_data, file.string() + ": 1 class names for an output of 2x1x1",
               [&] { save_checkpoint(file, checkpoint); });
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(NetworkDigest, ChangesWithGraphNamesShapesAndBytes) {
  std::set<std::string> digests = {network_digest(small_checkpoint().network)};
  std::size_t changes = 1;
  const auto expect_new = [&](const std::function<void(Network&)>& change) {
    Network network = small_checkpoint().network;
    change(network);
    digests.insert(network_digest(network));
    EXPECT_EQ(digests.size(), ++changes);
  };
  expect_new([](Network& n) { n.weights["logits.bias"].values<float>()[0] = 5.5f; });
  expect_new([](Network& n) { n.weights["norm.bias"].values<float>()[0] = 0.0f; });
  expect_new([](Network& n) {
    n.weights["logits.weight"] = floats({4}, {1.0f, 2.0f, 3.0f, 4.0f});
  });
  expect_new([](Network& n) {
    n.weights["logits.offset"] = n.weights["logits.bias"];
    n.weights.erase("logits.bias");
  });
  expect_new([](Network& n) { n.graph.append("again", Linear{2, true}, {"logits"}); });
}

}  // namespace
}  // namespace biglittle
