// SPDX-License-Identifier: MIT
#include "data/checks.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "data/content.h"
#include "data/layout.h"
#include "data/statistics.h"

namespace biglittle {
namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& message) {
  throw Error(ErrorKind::bad_data, std::string(name) + ": " + message);
}

/// JSON's own rule is the test for UTF-8: everything here ends in JSON files sooner or later.
bool is_utf8(const std::string& text) {
  try {
    (void)Json(text).dump();
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

bool is_class_name(const std::string& text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= static_cast<std::size_t>(layout::kMaxClassNameBytes) &&
         std::none_of(text.begin(), text.end(), is_control) && is_utf8(text);
}

void check_classes(const std::vector<std::string>& classes, std::string_view name) {
  const auto count = static_cast<std::int64_t>(classes.size());
  if (count < 2 || count > layout::kMaxClasses) {
    refuse(name, std::to_string(count) + " classes, expected 2 to " +
                     std::to_string(layout::kMaxClasses) + "; correct the list of class names");
  }
  std::set<std::string> seen;
  for (std::size_t index = 0; index < classes.size(); ++index) {
    if (!is_class_name(classes[index])) {
      refuse(name, "name of class " + std::to_string(index) +
                       " is empty, longer than 256 bytes or not plain UTF-8 text; rename it");
    }
    if (!seen.insert(classes[index]).second) {
      refuse(name, "class name '" + classes[index] +
                       "' appears twice, expected different names; rename one");
    }
  }
}

void check_counts(const Split& split, const Dataset& dataset, std::string_view name) {
  const Samples& samples = split.samples;
  if (samples.shape != dataset.input_shape) {
    refuse(name, "samples of shape " + to_string(samples.shape) + ", expected " +
                     to_string(dataset.input_shape) + "; make all splits the same shape");
  }
  const auto values = std::visit([](const auto& list) { return list.size(); }, samples.values);
  if (values % static_cast<std::size_t>(samples.shape.count()) != 0) {
    refuse(name, std::to_string(values) + " values, expected a multiple of " +
                     std::to_string(samples.shape.count()) + " for samples of shape " +
                     to_string(samples.shape) + "; correct the samples");
  }
  if (split.labels.size() != static_cast<std::size_t>(samples.count())) {
    refuse(name, "labels has " + std::to_string(split.labels.size()) + " rows but samples has " +
                     std::to_string(samples.count()) + "; give each sample one label");
  }
  if (split.labels.empty()) {
    refuse(name, "no samples, expected at least one; use more data or other fractions");
  }
  const SampleType type = dataset.split(SplitName::train).samples.type();
  if (samples.type() != type) {
    refuse(name, "samples are " + std::string(name_of(samples.type())) +
                     " but those of train are " + std::string(name_of(type)) +
                     "; store all splits as one type");
  }
}

void check_labels(const Split& split, std::size_t classes, std::string_view name) {
  const auto limit = static_cast<std::int64_t>(classes);
  for (std::size_t row = 0; row < split.labels.size(); ++row) {
    const std::int64_t label = split.labels[row];
    if (label >= 0 && label < limit) continue;
    refuse(name, "label " + std::to_string(label) + " in row " + std::to_string(row) +
                     ", expected 0 to " + std::to_string(limit - 1) + " for " +
                     std::to_string(limit) + " classes; correct the labels or the class names");
  }
}

void check_finite(const Samples& samples, std::string_view name) {
  if (samples.type() == SampleType::u8) return;
  const std::span<const float> values = samples.floats();
  const auto found =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (found == values.end()) return;
  const std::int64_t row = (found - values.begin()) / samples.shape.count();
  refuse(name, "value " + std::to_string(*found) + " in sample " + std::to_string(row) +
                   ", expected finite numbers; remove or repair the sample");
}

void check_train_covers_classes(const Dataset& dataset, std::string_view name) {
  std::vector<bool> seen(dataset.classes.size(), false);
  for (const std::int64_t label : dataset.split(SplitName::train).labels) {
    seen[static_cast<std::size_t>(label)] = true;
  }
  for (std::size_t index = 0; index < seen.size(); ++index) {
    if (seen[index]) continue;
    refuse(name, "split train: no sample of class '" + dataset.classes[index] +
                     "', expected at least one; add some or remove the class");
  }
  if (!(pool(channel_statistics(dataset.split(SplitName::train).samples)).deviation > 0.0)) {
    refuse(name,
           "split train: every value of every sample is the same, expected samples that differ; "
           "correct the samples");
  }
}

void check_disjoint(const Dataset& dataset, std::string_view name) {
  struct Place {
    std::size_t split;
    std::int64_t row;
  };
  std::unordered_map<std::string_view, Place> places;
  for (std::size_t index = 0; index < dataset.splits.size(); ++index) {
    const Samples& samples = dataset.splits[index].samples;
    places.reserve(places.size() + static_cast<std::size_t>(samples.count()));
    for (std::int64_t row = 0; row < samples.count(); ++row) {
      const auto [entry, added] = places.emplace(content_of(samples, row), Place{index, row});
      const Place& first = entry->second;
      if (added || first.split == index) continue;
      refuse(name, "split " + std::string(kSplitNames[index]) + ": sample " + std::to_string(row) +
                       " equals sample " + std::to_string(first.row) + " of split " +
                       std::string(kSplitNames[first.split]) +
                       ", expected splits without common samples; remove one of the two");
    }
  }
}

}  // namespace

void check_shape(const Shape& shape, std::string_view name) {
  for (const std::int64_t dimension : {shape.channels, shape.height, shape.width}) {
    if (dimension >= 1 && dimension <= layout::kMaxDimension) continue;
    refuse(name, "input shape " + to_string(shape) +
                     ", expected channels, height and width from 1 to " +
                     std::to_string(layout::kMaxDimension) + "; correct the shape");
  }
  if (shape.count() > layout::kMaxSampleValues) {
    refuse(name, "input shape " + to_string(shape) + ", expected at most " +
                     std::to_string(layout::kMaxSampleValues) +
                     " values a sample; make the samples smaller");
  }
}

void check_dataset(const Dataset& dataset, std::string_view name) {
  check_classes(dataset.classes, name);
  check_shape(dataset.input_shape, name);
  for (std::size_t index = 0; index < dataset.splits.size(); ++index) {
    const Split& split = dataset.splits[index];
    const std::string split_name = std::string(name) + ": split " + std::string(kSplitNames[index]);
    check_counts(split, dataset, split_name);
    check_labels(split, dataset.classes.size(), split_name);
    check_finite(split.samples, split_name);
  }
  check_train_covers_classes(dataset, name);
  check_disjoint(dataset, name);
  const auto size = static_cast<std::int64_t>(dataset.provenance.size());
  const bool has_nul = dataset.provenance.find('\0') != std::string::npos;
  if (size > layout::kMaxProvenanceBytes || has_nul || !is_utf8(dataset.provenance)) {
    refuse(name, "provenance is longer than 16 MiB or not UTF-8 text; shorten or correct it");
  }
}

}  // namespace biglittle
