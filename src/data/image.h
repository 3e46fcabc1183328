// SPDX-License-Identifier: MIT
#pragma once

// One JPEG or PNG image, told apart by its first bytes. Pixels come as they were written: no
// colour profile, gamma or orientation is applied.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "graph/graph.h"

namespace biglittle {

/// Channels (1: grayscale, 3: RGB), height and width, from the header alone; `name` stands for the
/// file in messages. A PNG palette counts as RGB. Throws Error{bad_data} for content that is
/// neither JPEG nor PNG, and for CMYK, alpha, 16 bits a value or a size beyond the dataset's
/// limits.
Shape image_shape(std::span<const std::byte> content, std::string_view name);

/// Decodes into `planes` [C, H, W] of `shape`, which must be what image_shape said. Throws
/// Error{bad_data} for damaged content and for a PNG palette with transparent colours.
void decode_image(std::span<const std::byte> content, std::string_view name, const Shape& shape,
                  std::span<std::uint8_t> planes);

}  // namespace biglittle
