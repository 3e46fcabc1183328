// SPDX-License-Identifier: MIT
#include "bundle/report_json.h"

#include <fmt/format.h>

#include <initializer_list>
#include <string>

#include "core/error.h"
#include "core/files.h"

namespace biglittle {
namespace {

constexpr std::string_view kFormat = "biglittle-report";
constexpr std::size_t kReportLimitBytes = std::size_t{16} << 20;

Json cost_json(const Checkpoint& part) {
  const Cost cost = answer_cost(part);
  return {{"parameters", cost.parameters},
          {"macs", cost.macs},
          {"float32_weight_bytes", cost.parameters * 4},
          {"int8_weight_bytes", cost.int8_weight_bytes},
          {"int8_flash_bytes", cost.int8_flash_bytes},
          {"int8_peak_ram_bytes", cost.int8_peak_ram_bytes}};
}

/// The same with every fraction rounded to nine significant digits.
Json rounded(const Json& json) {
  if (json.is_number_float()) return std::stod(fmt::format("{:.9g}", json.get<double>()));
  if (!json.is_structured()) return json;
  Json copy = json;
  for (auto& [key, value] : copy.items()) value = rounded(value);
  return copy;
}

/// What a block was measured on, by name and SHA-256.
class Sources {
 public:
  explicit Sources(const ReportInput& input) : input_(input) {}

  Json of(std::initializer_list<SplitName> splits) const {
    Json json = networks();
    for (const SplitName name : splits) {
      const auto index = static_cast<std::size_t>(name);
      const SplitRecord& record = input_.measured_on.splits[index];
      json[std::string(kSplitNames[index])] = {{"samples", record.samples},
                                               {"sha256", record.digest}};
    }
    return json;
  }

  Json networks() const {
    const Certificate& certificate = input_.parts.policy.certificate;
    return {{"big", certificate.big_digest},
            {"little", input_.parts.little_int8.source_digest},
            {"little_int8", certificate.little_digest}};
  }

  /// What the certificate was computed from: the calibration split or a field log.
  Json certificate() const {
    const Certificate& made = input_.parts.policy.certificate;
    Json json = of({SplitName::tune});
    json[input_.answers.log ? "log" : "calibration"] = {{"samples", made.n},
                                                        {"sha256", made.calibration_digest}};
    return json;
  }

 private:
  const ReportInput& input_;
};

/// A list has no room for more keys: it goes inside an object.
Json with_source(const Json& block, const Json& source) {
  Json json = {{"measured_on", source}};
  if (block.is_object()) {
    json.update(block);
  } else {
    json["list"] = block;
  }
  return json;
}

Json test_json(const SystemReport& test, const Sources& sources) {
  const Json on_test = sources.of({SplitName::test});
  Json json = with_source(rounded(to_json(test)), on_test);
  for (const char* block : {"classes", "confusion", "curve"}) {
    json[block] = with_source(json[block], on_test);
  }
  for (auto& [mix, forecast] : json["forecast"].items()) forecast = with_source(forecast, on_test);
  json["temperature"] =
      with_source(json["temperature"], sources.of({SplitName::tune, SplitName::test}));
  json["scores"] = with_source(json["scores"], sources.of({SplitName::tune}));
  return json;
}

}  // namespace

Json report_json(const ReportInput& input, const SystemReport& test) {
  const Parts& parts = input.parts;
  const Sources sources(input);
  Json report;
  report["format"] = kFormat;
  report["format_version"] = kReportVersion;
  report["name"] = input.name;
  report["measured_on"] = to_json(input.measured_on);
  report["networks"] = sources.networks();
  report["statement"] = explain(parts.policy);
  report["policy"] = with_source(to_json(parts.policy), sources.certificate());
  report["test"] = test_json(test, sources);
  report["cost"] = {{"measured_on", sources.networks()},
                    {"big", cost_json(parts.big)},
                    {"little", cost_json(parts.little)}};
  report["device"] = {{"measured_on", sources.networks()},
                      {"arena_bytes", input.footprint.arena_bytes},
                      {"constant_bytes", input.footprint.constant_bytes}};
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
