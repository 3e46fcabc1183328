// SPDX-License-Identifier: MIT
#pragma once

// little/vectors.safetensors: a few real samples with the integers and the decision that every form
// of the int8 network must reproduce exactly.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "calibrate/policy.h"
#include "quant/int8_model.h"

namespace biglittle {

/// Samples and, one entry (or row) a sample, what the int8 network and its policy say of them.
struct TestVectors {
  Samples samples;                         ///< raw, [n, C, H, W]
  std::vector<std::int32_t> accumulators;  ///< [n, little classes]
  std::vector<std::int64_t> little_class;  ///< of the largest accumulator
  std::vector<std::int64_t> score;         ///< by the policy's rule
  std::vector<std::uint8_t> escalate;      ///< 1: ask the big network
  std::vector<std::int64_t> labels;        ///< true classes, in big classes

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

/// Runs `samples` through the interpreter and the policy. Throws Error{bad_data} unless there are 1
/// to 1024 samples of the model's shape and type and as many labels.
TestVectors make_vectors(const Int8Model& model, const EscalationPolicy& policy,
                         const Samples& samples, std::span<const std::int64_t> labels);

void write_vectors(const std::filesystem::path& file, const TestVectors& vectors);

/// Reads and checks types, shapes and counts against `model`. Throws Error{missing_input} or
/// Error{bad_data}. The integers themselves are compared by first_difference.
TestVectors read_vectors(const std::filesystem::path& file, const Int8Model& model);

/// "" when both hold the same integers, else the first difference, e.g. "vector 3: accumulator of
/// class 1 is 40, recorded 41". The samples of both are taken to be the same.
std::string first_difference(const TestVectors& recorded, const TestVectors& computed);

}  // namespace biglittle
