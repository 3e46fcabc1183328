// SPDX-License-Identifier: MIT
#include "bundle/report_json.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "graph/cost.h"

namespace biglittle {
namespace {

constexpr std::string_view kFormat = "biglittle-report";
constexpr std::size_t kReportLimitBytes = std::size_t{16} << 20;

Json cost_json(const Graph& graph) {
  const Cost cost = count_cost(graph);
  return {{"parameters", cost.parameters},
          {"macs", cost.macs},
          {"float32_weight_bytes", cost.parameters * 4},
          {"int8_weight_bytes", cost.int8_weight_bytes},
          {"int8_flash_bytes", cost.int8_flash_bytes},
          {"int8_peak_ram_bytes", cost.int8_peak_ram_bytes}};
}

}  // namespace

Json report_json(const ExportInput& input, const DeviceFootprint& footprint) {
  Json report;
  report["format"] = kFormat;
  report["format_version"] = kReportVersion;
  report["name"] = input.name;
  report["measured_on"] = to_json(MeasuredOn{input.dataset_digest, input.splits});
  report["networks"] = {{"big", network_digest(input.big.network)},
                        {"little", network_digest(input.little.network)},
                        {"little_int8", int8_digest(input.little_int8)}};
  report["test"] = to_json(input.report);
  report["statement"] = explain(input.policy);
  report["policy"] = to_json(input.policy);
  report["cost"] = {{"big", cost_json(input.big.network.graph)},
                    {"little", cost_json(input.little.network.graph)}};
  report["device"] = {{"arena_bytes", footprint.arena_bytes},
                      {"constant_bytes", footprint.constant_bytes}};
  return report;
}

Json read_report(const std::filesystem::path& file, const Manifest& manifest) {
  const std::string name = file.string();
  const auto refuse = [&](std::string_view reason) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: {}", name, reason));
  };
  Json report = parse_json(read_text(file, kReportLimitBytes), name);
  read_json(name, [&] {
    if (!report.is_object() || report.value("format", "") != kFormat) {
      refuse(fmt::format("is not a '{}' file", kFormat));
    }
    if (report.at("format_version") != kReportVersion) {
      refuse(fmt::format("format version {} is not {}, the one this program reads",
                         report.at("format_version").dump(), kReportVersion));
    }
    if (report.at("name") != manifest.name) refuse("is about a bundle of another name");
    if (measured_on_from_json(report.at("measured_on"), name) != manifest.measured_on) {
      refuse("was measured on other data than the manifest says");
    }
  });
  return report;
}

}  // namespace biglittle
