// SPDX-License-Identifier: MIT
#include "data/import.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "data/checks.h"
#include "data/content.h"
#include "data/splits.h"

namespace biglittle {
namespace {

constexpr RealRange kFraction{0.001, 0.5};

void check_fraction(std::string_view name, double fraction) {
  if (fraction >= kFraction.low && fraction <= kFraction.high) return;
  throw Error(ErrorKind::config, "import." + std::string(name) + " = " + Json(fraction).dump() +
                                     ", expected 0.001 to 0.5; choose a fraction in this range");
}

void check_options(const ImportOptions& options) {
  check_fraction("tune_fraction", options.tune_fraction);
  check_fraction("calibration_fraction", options.calibration_fraction);
  if (options.tune_fraction + options.calibration_fraction >= 1.0) {
    throw Error(ErrorKind::config,
                "import.tune_fraction and import.calibration_fraction add up to 1, expected less "
                "so that samples are left for train; lower one");
  }
  if (!std::filesystem::is_directory(options.source)) {
    throw Error(
        ErrorKind::missing_input,
        options.source.string() + ": not a folder, expected one with IDX files; set import.source");
  }
}

std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name) {
  for (const std::string& candidate : {name, name + ".gz"}) {
    if (std::filesystem::is_regular_file(folder / candidate)) return folder / candidate;
  }
  throw Error(ErrorKind::missing_input, folder.string() + ": no file " + name + " or " + name +
                                            ".gz, expected both parts of an IDX data set; put it "
                                            "there or set import.source");
}

/// One of the two parts of the source, "train" or "t10k".
struct Part {
  std::filesystem::path images_file;
  std::filesystem::path labels_file;
  Samples samples;
  std::vector<std::int64_t> labels;
};

void check_images(const IdxArray& images, const Part& part) {
  if (images.shape.size() != 3) {
    throw Error(ErrorKind::bad_data, part.images_file.string() + ": IDX rank " +
                                         std::to_string(images.shape.size()) +
                                         ", expected 3 (images, rows, columns); convert the file");
  }
  check_shape({1, images.shape[1], images.shape[2]}, part.images_file.string());
}

void check_labels(const IdxArray& labels, const IdxArray& images, const Part& part) {
  if (labels.shape.size() != 1) {
    throw Error(ErrorKind::bad_data, part.labels_file.string() + ": IDX rank " +
                                         std::to_string(labels.shape.size()) +
                                         ", expected 1 (one label each image); convert the file");
  }
  if (labels.shape[0] != images.shape[0]) {
    throw Error(ErrorKind::bad_data,
                part.labels_file.string() + ": " + std::to_string(labels.shape[0]) +
                    " labels, expected " + std::to_string(images.shape[0]) +
                    " as there are images in " + part.images_file.filename().string() +
                    "; fetch both files again");
  }
}

Part read_part(const std::filesystem::path& folder, const std::string& prefix) {
  Part part;
  part.images_file = find_file(folder, prefix + "-images-idx3-ubyte");
  part.labels_file = find_file(folder, prefix + "-labels-idx1-ubyte");
  IdxArray images = read_idx(part.images_file);
  check_images(images, part);
  const IdxArray labels = read_idx(part.labels_file);
  check_labels(labels, images, part);
  part.samples.shape = {1, images.shape[1], images.shape[2]};
  part.samples.values = std::move(images.values);
  part.labels.assign(labels.values.begin(), labels.values.end());
  return part;
}

std::vector<std::string> class_names(const ImportOptions& options, const Part& train,
                                     const Part& test) {
  if (!options.classes.empty()) return options.classes;
  std::int64_t last = 0;
  for (const Part* part : {&train, &test}) {
    last = std::max(last, *std::max_element(part->labels.begin(), part->labels.end()));
  }
  std::vector<std::string> names;
  for (std::int64_t index = 0; index <= last; ++index) names.push_back(std::to_string(index));
  return names;
}

/// Said here with the file and row of the source, before rows move into splits.
void check_label_range(const Part& part, std::size_t classes) {
  const auto limit = static_cast<std::int64_t>(classes);
  const auto found = std::find_if(part.labels.begin(), part.labels.end(),
                                  [&](std::int64_t label) { return label >= limit; });
  if (found == part.labels.end()) return;
  throw Error(ErrorKind::bad_data, part.labels_file.string() + ": label " + std::to_string(*found) +
                                       " in row " + std::to_string(found - part.labels.begin()) +
                                       ", expected 0 to " + std::to_string(limit - 1) + " for " +
                                       std::to_string(limit) +
                                       " classes; name all classes in import.classes");
}

std::string describe_source(const ImportOptions& options, const Part& train, const Part& test,
                            std::int64_t removed) {
  Json json;
  json["format"] = std::string(name_of(options.format));
  json["files"] = Json::array();
  for (const Part* part : {&train, &test}) {
    for (const auto& file : {part->images_file, part->labels_file}) {
      // The name without its folder: the same data give the same dataset file wherever they lie.
      json["files"].push_back({{"name", file.filename().string()}, {"sha256", sha256_file(file)}});
    }
  }
  json["seed"] = options.seed;
  json["tune_fraction"] = options.tune_fraction;
  json["calibration_fraction"] = options.calibration_fraction;
  json["train_part_samples"] = train.samples.count();
  json["test_part_samples"] = test.samples.count();
  json["removed_copies_of_test_samples"] = removed;
  return to_text(json);
}

Split make_split(const Part& part, const std::vector<std::int64_t>& rows) {
  Split split;
  split.samples = select(part.samples, rows);
  split.labels.reserve(rows.size());
  for (const std::int64_t row : rows) {
    split.labels.push_back(part.labels[static_cast<std::size_t>(row)]);
  }
  return split;
}

}  // namespace

