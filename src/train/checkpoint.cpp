// SPDX-License-Identifier: MIT
#include "train/checkpoint.h"

#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/safetensors.h"

namespace biglittle {
namespace {

constexpr std::string_view kKind = "biglittle-checkpoint";

[[noreturn]] void refuse(std::string_view name, const std::string& message) {
  throw Error(ErrorKind::bad_data, std::string(name) + ": " + message);
}

const std::string& require(const SafetensorsFile& file, const std::string& key,
                           std::string_view name) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) refuse(name, "metadata '" + key + "' is missing");
  return found->second;
}

Json require_json(const SafetensorsFile& file, const std::string& key, std::string_view name) {
  return parse_json(require(file, key, name), std::string(name) + ": metadata '" + key + "'");
}

void check_kind(const SafetensorsFile& file, std::string_view name) {
  const auto kind = file.metadata.find("kind");
  if (kind == file.metadata.end()) {
    refuse(name,
           "not a checkpoint: metadata 'kind' is missing, expected '" + std::string(kKind) + "'");
  }
  if (kind->second != kKind) {
    refuse(name, "not a checkpoint: kind is '" + kind->second + "', expected '" +
                     std::string(kKind) + "'");
  }
  const std::string& version = require(file, "format_version", name);
  if (version != std::to_string(kCheckpointVersion)) {
    refuse(name, "format version " + version + ", expected " + std::to_string(kCheckpointVersion) +
                     "; train it again with this program");
  }
}

void check_checkpoint(const Checkpoint& checkpoint, std::string_view name) {
  const Graph& graph = checkpoint.network.graph;
  if (graph.empty()) refuse(name, "the graph has no nodes");
  check_weights(graph, checkpoint.network.weights, name);
  const auto classes = static_cast<std::int64_t>(checkpoint.classes.size());
  if (graph.output().shape != Shape{classes, 1, 1}) {
    refuse(name, std::to_string(classes) + " class names for an output of " +
                     to_string(graph.output().shape));
  }
  if (!checkpoint.history.is_array()) refuse(name, "history is not a list");
  if (checkpoint.priority && checkpoint.priority->names != checkpoint.classes) {
    refuse(name, "the priority map names other classes than the network");
  }
}

}  // namespace

std::string network_digest(const Network& network) {
  Sha256 hash;
  hash.update(to_json(network.graph).dump()).update("\n");
  for (const auto& [name, tensor] : network.weights) {
    const Json head = {
        {"name", name}, {"dtype", name_of(tensor.dtype())}, {"shape", tensor.shape()}};
    hash.update(head.dump()).update("\n").update(tensor.bytes());
  }
  return hash.finish();
}

Cost answer_cost(const Checkpoint& checkpoint) {
  Cost cost = count_cost(checkpoint.network.graph);
  if (!checkpoint.preprocessing.with_mirror) return cost;
  cost.macs *= 2;
  for (NodeCost& node : cost.nodes) node.macs *= 2;
  return cost;
}

void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  check_checkpoint(checkpoint, file.string());
  SafetensorsFile content;
  content.tensors = checkpoint.network.weights;
  content.metadata = {{"kind", std::string(kKind)},
                      {"format_version", std::to_string(kCheckpointVersion)},
                      {"graph", to_json(checkpoint.network.graph).dump()},
                      {"classes", Json(checkpoint.classes).dump()},
                      {"preprocessing", to_json(checkpoint.preprocessing).dump()},
                      {"history", checkpoint.history.dump()},
                      {"config", checkpoint.config_toml},
                      {"dataset_digest", checkpoint.dataset_digest},
                      {"teacher_digest", checkpoint.teacher_digest},
                      {"program_version", checkpoint.program_version}};
  if (checkpoint.priority) content.metadata["priority"] = to_json(*checkpoint.priority).dump();
  write_safetensors(file, content);
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
  const std::string name = file.string();
  SafetensorsFile content = read_safetensors(file);
  check_kind(content, name);
  return read_json(name, [&] {
    Checkpoint checkpoint;
    checkpoint.network.graph = graph_from_json(require_json(content, "graph", name), name);
    checkpoint.classes = require_json(content, "classes", name).get<std::vector<std::string>>();
    checkpoint.preprocessing =
        preprocessing_from_json(require_json(content, "preprocessing", name), name);
    if (content.metadata.contains("priority")) {
      checkpoint.priority = priority_map_from_json(require_json(content, "priority", name), name);
    }
    checkpoint.history = require_json(content, "history", name);
    checkpoint.config_toml = require(content, "config", name);
    checkpoint.dataset_digest = require(content, "dataset_digest", name);
    checkpoint.teacher_digest = require(content, "teacher_digest", name);
    checkpoint.program_version = require(content, "program_version", name);
    checkpoint.network.weights = std::move(content.tensors);
    check_checkpoint(checkpoint, name);
    return checkpoint;
  });
}

}  // namespace biglittle
