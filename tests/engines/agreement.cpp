// SPDX-License-Identifier: MIT
#include "engines/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "bundle/process.h"
#include "engines/engine_cases.h"
#include "engines/real_images.h"

namespace biglittle::testing {
namespace {

/// Images that ranges are observed on.
constexpr std::int64_t kRangeImages = 8;
/// Samples of each network in its self-test, which lie in a Cortex-M core's flash.
constexpr std::int64_t kVectors = 2;
constexpr int kNotInstalled = 69;

Samples first_of(const Samples& samples, std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(count, samples.count())));
  std::iota(rows.begin(), rows.end(), 0);
  return select(samples, rows);
}

/// "ok native extended lenet.qdq.onnx: 0 of 10 differ" as ("native extended qdq", 0); nothing for
/// lines about logits.
std::optional<std::pair<std::string, std::int64_t>> read_line(const std::string& line) {
  std::istringstream words(line);
  std::string verdict, engine, level, model, of, all, differ;
  std::int64_t unequal = 0;
  words >> verdict >> engine >> level >> model;
  if (verdict != "ok" && verdict != "FAILED") return std::nullopt;
  const std::size_t dot = model.find('.');
  const std::string form = model.substr(dot + 1, model.find('.', dot + 1) - dot - 1);
  const std::string name = fmt::format("{} {} {}", engine, level, form);
  if (words >> unequal >> of >> all >> differ && differ == "differ") return {{name, unequal}};
  // Logits out of tolerance, or an engine that refuses the model.
  if (verdict == "FAILED") return {{name, 1}};
  return std::nullopt;
}

}  // namespace

std::vector<FleetMember> real_fleet(const std::vector<EngineNetwork>& networks,
                                    const Samples& images) {
  std::vector<FleetMember> fleet;
  for (const EngineNetwork& network : networks) {
    Samples samples = reshaped(images, network.graph.input().shape, network.type);
    Int8Model model = quantized(network, first_of(samples, kRangeImages),
                                static_cast<std::uint32_t>(fleet.size() + 1));
    const ScoreKind score = fleet.size() % 2 == 0 ? ScoreKind::margin : ScoreKind::gate;
    fleet.push_back(fleet_member(network.name, std::move(model), std::move(samples), score));
  }
  return fleet;
}

PreparedFleet::PreparedFleet(std::filesystem::path folder, std::vector<FleetMember> fleet)
    : folder_(std::move(folder)), fleet_(std::move(fleet)), count_(fleet_.at(0).samples.count()) {
  write_fleet(folder_, fleet_, kVectors);
  write_fleet_samples(folder_ / "samples.bin", fleet_, count_);
}

Agreement PreparedFleet::run(const DeviceEngine& engine, const std::string& tag) const {
  Agreement row{engine.name, 0, 0, 0, missing_for(engine)};
  if (!row.skipped.empty()) return row;
  row.networks = std::ssize(fleet_);
  row.samples = count_;
  row.differing =
      EngineProgram(engine, folder_, tag).count_differing(fleet_, count_, folder_ / "samples.bin");
  return row;
}

std::vector<Agreement> run_onnx(const std::filesystem::path& folder,
                                const std::vector<FleetMember>& fleet) {
  const auto node = find_program("node");
  if (!node) return {{"ONNX Runtime", 0, 0, 0, "node is not installed"}};
  EngineCases cases(folder);
  for (const FleetMember& member : fleet) cases.add_int8(member.name, member.model, member.samples);
  cases.finish();
  const CommandResult result =
      run_command(fmt::format("cd '{}' && '{}' run_cases.mjs '{}'", BIGLITTLE_ENGINE_TESTS,
                              node->string(), folder.string()));
  if (result.exit_code == kNotInstalled) return {{"ONNX Runtime", 0, 0, 0, result.output}};
  std::map<std::string, Agreement> rows;
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    const auto read = read_line(line);
    if (!read) continue;
    Agreement& row = rows[read->first];
    row.engine = "ONNX Runtime " + read->first;
    row.networks += 1;
    row.samples = fleet.at(0).samples.count();
    row.differing += read->second;
  }
  if (rows.empty() || (result.exit_code != 0) != std::ranges::any_of(rows, [](const auto& row) {
                        return row.second.differing != 0;
                      })) {
    throw std::runtime_error("run_cases.mjs: " + result.output);
  }
  std::vector<Agreement> table;
  for (auto& [name, row] : rows) table.push_back(std::move(row));
  return table;
}

}  // namespace biglittle::testing
