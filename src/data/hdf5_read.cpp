// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>

#include "core/error.h"
#include "data/checks.h"
#include "data/child_process.h"
#include "data/dataset.h"
#include "data/digests.h"
#include "data/hdf5_file.h"
#include "data/layout.h"
#include "data/statistics.h"

namespace biglittle {
namespace {

using hdf5::CheckedFile;
using hdf5::path_of;
using hdf5::StoredArray;

constexpr std::int64_t kDigestBytes = 64;
constexpr std::array<unsigned char, 8> kSignature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

// The child's side: check the structure, then send everything in a fixed order.

void check_version(const CheckedFile& file) {
  const std::string format = file.text_attribute("/", layout::kFormatAttribute, kDigestBytes);
  if (format != layout::kFormat) {
    file.refuse("format is '" + format + "', expected '" + layout::kFormat + "'");
  }
  const std::int64_t version = file.integer_attribute("/", layout::kVersionAttribute);
  if (version != layout::kVersion) {
    file.refuse("format version " + std::to_string(version) + ", expected " +
                std::to_string(layout::kVersion));
  }
}

void check_all_members(const CheckedFile& file) {
  std::vector<std::string> members = {layout::kClasses, layout::kProvenance, layout::kStatistics};
  members.insert(members.end(), kSplitNames.begin(), kSplitNames.end());
  file.check_members("/", members);
  for (const std::string_view split : kSplitNames) {
    file.check_members(path_of("/", split), {layout::kSamples, layout::kLabels});
  }
  file.check_members(path_of("/", layout::kStatistics), {layout::kMean, layout::kDeviation});
}

void send_values(const CheckedFile& file, const StoredArray& array, PipeWriter& out) {
  file.read(array, [&](std::span<const std::byte> block) { out.bytes(block); });
}

void send_texts(const CheckedFile& file, const StoredArray& array, PipeWriter& out) {
  const auto size = static_cast<std::size_t>(array.element_bytes);
  file.read(array, [&](std::span<const std::byte> block) {
    for (; !block.empty(); block = block.subspan(size)) {
      const std::string text(reinterpret_cast<const char*>(block.data()), size);
      out.text(text.substr(0, text.find('\0')));
    }
  });
}

void send_description(const CheckedFile& file, const std::vector<std::int64_t>& shape,
                      PipeWriter& out) {
  const StoredArray classes =
      file.text_array(path_of("/", layout::kClasses), 1, layout::kMaxClassNameBytes);
  if (classes.rows() > layout::kMaxClasses) {
    file.refuse(classes.path + " has " + std::to_string(classes.rows()) +
                " names, expected at most " + std::to_string(layout::kMaxClasses));
  }
  out.number(classes.rows());
  send_texts(file, classes, out);
  for (const std::int64_t size : shape) out.number(size);
  send_texts(file,
             file.text_array(path_of("/", layout::kProvenance), 0, layout::kMaxProvenanceBytes),
             out);
  out.text(file.text_attribute("/", layout::kDigestAttribute, kDigestBytes));
}

void send_split(const CheckedFile& file, std::string_view name,
                const std::vector<std::int64_t>& shape, PipeWriter& out) {
  const std::string group = path_of("/", name);
  const std::array<hid_t, 2> sample_types = {H5T_STD_U8LE, H5T_IEEE_F32LE};
  const StoredArray samples =
      file.array(path_of(group, layout::kSamples), sample_types, "uint8 or float32", 4);
  if (!std::equal(shape.begin(), shape.end(), samples.shape.begin() + 1)) {
    file.refuse(samples.path + " has samples of shape " +
                to_string(Shape{samples.shape[1], samples.shape[2], samples.shape[3]}) +
                ", expected " + to_string(Shape{shape[0], shape[1], shape[2]}) +
                " as input_shape says");
  }
  const std::array<hid_t, 1> label_types = {H5T_STD_I64LE};
  const StoredArray labels = file.array(path_of(group, layout::kLabels), label_types, "int64", 1);
  if (labels.rows() != samples.rows()) {
    file.refuse(labels.path + " has " + std::to_string(labels.rows()) + " rows but " +
                samples.path + " has " + std::to_string(samples.rows()) + ", expected as many");
  }
  out.number(samples.rows());
  out.number(samples.element_bytes == 1 ? 0 : 1);
  send_values(file, samples, out);
  send_values(file, labels, out);
  out.text(file.text_attribute(group, layout::kDigestAttribute, kDigestBytes));
}

void send_statistics(const CheckedFile& file, std::int64_t channels, PipeWriter& out) {
  const std::array<hid_t, 1> types = {H5T_IEEE_F64LE};
  for (const char* name : {layout::kMean, layout::kDeviation}) {
    const StoredArray array =
        file.array(path_of(path_of("/", layout::kStatistics), name), types, "float64", 1);
    if (array.rows() != channels) {
      file.refuse(array.path + " has " + std::to_string(array.rows()) + " rows, expected " +
                  std::to_string(channels) + ", one a channel");
    }
    send_values(file, array, out);
  }
}

void send_dataset(const std::filesystem::path& path, PipeWriter& out) {
  const CheckedFile file(path);
  check_version(file);
  check_all_members(file);
  const std::vector<std::int64_t> shape = file.integers_attribute("/", layout::kShapeAttribute, 3);
  check_shape({shape[0], shape[1], shape[2]}, path.string());
  send_description(file, shape, out);
  for (const std::string_view split : kSplitNames) send_split(file, split, shape, out);
  send_statistics(file, shape[0], out);
}

// The parent's side: the same order. The child may be damaged, so counts are bounded again.

template <typename Value>
std::vector<Value> receive_values(PipeReader& in, std::int64_t count) {
  std::vector<Value> values(static_cast<std::size_t>(count));
  in.bytes(std::as_writable_bytes(std::span(values)));
  return values;
}

Split receive_split(PipeReader& in, const Shape& shape) {
  Split split;
  split.samples.shape = shape;
  const std::int64_t rows = in.number(1, layout::kMaxArrayBytes / shape.count());
  const bool is_float = in.number(0, 1) == 1;
  const std::int64_t count = rows * shape.count();
  if (is_float) {
    split.samples.values = receive_values<float>(in, count);
  } else {
    split.samples.values = receive_values<std::uint8_t>(in, count);
  }
  split.labels = receive_values<std::int64_t>(in, rows);
  split.digest = in.text(kDigestBytes);
  return split;
}

Dataset receive_dataset(PipeReader& in) {
  Dataset dataset;
  const std::int64_t classes = in.number(1, layout::kMaxClasses);
  for (std::int64_t index = 0; index < classes; ++index) {
    dataset.classes.push_back(in.text(layout::kMaxClassNameBytes));
  }
  Shape& shape = dataset.input_shape;
  for (std::int64_t* size : {&shape.channels, &shape.height, &shape.width}) {
    *size = in.number(1, layout::kMaxDimension);
  }
  dataset.provenance = in.text(layout::kMaxProvenanceBytes);
  dataset.digest = in.text(kDigestBytes);
  for (Split& split : dataset.splits) split = receive_split(in, shape);
  dataset.statistics.mean = receive_values<double>(in, shape.channels);
  dataset.statistics.deviation = receive_values<double>(in, shape.channels);
  return dataset;
}

void check_digests(const Dataset& dataset, const std::string& name) {
  const auto compare = [&](const std::string& what, const std::string& stored,
                           const std::string& computed) {
    if (stored == computed) return;
    throw Error(ErrorKind::bad_data, name + ": digest of " + what + " is " + computed +
                                         ", expected " + stored +
                                         " as the file says; restore a copy or import again");
  };
  for (std::size_t index = 0; index < dataset.splits.size(); ++index) {
    const Split& split = dataset.splits[index];
    compare("split " + std::string(kSplitNames[index]), split.digest, split_digest(split));
  }
  compare("the dataset", dataset.digest, dataset_digest(dataset));
}

/// Compared with a tolerance: another compiler may add in another order.
void check_statistics(const Dataset& dataset, const std::string& name) {
  const ChannelStatistics computed = channel_statistics(dataset.split(SplitName::train).samples);
  const auto agree = [](double stored, double expected) {
    return std::abs(stored - expected) <= 1e-9 * (1.0 + std::abs(expected));
  };
  const ChannelStatistics& stored = dataset.statistics;
  if (std::equal(stored.mean.begin(), stored.mean.end(), computed.mean.begin(), agree) &&
      std::equal(stored.deviation.begin(), stored.deviation.end(), computed.deviation.begin(),
                 agree)) {
    return;
  }
  throw Error(ErrorKind::bad_data,
              name +
                  ": statistics differ from those of split train, expected its mean and "
                  "deviation per channel; import the data again");
}

}  // namespace

bool looks_like_hdf5(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::array<char, kSignature.size()> begin{};
  if (!stream.read(begin.data(), begin.size())) return false;
  return std::equal(
      begin.begin(), begin.end(), kSignature.begin(),
      [](char left, unsigned char right) { return static_cast<unsigned char>(left) == right; });
}

Dataset read_dataset(const std::filesystem::path& file) {
  const std::string name = file.string();
  if (!std::ifstream(file, std::ios::binary) || std::filesystem::is_directory(file)) {
    throw Error(
        ErrorKind::missing_input,
        name + ": cannot be opened, expected a dataset file; make one with `biglittle import`");
  }
  if (!looks_like_hdf5(file)) {
    throw Error(
        ErrorKind::bad_data,
        name + ": no HDF5 signature, expected a dataset file; make one with `biglittle import`");
  }
  Dataset dataset;
  run_in_child(
      file, [&](PipeWriter& out) { send_dataset(file, out); },
      [&](PipeReader& in) { dataset = receive_dataset(in); });
  check_dataset(dataset, name);
  check_digests(dataset, name);
  check_statistics(dataset, name);
  return dataset;
}

}  // namespace biglittle
