// SPDX-License-Identifier: MIT
#pragma once

// Labelled samples in four disjoint splits, as the checked HDF5 file holds them. Samples stay in
// raw sensor units (uint8 pixels as they come, or float32); normalization belongs to the network.

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/options.h"
#include "graph/graph.h"

namespace biglittle {

enum class SampleType { u8, f32 };
/// The spelling in files and messages.
template <>
struct EnumNames<SampleType> {
  static constexpr std::array<std::string_view, 2> names = {"uint8", "float32"};
};

/// Samples [N, C, H, W] in C order, all of one type.
struct Samples {
  Shape shape;  ///< of one sample
  std::variant<std::vector<std::uint8_t>, std::vector<float>> values;

  SampleType type() const { return values.index() == 0 ? SampleType::u8 : SampleType::f32; }
  std::int64_t count() const;
  /// The values of uint8 samples; throws Error{internal} for another type.
  std::span<const std::uint8_t> bytes() const;
  std::span<const float> floats() const;
};

/// The samples at `rows`, in that order. Throws Error{internal} for a row that does not exist.
Samples select(const Samples& samples, std::span<const std::int64_t> rows);

/// Which split a sample belongs to: train fits weights, tune chooses settings, calibration
/// certifies once, test reports.
enum class SplitName { train, tune, calibration, test };
inline constexpr std::array<std::string_view, 4> kSplitNames = {"train", "tune", "calibration",
                                                                "test"};

struct Split {
  Samples samples;
  std::vector<std::int64_t> labels;  ///< [N], in [0, classes)
  std::string digest;                ///< SHA-256 over shape, type, samples and labels
};

/// Per-channel mean and standard deviation of the train split, in raw units.
struct ChannelStatistics {
  std::vector<double> mean;
  std::vector<double> deviation;
};

/// How raw units become the numbers a network sees: real = scale * (raw - offset), one pair for all
/// channels. For uint8 the offset is a whole number, so that the raw byte is the int8 network's
/// quantized input and zero padding is exactly representable.
struct Preprocessing {
  SampleType type = SampleType::u8;
  double scale = 1.0;
  double offset = 0.0;
  /// The network is asked about the sample and about its mirror image (left-right); its logits are
  /// the mean of both.
  bool with_mirror = false;
  bool operator==(const Preprocessing&) const = default;
};
/// The same for a network that is asked about the sample alone.
Preprocessing without_mirror(Preprocessing preprocessing);
Json to_json(const Preprocessing& preprocessing);
Preprocessing preprocessing_from_json(const Json& json, std::string_view name);

struct Dataset {
  std::vector<std::string> classes;
  Shape input_shape;
  std::array<Split, 4> splits;
  ChannelStatistics statistics;
  std::string provenance;  ///< where the samples came from: format, files and their SHA-256, seed
  std::string digest;      ///< SHA-256 over classes, shape and the splits' digests

  const Split& split(SplitName name) const { return splits.at(static_cast<std::size_t>(name)); }
  Split& split(SplitName name) { return splits.at(static_cast<std::size_t>(name)); }
};

/// scale = 1 / deviation, offset = mean (rounded to a whole byte for uint8), pooled over channels.
Preprocessing choose_preprocessing(const Dataset& dataset);

/// Reads the HDF5 dataset and checks everything before use: format version, shapes, counts, labels
/// in range, finite samples, at least one sample of each class in train, digests, disjoint splits.
/// External links, external storage, virtual datasets and filters other than deflate and shuffle
/// are refused. Throws Error{missing_input} or Error{bad_data}, one line naming the file.
Dataset read_dataset(const std::filesystem::path& file);

/// Writes atomically (core/files.h). Digests and statistics are computed by finish_dataset.
void write_dataset(const std::filesystem::path& file, const Dataset& dataset);

/// Fills digests and statistics and checks the whole; throws Error{bad_data} beginning with `name`
/// for anything read_dataset would refuse, including a sample that appears in two splits.
void finish_dataset(Dataset& dataset, std::string_view name);

/// True when the file begins with the HDF5 signature.
bool looks_like_hdf5(const std::filesystem::path& file);

}  // namespace biglittle
