// SPDX-License-Identifier: MIT
#include "bundle/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "bundle/tensor_reader.h"
#include "core/error.h"
#include "core/hash.h"
#include "quant/int8_model.h"

namespace biglittle {
namespace {

constexpr std::string_view kFormat = "biglittle-answers";
constexpr std::string_view kVersion = "1";
constexpr const char* kLittleFloat = "test.little_float_class";
// Far more samples than anybody labels; keeps sums of counts and sizes away from every limit.
constexpr std::int64_t kMostRows = 1'000'000'000;

std::int64_t big_classes(const PriorityMap& map) { return std::ssize(map.little_of_big); }

[[noreturn]] void refuse(std::string_view name, std::string_view what, std::string_view reason) {
  throw Error(ErrorKind::bad_data, fmt::format("{}: {} {}", name, what, reason));
}

void require_classes(std::span<const std::int64_t> values, std::int64_t rows, std::int64_t classes,
                     std::string_view what, std::string_view name) {
  if (std::ssize(values) != rows) {
    refuse(name, what, fmt::format("has {} entries, expected {}", values.size(), rows));
  }
  const auto outside = std::ranges::find_if(
      values, [&](std::int64_t value) { return value < 0 || value >= classes; });
  if (outside == values.end()) return;
  refuse(name, what,
         fmt::format("of row {} is {}, expected 0 to {}", outside - values.begin(), *outside,
                     classes - 1));
}

void require_answers(const Answers& answers, const PriorityMap& map, const std::string& split,
                     std::string_view name) {
  const std::int64_t rows = answers.count();
  if (rows < 1) refuse(name, split, "has no rows, expected at least one");
  if (std::ssize(answers.accumulators) != rows * map.classes()) {
    refuse(name, split + ".accumulators",
           fmt::format("has {} values, expected {} rows of {}", answers.accumulators.size(), rows,
                       map.classes()));
  }
  const auto outside = std::ranges::find_if(answers.accumulators, [](std::int32_t value) {
    return value <= -kAccumulatorLimit || value >= kAccumulatorLimit;
  });
  if (outside != answers.accumulators.end()) {
    refuse(name, split + ".accumulators",
           fmt::format("of row {} has {}, which no int8 network reaches",
                       (outside - answers.accumulators.begin()) / map.classes(), *outside));
  }
  require_classes(answers.big_class, rows, big_classes(map), split + ".big_class", name);
  require_classes(answers.truth, rows, big_classes(map), split + ".truth", name);
}

/// Classes as the file holds them.
Tensor class_tensor(std::span<const std::int64_t> values) {
  std::vector<std::int32_t> narrow(values.size());
  std::ranges::transform(values, narrow.begin(),
                         [](std::int64_t value) { return static_cast<std::int32_t>(value); });
  return Tensor::of<std::int32_t>({std::ssize(narrow)}, std::span<const std::int32_t>(narrow));
}

void add_answers(TensorMap& tensors, const std::string& split, const Answers& answers) {
  const std::int64_t rows = answers.count();
  const std::int64_t classes = std::ssize(answers.accumulators) / rows;
  tensors.emplace(split + ".accumulators",
                  Tensor::of<std::int32_t>({rows, classes},
                                           std::span<const std::int32_t>(answers.accumulators)));
  tensors.emplace(split + ".big_class", class_tensor(answers.big_class));
  tensors.emplace(split + ".truth", class_tensor(answers.truth));
}

std::vector<std::int64_t> read_classes(const TensorReader& reader, const std::string& key,
                                       std::int64_t rows) {
  const std::vector<std::int32_t> narrow = reader.values<std::int32_t>(key, {rows});
  return {narrow.begin(), narrow.end()};
}

Answers read_split(const TensorReader& reader, const std::string& split, const PriorityMap& map) {
  const std::int64_t rows = reader.rows(split + ".truth", 1, kMostRows, "samples");
  return {
      .accumulators = reader.values<std::int32_t>(split + ".accumulators", {rows, map.classes()}),
      .big_class = read_classes(reader, split + ".big_class", rows),
      .truth = read_classes(reader, split + ".truth", rows)};
}

Scores read_log(const TensorReader& reader) {
  const std::int64_t rows = reader.rows("log.score", 1, kMostRows, "rows");
  return {.score = reader.values<std::int64_t>("log.score", {rows}),
          .little_class = read_classes(reader, "log.little_class", rows),
          .big_class = read_classes(reader, "log.big_class", rows),
          .truth = {}};
}

std::vector<std::string> tensor_names(bool with_log) {
  std::vector<std::string> names = {kLittleFloat};
  for (const char* split : {"tune", "calibration", "test"}) {
    for (const char* tensor : {".accumulators", ".big_class", ".truth"}) {
      names.push_back(std::string(split) + tensor);
    }
  }
  if (with_log) {
    for (const char* column : {"score", "little_class", "big_class"}) {
      names.push_back(std::string("log.") + column);
    }
  }
  return names;
}

}  // namespace

Scores certifying_scores(const RecordedAnswers& answers, const ScoreRule& rule,
                         const PriorityMap& map) {
  return answers.log ? *answers.log : make_scores(answers.calibration, rule, map);
}

std::string log_digest(const Scores& log) {
  Sha256 hash;
  for (std::size_t row = 0; row < log.score.size(); ++row) {
    hash.update(
        fmt::format("{} {} {}\n", log.score[row], log.little_class.at(row), log.big_class.at(row)));
  }
  return hash.finish();
}

void require_consistent(const RecordedAnswers& answers, const PriorityMap& map,
                        std::string_view name) {
  require_answers(answers.tune, map, "tune", name);
  require_answers(answers.calibration, map, "calibration", name);
  require_answers(answers.test, map, "test", name);
  require_classes(answers.little_float_class, answers.test.count(), map.classes(), kLittleFloat,
                  name);
  if (!answers.log) return;
  require_consistent(*answers.log, map, fmt::format("{}: log", name), Labels::optional);
  if (!answers.log->truth.empty()) refuse(name, "log", "has true classes, which no log knows");
}

void write_answers(const std::filesystem::path& file, const RecordedAnswers& answers) {
  SafetensorsFile content;
  content.metadata = format_metadata(kFormat, kVersion);
  add_answers(content.tensors, "tune", answers.tune);
  add_answers(content.tensors, "calibration", answers.calibration);
  add_answers(content.tensors, "test", answers.test);
  content.tensors.emplace(kLittleFloat, class_tensor(answers.little_float_class));
  if (answers.log) {
    const Scores& log = *answers.log;
    content.tensors.emplace("log.score",
                            Tensor::of<std::int64_t>({log.count()}, std::span(log.score)));
    content.tensors.emplace("log.little_class", class_tensor(log.little_class));
    content.tensors.emplace("log.big_class", class_tensor(log.big_class));
  }
  write_safetensors(file, content);
}

RecordedAnswers read_answers(const std::filesystem::path& file, const PriorityMap& map) {
  const SafetensorsFile content = read_safetensors(file);
  const TensorReader reader(content, file.string());
  reader.require_format(kFormat, kVersion);
  const bool with_log = reader.has("log.score");
  reader.require_tensors(tensor_names(with_log));
  RecordedAnswers answers;
  answers.tune = read_split(reader, "tune", map);
  answers.calibration = read_split(reader, "calibration", map);
  answers.test = read_split(reader, "test", map);
  answers.little_float_class = read_classes(reader, kLittleFloat, answers.test.count());
  if (with_log) answers.log = read_log(reader);
  require_consistent(answers, map, file.string());
  return answers;
}

}  // namespace biglittle
