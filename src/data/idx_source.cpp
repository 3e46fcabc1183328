// SPDX-License-Identifier: MIT
#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "data/checks.h"
#include "data/sources.h"

namespace biglittle {
namespace {

std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name) {
  for (const std::string& candidate : {name, name + ".gz"}) {
    if (std::filesystem::is_regular_file(folder / candidate)) return folder / candidate;
  }
  throw Error(ErrorKind::missing_input, folder.string() + ": no file " + name + " or " + name +
                                            ".gz, expected both parts of an IDX data set; put it "
                                            "there or set import.source");
}

/// "train" or "t10k".
struct IdxPart {
  std::filesystem::path images_file;
  std::filesystem::path labels_file;
  SourcePart part;
};

void check_images(const IdxArray& images, const std::filesystem::path& file) {
  if (images.shape.size() != 3) {
    throw Error(ErrorKind::bad_data, file.string() + ": IDX rank " +
                                         std::to_string(images.shape.size()) +
                                         ", expected 3 (images, rows, columns); convert the file");
  }
  check_shape({1, images.shape[1], images.shape[2]}, file.string());
}

void check_labels(const IdxArray& labels, const IdxArray& images, const IdxPart& part) {
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

IdxPart read_part(const std::filesystem::path& folder, const std::string& prefix) {
  IdxPart read;
  read.images_file = find_file(folder, prefix + "-images-idx3-ubyte");
  read.labels_file = find_file(folder, prefix + "-labels-idx1-ubyte");
  IdxArray images = read_idx(read.images_file);
  check_images(images, read.images_file);
  const IdxArray labels = read_idx(read.labels_file);
  check_labels(labels, images, read);
  read.part.samples.shape = {1, images.shape[1], images.shape[2]};
  read.part.samples.values = std::move(images.values);
  read.part.labels.assign(labels.values.begin(), labels.values.end());
  return read;
}

std::vector<std::string> class_names(const ImportOptions& options, const IdxPart& train,
                                     const IdxPart& test) {
  if (!options.classes.empty()) return options.classes;
  std::int64_t last = 0;
  for (const IdxPart* read : {&train, &test}) {
    last = std::max(last, *std::max_element(read->part.labels.begin(), read->part.labels.end()));
  }
  std::vector<std::string> names;
  for (std::int64_t index = 0; index <= last; ++index) names.push_back(std::to_string(index));
  return names;
}

void check_same_shape(const IdxPart& train, const IdxPart& test) {
  if (train.part.samples.shape == test.part.samples.shape) return;
  throw Error(ErrorKind::bad_data, test.images_file.string() + ": images of shape " +
                                       to_string(test.part.samples.shape) + ", expected " +
                                       to_string(train.part.samples.shape) + " as in " +
                                       train.images_file.filename().string() +
                                       "; take both from one data set");
}

}  // namespace

bool holds_idx(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "train-images-idx3-ubyte") ||
         std::filesystem::exists(folder / "train-images-idx3-ubyte.gz");
}

RawSource read_idx_source(const ImportOptions& options) {
  IdxPart train = read_part(options.source, "train");
  IdxPart test = read_part(options.source, "t10k");
  check_same_shape(train, test);
  RawSource source;
  source.classes = class_names(options, train, test);
  for (const IdxPart* read : {&train, &test}) {
    check_label_range(read->part.labels, source.classes.size(), read->labels_file.string());
    for (const auto& file : {read->images_file, read->labels_file}) {
      source.files.push_back({{"name", file.filename().string()}, {"sha256", sha256_file(file)}});
    }
  }
  source.train = std::move(train.part);
  source.test = std::move(test.part);
  return source;
}

}  // namespace biglittle
