// SPDX-License-Identifier: MIT
#pragma once

// Small image files, written by the libraries' own encoders or byte by byte.

#include <cstdint>
#include <filesystem>
#include <vector>

namespace biglittle::testing {

using Bytes = std::vector<std::uint8_t>;

/// As the PNG specification numbers them (section 11.2.2).
enum class PngColours { gray = 0, rgb = 2, palette = 3, gray_alpha = 4, rgb_alpha = 6 };
enum class PngOrder { plain, interlaced };

struct PngImage {
  std::uint32_t width = 1;
  std::uint32_t height = 1;
  PngColours colours = PngColours::gray;
  int bits = 8;
  Bytes rows = {};          ///< packed as in the file: whole bytes a row
  Bytes palette = {};       ///< red, green, blue of each entry
  Bytes transparency = {};  ///< alpha of the first entries
  PngOrder order = PngOrder::plain;
};
Bytes encode_png(const PngImage& image);

/// Signature and header chunk of an 8-bit gray image and nothing behind them.
Bytes png_header(std::uint32_t width, std::uint32_t height);

enum class JpegColours { gray, rgb, cmyk };
/// `pixels` are [H, W, C]; quality 100 without subsampling.
Bytes encode_jpeg(int width, int height, JpegColours colours, const Bytes& pixels);

/// Makes the folders that are missing, too.
void write_bytes(const std::filesystem::path& file, const Bytes& bytes);

}  // namespace biglittle::testing
