// SPDX-License-Identifier: MIT
#pragma once

// The two codecs behind image.h, whose names and errors they share. Pixels here are [H, W, C].

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace biglittle {

Shape jpeg_shape(std::span<const std::byte> content, std::string_view name);
void decode_jpeg(std::span<const std::byte> content, std::string_view name, const Shape& shape,
                 std::span<std::uint8_t> pixels);

Shape png_shape(std::span<const std::byte> content, std::string_view name);
void decode_png(std::span<const std::byte> content, std::string_view name, const Shape& shape,
                std::span<std::uint8_t> pixels);

/// Throws Error{bad_data}: `NAME: damaged KIND data (REASON), expected a whole image; ...`.
[[noreturn]] void refuse_damaged(std::string_view name, std::string_view kind,
                                 std::string_view reason);
/// Throws Error{bad_data}: `NAME: FOUND, expected grayscale or RGB of 8 bits a value; ...`.
[[noreturn]] void refuse_pixels(std::string_view name, std::string_view found);

}  // namespace biglittle
