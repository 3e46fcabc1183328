// SPDX-License-Identifier: MIT
#pragma once

// A trained network in a self-describing safetensors file: graph, classes, preprocessing, history,
// resolved config, versions and hashes travel in its metadata, weights as tensors.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/priority.h"
#include "graph/cost.h"
#include "graph/fold.h"

namespace biglittle {

inline constexpr int kCheckpointVersion = 1;

struct Checkpoint {
  Network network;                   ///< with batch norm, as trained
  std::vector<std::string> classes;  ///< one name per output
  Preprocessing preprocessing;
  std::optional<PriorityMap> priority;  ///< set for a little network
  Json history = Json::array();         ///< one object per epoch
  std::string config_toml;              ///< the resolved config it was made with
  std::string dataset_digest;
  std::string teacher_digest;  ///< weights digest of the big network; empty without one
  std::string program_version;
};

/// SHA-256 over the graph's JSON and every weight's name, shape and bytes: the network's identity.
std::string network_digest(const Network& network);

/// What one answer of the network costs: count_cost, with the multiply-accumulates of both passes
/// where it looks at the mirror image, too.
Cost answer_cost(const Checkpoint& checkpoint);

/// Writes atomically. The same checkpoint always gives the same bytes.
void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint);

/// Reads and checks everything (check_weights, class count against the output). Throws
/// Error{missing_input} or Error{bad_data}.
Checkpoint load_checkpoint(const std::filesystem::path& file);

}  // namespace biglittle
