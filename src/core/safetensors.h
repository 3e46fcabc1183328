// SPDX-License-Identifier: MIT
#pragma once

// The safetensors container: 8 bytes little-endian header length, a JSON header, raw tensors. The
// reader treats its file as hostile: lengths, offsets, overlaps, gaps, shapes, types and duplicate
// names are checked before use, and nothing larger than the file is ever allocated.

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace biglittle {

/// Tensors and the string-to-string `__metadata__` of one file.
struct SafetensorsFile {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

/// The file's bytes: names sorted, metadata sorted, header padded with spaces to 8 bytes. The same
/// input always gives the same bytes.
std::vector<std::byte> to_safetensors(const SafetensorsFile& file);

/// Parses `bytes`; `name` stands for the file in messages. Throws Error{bad_data}.
SafetensorsFile from_safetensors(std::span<const std::byte> bytes, std::string_view name);

/// Reads and parses. Throws as read_bytes and from_safetensors do.
SafetensorsFile read_safetensors(const std::filesystem::path& file);

/// Writes with write_file's guarantees.
void write_safetensors(const std::filesystem::path& file, const SafetensorsFile& content);

}  // namespace biglittle
