// SPDX-License-Identifier: MIT
#include "bundle/parts.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "bundle/device_policy.h"
#include "bundle/onnx.h"
#include "core/error.h"
#include "core/version.h"

namespace biglittle {
namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view reason) {
  throw Error(ErrorKind::bad_data, fmt::format("{}: {}", name, reason));
}

std::int64_t outputs(const Graph& graph) { return graph.output().shape.count(); }

void check_class_count(std::size_t names, const Graph& graph, std::string_view which,
                       std::string_view name) {
  if (static_cast<std::int64_t>(names) != outputs(graph)) {
    refuse(name, fmt::format("the {} network has {} outputs but {} class names", which,
                             outputs(graph), names));
  }
}

void check_priority_map(const Parts& parts, std::string_view name) {
  if (!parts.little.priority) refuse(name, "the little checkpoint has no priority map");
  if (!parts.little_int8.priority) refuse(name, "the int8 model has no priority map");
  const PriorityMap& map = *parts.little.priority;
  if (map != *parts.little_int8.priority) {
    refuse(name, "the int8 model's priority map is not the little checkpoint's");
  }
  if (map.names != parts.little.classes || map.names != parts.little_int8.classes) {
    refuse(name, "the little classes are not those of the priority map");
  }
  if (map.little_of_big.size() != parts.big.classes.size()) {
    refuse(name, fmt::format("the priority map covers {} classes but the big network has {}",
                             map.little_of_big.size(), parts.big.classes.size()));
  }
  const std::vector<std::int64_t> big_of_priority = map.big_of_priority();
  for (std::size_t i = 0; i < big_of_priority.size(); ++i) {
    const std::string& big_name =
        parts.big.classes.at(static_cast<std::size_t>(big_of_priority[i]));
    if (big_name != map.names[i]) {
      refuse(name, fmt::format("priority class '{}' is mapped to the big network's '{}'",
                               map.names[i], big_name));
    }
  }
}

void check_inputs(const Parts& parts, std::string_view name) {
  const Shape& shape = parts.big.network.graph.input().shape;
  for (const Graph* graph : {&parts.little.network.graph, &parts.little_int8.graph}) {
    if (graph->input().shape != shape) {
      refuse(name, fmt::format("the big network reads {} samples but a little one {}",
                               to_string(shape), to_string(graph->input().shape)));
    }
  }
  const Preprocessing expected = without_mirror(parts.big.preprocessing);
  if (parts.little.preprocessing != expected || parts.little_int8.preprocessing != expected) {
    refuse(name, "the networks do not have the same preprocessing");
  }
}

Json shape_json(const Shape& shape) {
  return {{"channels", shape.channels}, {"height", shape.height}, {"width", shape.width}};
}

Json classes_json(const Checkpoint& big, const PriorityMap& map) {
  const auto first_of_other = map.names.begin() + map.priorities();
  Json json;
  json["big"] = big.classes;
  json["little"] = map.names;
  json["priority"] = std::vector<std::string>(map.names.begin(), first_of_other);
  json["other"] = map.has_other ? Json(map.classes() - 1) : Json(nullptr);
  json["little_of_big"] = map.little_of_big;
  json["big_of_priority"] = map.big_of_priority();
  return json;
}

Json preprocessing_json(const Int8Model& model) {
  const bool bytes = model.preprocessing.type == SampleType::u8;
  Json json;
  json["sample_type"] = bytes ? "u8" : "f32";
  json["shape"] = shape_json(model.graph.input().shape);
  json["layout"] = {{"onnx", "NCHW"}, {"vectors", "NCHW"}, {"device", "HWC"}};
  json["channel_order"] = "as in the dataset";
  json["value_range"] = bytes ? Json::array({0, 255}) : Json(nullptr);
  json["scale"] = model.preprocessing.scale;
  json["offset"] = model.preprocessing.offset;
  json["formula"] = "real = scale * (raw - offset)";
  json["applied_by"] = "every model in this bundle; feed raw samples";
  if (!bytes) json["int8_input_step"] = model.input_step;
  return json;
}

OnnxMetadata metadata(std::string_view network, std::string digest,
                      const std::vector<std::string>& classes, const Parts& parts) {
  return {{"biglittle.version", std::string(program_version())},
          {"biglittle.network", std::string(network)},
          {"biglittle.digest", std::move(digest)},
          {"biglittle.classes", Json(classes).dump()},
          {"biglittle.preprocessing", to_json(parts.big.preprocessing).dump()}};
}

std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void check_networks(const Parts& parts, std::string_view name) {
  check_class_count(parts.big.classes.size(), parts.big.network.graph, "big", name);
  check_class_count(parts.little.classes.size(), parts.little.network.graph, "little", name);
  check_class_count(parts.little_int8.classes.size(), parts.little_int8.graph, "int8", name);
  check_priority_map(parts, name);
  check_inputs(parts, name);
  if (parts.little_int8.source_digest != network_digest(parts.little.network)) {
    refuse(name,
           "the int8 model was not quantized from the little checkpoint beside it; run "
           "derive-little again");
  }
}

void check_policy_binding(const Parts& parts, std::string_view name) {
  const EscalationPolicy& policy = parts.policy;
  const PriorityMap& map = *parts.little.priority;
  const Certificate& certificate = policy.certificate;
  if (certificate.little_digest != int8_digest(parts.little_int8)) {
    refuse(name,
           fmt::format("the policy was calibrated for another int8 network ({}); export again",
                       certificate.little_digest));
  }
  if (certificate.big_digest != network_digest(parts.big.network)) {
    refuse(name, fmt::format("the policy was calibrated for another big network ({}); export again",
                             certificate.big_digest));
  }
  if (certificate.big_classes != parts.big.classes) {
    refuse(name, "the certificate's classes are not the big network's; export again");
  }
  try {
    require_device_policy(policy, map.names.size());
  } catch (const Error& error) {
    refuse(name, error.what());
  }
  if (policy.other == OtherMode::answer && !map.has_other) {
    refuse(name, "the policy keeps `other` on the device, but every class is a priority");
  }
  if (policy.other == OtherMode::escalate && map.has_other &&
      policy.thresholds.back() != kAlwaysEscalate) {
    refuse(name, "the policy escalates `other`, but `other` has a threshold that it can reach");
  }
}

FileSet description_files(const Parts& parts) {
  return {{"classes.json", to_text(classes_json(parts.big, *parts.little.priority))},
          {"preprocessing.json", to_text(preprocessing_json(parts.little_int8))}};
}

FileSet onnx_files(const Parts& parts) {
  const auto float_file = [&](const Checkpoint& checkpoint, std::string_view network) {
    return as_text(float_onnx(
        fold_batch_norm(checkpoint.network), checkpoint.preprocessing,
        metadata(network, network_digest(checkpoint.network), checkpoint.classes, parts)));
  };
  return {
      {"big/model.onnx", float_file(parts.big, "big")},
      {"little/model.onnx", float_file(parts.little, "little")},
      {"little/model.int8.onnx",
       as_text(int8_onnx(parts.little_int8, metadata("little-int8", int8_digest(parts.little_int8),
                                                     parts.little_int8.classes, parts)))}};
}

}  // namespace biglittle
