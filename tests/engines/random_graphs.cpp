// SPDX-License-Identifier: MIT
#include "engines/random_graphs.h"

#include <fmt/format.h>
#include <rapidcheck.h>

#include <cstdlib>

#include "bundle/random_int8_model.h"
#include "bundle/runtime_text.h"
#include "quant/naive_int8.h"

namespace biglittle::testing {
namespace {

constexpr std::int64_t kSamples = 3;

/// Bytes and floats, margins and gates in turn.
FleetMember random_member(const GraphDraw& draw) {
  const auto [seed, length] = draw;
  const SampleType type = seed % 4 == 0 ? SampleType::f32 : SampleType::u8;
  Int8Model model = random_int8_model(random_graph(seed, length), seed, type);
  Samples samples = random_samples(model, kSamples, seed);
  return fleet_member(fmt::format("random_graph({}, {})", seed, length), std::move(model),
                      std::move(samples), seed % 3 == 0 ? ScoreKind::gate : ScoreKind::margin);
}

bool interpreter_is_right(const FleetMember& member) {
  std::vector<std::int64_t> sums;
  for (std::int64_t row = 0; row < kSamples; ++row) {
    const auto values = run_naive(member.model, member.samples, row);
    const auto& last = values.at(member.model.graph.output().name);
    sums.insert(sums.end(), last.begin(), last.end());
  }
  return std::ranges::equal(sums, member.accumulators);
}

std::vector<DeviceEngine> chosen(const std::string& ending, const std::string& extra) {
  std::vector<DeviceEngine> engines;
  for (DeviceEngine& engine : device_engines()) {
    const bool here = engine.runner.empty() && !engine.core;
    if (!here || !engine.name.starts_with(ending) || !missing_for(engine).empty()) continue;
    engine.compiler += " " + extra;
    engines.push_back(std::move(engine));
  }
  return engines;
}

/// The names of the members whose answers differ.
std::string differing_names(const std::vector<FleetMember>& fleet, const std::string& output) {
  std::string names;
  std::size_t at = 0;
  for (const FleetMember& member : fleet) {
    const std::size_t answer = 20 + 4 * member.model.classes.size();
    const std::size_t size = answer * static_cast<std::size_t>(kSamples);
    const std::string part = output.substr(std::min(at, output.size()), size);
    if (count_differing({member}, kSamples, part) != 0) names += " " + member.name;
    at += size;
  }
  return names;
}

}  // namespace

std::vector<DeviceEngine> sanitized_engines() {
  return chosen("clang -O0",
                "-O1 -g1 -fsanitize=undefined,integer,address -fno-sanitize-recover=all "
                "-fsanitize-ignorelist=" BIGLITTLE_FLEET "/sanitizer_ignorelist.txt");
}

std::vector<DeviceEngine> plain_engines() { return chosen("gcc -O2", ""); }

RandomGraphs::RandomGraphs(std::filesystem::path folder, std::vector<DeviceEngine> engines)
    : folder_(std::move(folder)), engines_(std::move(engines)) {
  write_files(folder_, runtime_text());
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    compile_runtime(engines_[i], folder_, folder_ / fmt::format("runtime{}.o", i));
  }
}

std::string RandomGraphs::differences(const std::vector<GraphDraw>& draws) const {
  std::string report;
  std::vector<FleetMember> fleet;
  for (const GraphDraw& draw : draws) {
    fleet.push_back(random_member(draw));
    if (!interpreter_is_right(fleet.back())) report += "interpreter: " + fleet.back().name + "\n";
  }
  write_fleet(folder_, fleet, 1);
  write_fleet_samples(folder_ / "samples.bin", fleet, kSamples);
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    const std::filesystem::path program = folder_ / fmt::format("fleet{}", i);
    compile_fleet(engines_[i], folder_, folder_ / fmt::format("runtime{}.o", i), program);
    const std::string output = run_fleet(engines_[i], program, kSamples, folder_ / "samples.bin");
    if (count_differing(fleet, kSamples, output) != 0) {
      report += engines_[i].name + ":" + differing_names(fleet, output) + "\n";
    }
  }
  return report;
}

std::string check_random_graphs(const RandomGraphs& graphs, int batches, std::size_t size,
                                const std::string& parameters) {
  // Read by rapidcheck at its first check.
  ::setenv("RC_PARAMS", fmt::format("max_success={} {}", batches, parameters).c_str(), 0);
  std::string report;
  const auto seeds = rc::gen::inRange<std::uint32_t>(0, UINT32_MAX);
  const auto lengths = rc::gen::inRange<std::int64_t>(1, 20);
  // Generators grow with rapidcheck's size, which begins at 0; a batch is no smaller for that. A
  // shorter graph of the same seed is found faster by hand than by compiling thousands.
  const auto draws = rc::gen::noShrink(rc::gen::resize(
      rc::kNominalSize,
      rc::gen::container<std::vector<GraphDraw>>(size, rc::gen::pair(seeds, lengths))));
  const bool passed = rc::check("generated code computes what plain loops compute", [&] {
    report = graphs.differences(*draws);
    RC_ASSERT(report.empty());
  });
  return passed ? "" : report + "rapidcheck found a batch of graphs that fails\n";
}

}  // namespace biglittle::testing
