// SPDX-License-Identifier: MIT
#pragma once

// Names and limits of the HDF5 dataset file; data/README.md of the repository describes the format.
// The writer, the reader and the checks share this one statement.

#include <cstdint>

namespace biglittle::layout {

inline constexpr const char* kFormat = "biglittle-dataset";
inline constexpr std::int64_t kVersion = 1;

inline constexpr const char* kFormatAttribute = "format";
inline constexpr const char* kVersionAttribute = "format_version";
inline constexpr const char* kDigestAttribute = "digest";
inline constexpr const char* kShapeAttribute = "input_shape";

inline constexpr const char* kClasses = "classes";
inline constexpr const char* kProvenance = "provenance";
inline constexpr const char* kStatistics = "statistics";
inline constexpr const char* kMean = "mean";
inline constexpr const char* kDeviation = "deviation";
inline constexpr const char* kSamples = "samples";
inline constexpr const char* kLabels = "labels";

/// Far above any real use, and small enough that every product of them fits 64 bits.
inline constexpr std::int64_t kMaxClasses = 65'536;
inline constexpr std::int64_t kMaxClassNameBytes = 256;
inline constexpr std::int64_t kMaxDimension = 65'536;
inline constexpr std::int64_t kMaxSampleValues = std::int64_t{1} << 26;
inline constexpr std::int64_t kMaxProvenanceBytes = std::int64_t{1} << 24;
/// Of one array in memory.
inline constexpr std::int64_t kMaxArrayBytes = std::int64_t{1} << 34;

}  // namespace biglittle::layout