void describe(ImportOptions& options, OptionVisitor& visitor) {
  visitor.field("format", options.format, "how the source files are written");
  visitor.field("source", options.source,
                "folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]");
  visitor.field("classes", options.classes, "class names in label order; empty: \"0\", \"1\", ...");
  visitor.field("tune_fraction", options.tune_fraction, kFraction,
                "share of the training part that chooses settings");
  visitor.field("calibration_fraction", options.calibration_fraction, kFraction,
                "share of the training part that certifies the threshold");
  visitor.field("seed", options.seed, IntRange{}, "decides which sample goes to which split");
}

Dataset import_dataset(const ImportOptions& options) {
  check_options(options);
  const Part train = read_part(options.source, "train");
  Part test = read_part(options.source, "t10k");
  if (train.samples.shape != test.samples.shape) {
    throw Error(ErrorKind::bad_data,
                test.images_file.string() + ": images of shape " + to_string(test.samples.shape) +
                    ", expected " + to_string(train.samples.shape) + " as in " +
                    train.images_file.filename().string() + "; take both from one data set");
  }
  Dataset dataset;
  dataset.classes = class_names(options, train, test);
  dataset.input_shape = train.samples.shape;
  for (const Part* part : {&train, &std::as_const(test)}) {
    check_label_range(*part, dataset.classes.size());
  }
  const std::vector<std::int64_t> kept = rows_absent_from(train.samples, test.samples);
  const SplitRows rows = split_rows(train.labels, static_cast<std::int64_t>(dataset.classes.size()),
                                    group_by_content(train.samples, kept),
                                    {options.tune_fraction, options.calibration_fraction},
                                    static_cast<std::uint64_t>(options.seed));
  dataset.provenance = describe_source(
      options, train, test, train.samples.count() - static_cast<std::int64_t>(kept.size()));
  dataset.split(SplitName::train) = make_split(train, rows.train);
  dataset.split(SplitName::tune) = make_split(train, rows.tune);
  dataset.split(SplitName::calibration) = make_split(train, rows.calibration);
  dataset.split(SplitName::test).samples = std::move(test.samples);
  dataset.split(SplitName::test).labels = std::move(test.labels);
  finish_dataset(dataset, options.source.string());
  return dataset;
}

}  // namespace biglittle
