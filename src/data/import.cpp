// SPDX-License-Identifier: MIT
#include "data/import.h"

#include "core/error.h"
#include "data/content.h"
#include "data/sources.h"
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
        options.source.string() + ": not a folder, expected one with raw files; set import.source");
  }
}

RawSource read_source(const ImportOptions& options) {
  switch (options.format) {
    case ImportFormat::idx:
      return read_idx_source(options);
    case ImportFormat::cifar10:
      return read_cifar10_source(options);
    case ImportFormat::images:
      return read_image_source(options);
    case ImportFormat::automatic:
      break;
  }
  throw Error(ErrorKind::internal, "a format that was not detected");
}

std::string describe_source(const ImportOptions& options, const RawSource& source,
                            std::int64_t removed) {
  Json json;
  json["format"] = std::string(name_of(options.format));
  json["files"] = source.files;
  json["seed"] = options.seed;
  json["tune_fraction"] = options.tune_fraction;
  json["calibration_fraction"] = options.calibration_fraction;
  json["train_part_samples"] = source.train.samples.count();
  json["test_part_samples"] = source.test.samples.count();
  json["removed_copies_of_test_samples"] = removed;
  return to_text(json);
}

Split make_split(const SourcePart& part, const std::vector<std::int64_t>& rows) {
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
  visitor.field("format", options.format, "of the source; auto: by the names of its files");
  visitor.field("source", options.source, "folder with the raw files");
  visitor.field(
      "classes", options.classes,
      "class names in label order; empty: those of the source, \"0\", \"1\", ... for idx");
  visitor.field("tune_fraction", options.tune_fraction, kFraction,
                "share of the training part that chooses settings");
  visitor.field("calibration_fraction", options.calibration_fraction, kFraction,
                "share of the training part that certifies the threshold");
  visitor.field("seed", options.seed, IntRange{}, "decides which sample goes to which split");
}

Dataset import_dataset(const ImportOptions& stated) {
  check_options(stated);
  ImportOptions options = stated;
  if (options.format == ImportFormat::automatic) options.format = detect_format(options.source);
  RawSource source = read_source(options);
  Dataset dataset;
  dataset.classes = source.classes;
  dataset.input_shape = source.train.samples.shape;
  const std::vector<std::int64_t> kept =
      rows_absent_from(source.train.samples, source.test.samples);
  const SplitRows rows =
      split_rows(source.train.labels, static_cast<std::int64_t>(dataset.classes.size()),
                 group_by_content(source.train.samples, kept),
                 {options.tune_fraction, options.calibration_fraction},
                 static_cast<std::uint64_t>(options.seed));
  dataset.provenance = describe_source(
      options, source, source.train.samples.count() - static_cast<std::int64_t>(kept.size()));
  dataset.split(SplitName::train) = make_split(source.train, rows.train);
  dataset.split(SplitName::tune) = make_split(source.train, rows.tune);
  dataset.split(SplitName::calibration) = make_split(source.train, rows.calibration);
  dataset.split(SplitName::test).samples = std::move(source.test.samples);
  dataset.split(SplitName::test).labels = std::move(source.test.labels);
  finish_dataset(dataset, options.source.string());
  return dataset;
}

}  // namespace biglittle
