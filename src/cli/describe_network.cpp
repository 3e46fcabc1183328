// SPDX-License-Identifier: MIT
#include "cli/describe_network.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

std::int64_t count_label(const Split& split, std::int64_t label) {
  return std::ranges::count(split.labels, label);
}

const NodeCost* find_cost(const Cost& cost, const std::string& node) {
  const auto found = std::ranges::find(cost.nodes, node, &NodeCost::name);
  return found == cost.nodes.end() ? nullptr : &*found;
}

/// The importer's record of where the samples came from, or its text when it is no JSON.
Json provenance_json(const std::string& provenance) {
  try {
    return parse_json(provenance, "provenance");
  } catch (const Error&) {
    return provenance;
  }
}

/// The source files in one line; the whole record when it names none.
std::string provenance_text(const std::string& provenance) {
  const Json json = provenance_json(provenance);
  if (!json.is_object() || !json.contains("files") || !json["files"].is_array()) return provenance;
  std::vector<std::string> names;
  for (const Json& file : json["files"]) {
    if (!file.is_object() || !file.contains("name") || !file["name"].is_string()) return provenance;
    names.push_back(file["name"].get<std::string>());
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::int64_t float_weight_bytes(const Cost& cost) {
  return cost.parameters * static_cast<std::int64_t>(sizeof(float));
}

std::string network_table(const std::vector<NetworkRow>& rows, std::string_view measured_on) {
  std::vector<std::vector<std::string>> cells;
  for (const NetworkRow& row : rows) {
    cells.push_back({row.name, format_percent(row.accuracy), with_thousands(row.cost.parameters),
                     format_bytes(row.weight_bytes), with_thousands(row.cost.macs)});
  }
  return format_table(
      {"network", fmt::format("accuracy on {}", measured_on), "parameters", "weights", "MACs"},
      cells);
}

Json to_json(const std::vector<NetworkRow>& rows) {
  Json json = Json::array();
  for (const NetworkRow& row : rows) {
    json.push_back({{"network", row.name},
                    {"accuracy", row.accuracy},
                    {"parameters", row.cost.parameters},
                    {"weight_bytes", row.weight_bytes},
                    {"macs", row.cost.macs}});
  }
  return json;
}

std::string dataset_text(const Dataset& dataset) {
  const bool is_bytes = dataset.split(SplitName::train).samples.type() == SampleType::u8;
  std::string text = fmt::format("samples  {} {}, {} classes\n", to_string(dataset.input_shape),
                                 is_bytes ? "uint8" : "float32", dataset.classes.size());
  text += fmt::format("digest   {}\nmade of  {}\n\n", dataset.digest,
                      provenance_text(dataset.provenance));
  std::vector<std::string> header = {"class"};
  std::vector<std::string> totals = {"all"};
  for (std::size_t split = 0; split < kSplitNames.size(); ++split) {
    header.emplace_back(kSplitNames[split]);
    totals.push_back(
        with_thousands(static_cast<std::int64_t>(dataset.splits[split].labels.size())));
  }
  std::vector<std::vector<std::string>> rows;
  for (std::size_t label = 0; label < dataset.classes.size(); ++label) {
    std::vector<std::string> row = {dataset.classes[label]};
    for (const Split& split : dataset.splits) {
      row.push_back(with_thousands(count_label(split, static_cast<std::int64_t>(label))));
    }
    rows.push_back(std::move(row));
  }
  rows.push_back(std::move(totals));
  return text + format_table(header, rows);
}

Json dataset_json(const Dataset& dataset) {
  Json splits = Json::object();
  for (std::size_t index = 0; index < kSplitNames.size(); ++index) {
    const Split& split = dataset.splits[index];
    Json counts = Json::array();
    for (std::size_t label = 0; label < dataset.classes.size(); ++label) {
      counts.push_back(count_label(split, static_cast<std::int64_t>(label)));
    }
    splits[std::string(kSplitNames[index])] = {
        {"samples", split.labels.size()}, {"samples_of_class", counts}, {"digest", split.digest}};
  }
  const Shape& shape = dataset.input_shape;
  return {{"kind", "dataset"},
          {"classes", dataset.classes},
          {"shape", {shape.channels, shape.height, shape.width}},
          {"splits", splits},
          {"mean", dataset.statistics.mean},
          {"deviation", dataset.statistics.deviation},
          {"provenance", provenance_json(dataset.provenance)},
          {"digest", dataset.digest}};
}

std::string graph_text(const Graph& graph) {
  const Cost cost = count_cost(graph);
  std::vector<std::vector<std::string>> rows;
  for (const Node& node : graph.nodes()) {
    const NodeCost* own = find_cost(cost, node.name);
    rows.push_back({node.name, std::string(op_name(node.op)), to_string(node.shape),
                    with_thousands(own == nullptr ? 0 : own->parameters),
                    with_thousands(own == nullptr ? 0 : own->macs)});
  }
  rows.push_back({"total", "", "", with_thousands(cost.parameters), with_thousands(cost.macs)});
  return format_table({"layer", "op", "output", "parameters", "MACs"}, rows) +
         fmt::format("\nin int8: {} of weights, {} of flash, {} of RAM at the peak\n",
                     format_bytes(cost.int8_weight_bytes), format_bytes(cost.int8_flash_bytes),
                     format_bytes(cost.int8_peak_ram_bytes));
}

Json graph_cost_json(const Graph& graph) {
  const Cost cost = count_cost(graph);
  Json layers = Json::array();
  for (const Node& node : graph.nodes()) {
    const NodeCost* own = find_cost(cost, node.name);
    layers.push_back({{"name", node.name},
                      {"op", op_name(node.op)},
                      {"shape", {node.shape.channels, node.shape.height, node.shape.width}},
                      {"parameters", own == nullptr ? 0 : own->parameters},
                      {"macs", own == nullptr ? 0 : own->macs}});
  }
  return {{"parameters", cost.parameters},
          {"macs", cost.macs},
          {"int8_weight_bytes", cost.int8_weight_bytes},
          {"int8_flash_bytes", cost.int8_flash_bytes},
          {"int8_peak_ram_bytes", cost.int8_peak_ram_bytes},
          {"layers", layers}};
}

}  // namespace biglittle
