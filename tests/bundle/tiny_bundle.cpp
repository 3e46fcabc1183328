// SPDX-License-Identifier: MIT
#include "tiny_bundle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>

#include "bundle/contents.h"
#include "core/files.h"
#include "core/hash.h"
#include "quant/interpreter.h"

namespace biglittle::testing {
namespace {

namespace fs = std::filesystem;

constexpr double kScale = 1.0 / 64;  // Powers of two make the hand quantization exact.
constexpr double kOffset = 120;

Graph big_graph() {
  Graph graph;
  graph.append("image", Input{{1, 6, 6}});
  graph.append("conv", Conv2d{4, square_window(3, 1, 1), 1, false}, {"image"});
  graph.append("norm", BatchNorm{}, {"conv"});
  graph.append("active", Relu{}, {"norm"});
  graph.append("pool", MaxPool{square_window(2, 2, 0)}, {"active"});
  graph.append("flat", Flatten{}, {"pool"});
  graph.append("head", Linear{4, true}, {"flat"});
  return graph;
}

Graph little_graph() {
  Graph graph;
  graph.append("image", Input{{1, 6, 6}});
  graph.append("conv", Conv2d{2, square_window(3, 2, 1), 1, true}, {"image"});
  graph.append("active", Relu{}, {"conv"});
  graph.append("flat", Flatten{}, {"active"});
  graph.append("head", Linear{3, true}, {"flat"});
  return graph;
}

TensorMap random_weights(const Graph& graph, std::uint32_t seed) {
  std::mt19937 random(seed);
  TensorMap weights;
  for (const WeightSpec& spec : graph.weights()) {
    Tensor tensor(DType::f32, spec.shape);
    for (float& value : tensor.values<float>()) {
      value = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
      if (!spec.trainable) value = std::abs(value) + 0.5f;
    }
    weights.emplace(spec.name, std::move(tensor));
  }
  return weights;
}

PriorityMap priorities() {
  PriorityMap map;
  map.little_of_big = {2, 0, 1, 2};
  map.names = {"cat", "dog", "other"};
  return map;
}

/// int8 weights of one layer with the given real scale, and the bias in units of input x weight.
void quantize_layer(const TensorMap& real, const std::string& layer, float input_scale, float scale,
                    TensorMap& out) {
  const Tensor& weight = real.at(layer + ".weight");
  Tensor small(DType::i8, weight.shape());
  for (std::int64_t i = 0; i < weight.count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    small.values<std::int8_t>()[at] =
        static_cast<std::int8_t>(std::lround(weight.values<float>()[at] / scale));
  }
  const std::int64_t channels = weight.shape().at(0);
  Tensor bias(DType::i32, {channels});
  Tensor scales(DType::f32, {channels});
  for (std::size_t i = 0; i < static_cast<std::size_t>(channels); ++i) {
    bias.values<std::int32_t>()[i] = static_cast<std::int32_t>(
        std::lround(real.at(layer + ".bias").values<float>()[i] / (input_scale * scale)));
    scales.values<float>()[i] = scale;
  }
  out.emplace(layer + ".weight", std::move(small));
  out.emplace(layer + ".bias", std::move(bias));
  out.emplace(layer + ".weight_scale", std::move(scales));
}

Int8Model quantized(const Checkpoint& little) {
  Int8Model model;
  model.graph = little.network.graph;
  model.preprocessing = little.preprocessing;
  const Quantization image{static_cast<float>(kScale), static_cast<std::int32_t>(kOffset) - 128};
  const Quantization active{1.0f / 32, -128};
  model.activations = {{"image", image}, {"conv", active}, {"active", active}, {"flat", active}};
  const float weight_scale = 1.0f / 127;
  quantize_layer(little.network.weights, "conv", image.scale, weight_scale, model.weights);
  quantize_layer(little.network.weights, "head", active.scale, weight_scale, model.weights);
  model.classes = little.classes;
  model.priority = little.priority;
  model.source_digest = network_digest(little.network);
  model.config_toml = little.config_toml;
  model.program_version = "0.0.0-test";
  return model;
}

Samples random_samples(std::int64_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> values(static_cast<std::size_t>(count * 36));
  for (std::uint8_t& value : values) value = static_cast<std::uint8_t>(random() % 256);
  return {{1, 6, 6}, std::move(values)};
}

/// The int8 network's answers taken as the truth: then big and little are always right, and a
/// threshold can be certified.
Answers perfect_answers(const Int8Model& model, const Samples& samples) {
  const std::vector<std::int64_t> big_of_little = {1, 2, 0};
  Answers answers;
  answers.accumulators = Interpreter(model).run(samples);
  for (std::size_t row = 0; row < static_cast<std::size_t>(samples.count()); ++row) {
    const Decision decision = decide(std::span(answers.accumulators).subspan(3 * row, 3));
    answers.truth.push_back(big_of_little[static_cast<std::size_t>(decision.top)]);
  }
  answers.big_class = answers.truth;
  return answers;
}

/// The first `count` of the samples.
Samples first_of(const Samples& samples, std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return select(samples, rows);
}

void bind(ExportInput& input) {
  Certificate& certificate = input.policy.certificate;
  certificate.tune_digest = input.splits[1].digest;
  certificate.calibration_digest = input.splits[2].digest;
  certificate.little_digest = int8_digest(input.little_int8);
  certificate.big_digest = network_digest(input.big.network);
}

}  // namespace

CalibrateOptions tiny_options() {
  CalibrateOptions options;
  options.net_loss = 0.05;
  options.grid = 20;
  return options;
}

void certify_anew(ExportInput& input, const CalibrateOptions& options,
                  const std::optional<ScoreRule>& rule) {
  const PriorityMap& map = *input.little.priority;
  SearchPlan plan = plan_search(input.answers.tune, map, input.big.classes, options);
  if (rule) {
    plan.rule = *rule;
    plan.path = threshold_path(make_scores(input.answers.tune, *rule, map), map, *rule, options);
  }
  input.policy = certify(plan, make_scores(input.answers.calibration, plan.rule, map), map,
                         input.big.classes, options);
  bind(input);
}

void certify_on_log(ExportInput& input, const Scores& log, const CalibrateOptions& options) {
  const EscalationPolicy& old = input.policy;
  const SearchPlan plan{old.rule, old.certificate.path, {}, old.merits};
  input.policy = certify(plan, log, *input.little.priority, input.big.classes, options);
  bind(input);
  input.policy.certificate.calibration_digest = log_digest(log);
  input.answers.log = log;
}

Scores tiny_log(const ExportInput& input) {
  const Answers seen = perfect_answers(input.little_int8, random_samples(300, 9));
  Scores log = make_scores(seen, input.policy.rule, *input.little.priority);
  log.truth.clear();
  return log;
}

ExportInput tiny_export(const fs::path& folder) {
  ExportInput input;
  input.folder = folder;
  input.name = "tiny";
  input.config_toml = "name = \"tiny\"\n";
  input.dataset_digest = sha256_hex("dataset");
  constexpr std::array<std::int64_t, 4> sizes = {900, 400, 400, 100};
  for (std::size_t i = 0; i < 4; ++i) input.splits[i] = {sha256_hex(kSplitNames[i]), sizes[i]};
  input.big.network = {big_graph(), random_weights(big_graph(), 1)};
  input.big.classes = {"bird", "cat", "dog", "fish"};
  input.big.preprocessing = {SampleType::u8, kScale, kOffset};
  input.big.config_toml = input.config_toml;
  input.big.dataset_digest = input.dataset_digest;
  input.big.program_version = "0.0.0-test";
  input.little = input.big;
  input.little.network = {little_graph(), random_weights(little_graph(), 2)};
  input.little.priority = priorities();
  input.little.classes = input.little.priority->names;
  input.little.teacher_digest = network_digest(input.big.network);
  input.little_int8 = quantized(input.little);
  const Samples calibration = random_samples(sizes[2], 6);
  RecordedAnswers& answers = input.answers;
  answers.tune = perfect_answers(input.little_int8, random_samples(sizes[1], 5));
  answers.calibration = perfect_answers(input.little_int8, calibration);
  answers.test = perfect_answers(input.little_int8, random_samples(sizes[3], 8));
  answers.little_float_class = relabel(answers.test.truth, *input.little.priority);
  certify_anew(input, tiny_options());
  input.vectors = first_of(calibration, 12);
  input.vector_labels.assign(answers.calibration.truth.begin(),
                             answers.calibration.truth.begin() + 12);
  return input;
}

NoCompiler::NoCompiler() : path_(std::getenv("PATH")) {
  ::unsetenv("CC");
  ::setenv("PATH", "/nowhere", 1);
}

NoCompiler::~NoCompiler() { ::setenv("PATH", path_.c_str(), 1); }

std::string write_without_compiler(const ExportInput& input) {
  const NoCompiler hidden;
  return write_bundle(input);
}

std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files[entry.path().lexically_relative(folder).generic_string()] =
        std::string(std::istreambuf_iterator<char>(stream), {});
  }
  return files;
}

void rewrite_manifest(const fs::path& folder) {
  Json json = parse_json(read_text(folder / kManifestName), "manifest");
  const std::vector<FileRecord> files = hash_files(folder);
  json["files"] = Json::array();
  for (const FileRecord& file : files) {
    json["files"].push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  json["id"] = bundle_id(files);
  std::ofstream(folder / kManifestName, std::ios::binary) << to_text(json);
}

std::map<std::string, VerifyItem::Outcome> outcomes(const std::vector<VerifyItem>& items) {
  std::map<std::string, VerifyItem::Outcome> found;
  for (const VerifyItem& item : items) found[item.what] = item.outcome;
  return found;
}

std::vector<std::string> failed(const std::vector<VerifyItem>& items) {
  std::vector<std::string> names;
  for (const VerifyItem& item : items) {
    if (item.outcome == VerifyItem::Outcome::failed) names.push_back(item.what);
  }
  return names;
}

std::string detail_of(const std::vector<VerifyItem>& items, const std::string& what) {
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&](const VerifyItem& item) { return item.what == what; });
  if (found != items.end()) return found->detail;
  ADD_FAILURE() << "verify has no line '" << what << "'";
  return {};
}

}  // namespace biglittle::testing
