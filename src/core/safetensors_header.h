// SPDX-License-Identifier: MIT
#pragma once

// The JSON header of a safetensors file, read event by event: only the few forms that a header may
// have are accepted, so that memory stays in proportion to the file whatever it contains.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace biglittle {

/// One tensor as the header states it: its bytes lie at [begin, end) of the data.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Tensors in the order in which the header names them.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
};

/// Parses the header's text; `name` stands for the file in messages. Offsets are not yet compared
/// with the data. Throws Error{bad_data}.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view name);

/// Throws Error{bad_data} saying that the file `name` is refused because of `reason`.
[[noreturn]] void refuse_safetensors(std::string_view name, std::string_view reason);

}  // namespace biglittle
