// SPDX-License-Identifier: MIT
#include "quant/int8_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/safetensors.h"

namespace biglittle {
namespace {

constexpr std::string_view kKind = "biglittle-int8";

Json activations_to_json(const std::map<std::string, Quantization>& activations) {
  Json json = Json::object();
  for (const auto& [node, quantization] : activations) {
    json[node] = {{"scale", quantization.scale}, {"zero_point", quantization.zero_point}};
  }
  return json;
}

std::int32_t whole_number(const Json& json, const std::string& what, const std::string& name) {
  const double value = json.is_number() ? json.get<double>() : 0.5;
  if (value != static_cast<double>(static_cast<std::int32_t>(std::clamp(value, -1e9, 1e9)))) {
    throw Error(ErrorKind::bad_data, name + ": " + what + " is not a whole number");
  }
  return static_cast<std::int32_t>(value);
}

/// A float32 is written as the double that equals it, so reading gives the same float32 back.
float float_number(const Json& json, const std::string& what, const std::string& name) {
  if (!json.is_number()) throw Error(ErrorKind::bad_data, name + ": " + what + " is not a number");
  const double value = json.get<double>();
  if (!(std::abs(value) <= std::numeric_limits<float>::max())) {
    throw Error(ErrorKind::bad_data, name + ": " + what + " does not fit float32");
  }
  return static_cast<float>(value);
}

std::map<std::string, Quantization> activations_from_json(const Json& json,
                                                          const std::string& name) {
  if (!json.is_object()) throw Error(ErrorKind::bad_data, name + ": activations is not an object");
  std::map<std::string, Quantization> activations;
  for (const auto& [node, entry] : json.items()) {
    activations[node] = {float_number(entry.at("scale"), "scale of " + node, name),
                         whole_number(entry.at("zero_point"), "zero point of " + node, name)};
  }
  return activations;
}

/// The parts of the model that decide its integers, as text.
std::map<std::string, std::string> arithmetic_metadata(const Int8Model& model) {
  return {{"graph", to_json(model.graph).dump()},
          {"activations", activations_to_json(model.activations).dump()},
          {"preprocessing", to_json(model.preprocessing).dump()},
          {"input_step", Json(model.input_step).dump()},
          {"classes", Json(model.classes).dump()}};
}

const std::string& require(const SafetensorsFile& file, const std::string& key,
                           const std::string& name) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw Error(ErrorKind::bad_data, name + ": metadata '" + key + "' is missing");
  }
  return found->second;
}

Json require_json(const SafetensorsFile& file, const std::string& key, const std::string& name) {
  return parse_json(require(file, key, name), name + ": metadata '" + key + "'");
}

void check_kind(const SafetensorsFile& file, const std::string& name) {
  const auto kind = file.metadata.find("kind");
  if (kind == file.metadata.end() || kind->second != kKind) {
    throw Error(ErrorKind::bad_data,
                name + ": not an int8 network: kind is " +
                    (kind == file.metadata.end() ? "missing" : "'" + kind->second + "'") +
                    ", expected '" + std::string(kKind) + "'");
  }
  const std::string& version = require(file, "format_version", name);
  if (version != std::to_string(kInt8ModelVersion)) {
    throw Error(ErrorKind::bad_data, name + ": format version " + version + ", expected " +
                                         std::to_string(kInt8ModelVersion) +
                                         "; make it again with this program");
  }
}

}  // namespace

std::string int8_digest(const Int8Model& model) {
  Sha256 hash;
  for (const auto& [key, text] : arithmetic_metadata(model)) {
    hash.update(key).update("\n").update(text).update("\n");
  }
  for (const auto& [name, tensor] : model.weights) {
    Json head = {{"name", name}, {"dtype", name_of(tensor.dtype())}, {"shape", tensor.shape()}};
    hash.update(head.dump()).update("\n").update(tensor.bytes());
  }
  return hash.finish();
}

void save_int8_model(const std::filesystem::path& file, const Int8Model& model) {
  check_int8_model(model, file.string());
  SafetensorsFile content;
  content.tensors = model.weights;
  content.metadata = arithmetic_metadata(model);
  content.metadata["kind"] = kKind;
  content.metadata["format_version"] = std::to_string(kInt8ModelVersion);
  if (model.priority) content.metadata["priority"] = to_json(*model.priority).dump();
  content.metadata["source_digest"] = model.source_digest;
  content.metadata["config"] = model.config_toml;
  content.metadata["program_version"] = model.program_version;
  write_safetensors(file, content);
}

float logit_scale(const Int8Model& model) {
  const Node& last = model.graph.output();
  return model.activations.at(last.inputs.at(0)).scale *
         model.weights.at(last.name + ".weight_scale").values<float>().front();
}

Int8Model load_int8_model(const std::filesystem::path& file) {
  const std::string name = file.string();
  SafetensorsFile content = read_safetensors(file);
  check_kind(content, name);
  return read_json(name, [&] {
    Int8Model model;
    model.graph = graph_from_json(require_json(content, "graph", name), name);
    model.activations = activations_from_json(require_json(content, "activations", name), name);
    model.preprocessing =
        preprocessing_from_json(require_json(content, "preprocessing", name), name);
    model.input_step = float_number(require_json(content, "input_step", name), "input_step", name);
    model.classes = require_json(content, "classes", name).get<std::vector<std::string>>();
    if (content.metadata.contains("priority")) {
      model.priority = priority_map_from_json(require_json(content, "priority", name), name);
    }
    model.source_digest = require(content, "source_digest", name);
    model.config_toml = require(content, "config", name);
    model.program_version = require(content, "program_version", name);
    model.weights = std::move(content.tensors);
    check_int8_model(model, name);
    return model;
  });
}

}  // namespace biglittle
