// SPDX-License-Identifier: MIT
#include "bench/network_folder.h"

#include "bench/usual_onnx.h"
#include "bundle/c_source.h"
#include "bundle/onnx.h"
#include "calibrate/policy.h"
#include "core/files.h"
#include "graph/cost.h"
#include "quant/interpreter.h"

namespace biglittle::bench {
namespace {

/// Samples that the generated self-test carries.
constexpr std::int64_t kVectors = 2;

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

/// Answers on the device from the smallest margin on: what is timed does not depend on it.
EscalationPolicy any_policy(const Int8Model& model) {
  EscalationPolicy policy;
  policy.rule = plain_rule(ScoreKind::margin, *model.priority);
  policy.thresholds.assign(model.classes.size(), 1);
  policy.thresholds.back() = kAlwaysEscalate;
  return policy;
}

void write_device(const BenchNetwork& network, const std::vector<std::int32_t>& accumulators,
                  const std::filesystem::path& folder) {
  const std::vector<std::int64_t> rows = {0, 1};
  static_assert(kVectors == 2);
  const auto expected = std::span(accumulators).first(kVectors * network.int8.classes.size());
  const DeviceSource source = device_source(network.int8, any_policy(network.int8),
                                            select(network.samples, rows), expected);
  for (const auto& [name, text] : source.files) write_file(folder / name, text);
}

void write_samples(const BenchNetwork& network, const std::filesystem::path& folder) {
  const std::vector<std::uint8_t> pixels = interleaved(network.samples);
  write_file(folder / "samples.u8", bytes_of(pixels));
  write_file(folder / "sample.u8",
             bytes_of(pixels).first(static_cast<std::size_t>(network.samples.shape.count())));
  write_file(folder / "samples.chw.u8", std::as_bytes(network.samples.bytes()));
  std::vector<float> normalized;
  for (const std::uint8_t byte : network.samples.bytes()) {
    normalized.push_back(
        static_cast<float>(network.preprocessing.scale * (byte - network.preprocessing.offset)));
  }
  write_file(folder / "samples.f32", bytes_of(normalized));
}

}  // namespace

std::vector<std::uint8_t> interleaved(const Samples& samples) {
  const auto channels = static_cast<std::size_t>(samples.shape.channels);
  const auto pixels = static_cast<std::size_t>(samples.shape.height * samples.shape.width);
  const auto bytes = samples.bytes();
  std::vector<std::uint8_t> result;
  for (std::size_t first = 0; first < bytes.size(); first += channels * pixels) {
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      for (std::size_t c = 0; c < channels; ++c) {
        result.push_back(bytes[first + c * pixels + pixel]);
      }
    }
  }
  return result;
}

void write_network_folder(const BenchNetwork& network, const std::filesystem::path& folder) {
  const std::vector<std::int32_t> accumulators = Interpreter(network.int8).run(network.samples, 1);
  write_device(network, accumulators, folder / "device");
  write_samples(network, folder);
  // Normalized input, so that the float engines are not charged for the bytes.
  write_file(folder / "float.onnx", float_onnx(network.folded, {SampleType::f32, 1.0, 0.0}, {}));
  write_file(folder / "int8.onnx", int8_onnx(network.int8, {}));
  write_file(folder / "usual.onnx", usual_onnx(network.int8));
  const std::int64_t classes = network.int8.graph.output().shape.channels;
  write_file(folder / "empty.onnx", empty_onnx(classes));
  const Shape& shape = network.samples.shape;
  write_file(folder / "network.json",
             to_text({{"name", network.name},
                      {"shape", {shape.channels, shape.height, shape.width}},
                      {"macs", count_cost(network.folded.graph).macs},
                      {"classes", classes},
                      {"samples", network.samples.count()},
                      {"logit_scale", logit_scale(network.int8)},
                      {"accumulators", accumulators},
                      {"logits", float_logits(network)}}));
}

}  // namespace biglittle::bench
