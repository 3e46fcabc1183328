// SPDX-License-Identifier: MIT
#pragma once

// Several networks' generated code in one C program, so that an engine is compiled and started
// once for all of them, and what that program must answer.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "calibrate/policy.h"
#include "quant/int8_model.h"
#include "testing/device_program_runner.h"

namespace biglittle::testing {

/// A network, the samples it is run on and what the interpreter and the policy make of them.
struct FleetMember {
  std::string name;
  Int8Model model;
  Samples samples;
  std::vector<std::int32_t> accumulators;  ///< of the interpreter, [N, classes]
  EscalationPolicy policy;                 ///< about half of the samples stay on the device
};

/// Runs the interpreter. `score` is margin or gate.
FleetMember fleet_member(std::string name, Int8Model model, Samples samples,
                         ScoreKind score = ScoreKind::margin);

/// What the device must answer to each sample.
std::vector<DeviceAnswer> expected_answers(const FleetMember& member);

/// Writes the runtime, the networks (renamed bl_net0, bl_net1, ...) and fleet.h to `folder`;
/// networks.c includes all of them. The self-tests hold the first `vectors` samples of each.
void write_fleet(const std::filesystem::path& folder, const std::vector<FleetMember>& fleet,
                 std::int64_t vectors);

/// Writes what device/fleet_batch.c reads: the first `count` samples of each network.
void write_fleet_samples(const std::filesystem::path& file, const std::vector<FleetMember>& fleet,
                         std::int64_t count);

/// How many of the first `count` samples of each network are answered differently, by any integer.
/// `output` is what device/fleet_batch.c wrote; samples that it leaves out differ.
std::int64_t count_differing(const std::vector<FleetMember>& fleet, std::int64_t count,
                             const std::string& output);

}  // namespace biglittle::testing
