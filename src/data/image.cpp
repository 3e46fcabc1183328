// SPDX-License-Identifier: MIT
#include "data/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"
#include "data/checks.h"
#include "data/image_codecs.h"

namespace biglittle {
namespace {

constexpr std::array<std::uint8_t, 3> kJpegStart = {0xff, 0xd8, 0xff};
constexpr std::array<std::uint8_t, 8> kPngStart = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

template <std::size_t size>
bool starts_with(std::span<const std::byte> content, const std::array<std::uint8_t, size>& start) {
  return content.size() >= size &&
         std::equal(start.begin(), start.end(), content.begin(),
                    [](std::uint8_t a, std::byte b) { return std::byte{a} == b; });
}

bool is_png(std::span<const std::byte> content, std::string_view name) {
  if (starts_with(content, kPngStart)) return true;
  if (starts_with(content, kJpegStart)) return false;
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: neither JPEG nor PNG by its first bytes, expected one of them; "
                          "convert or remove the file",
                          name));
}

}  // namespace

void refuse_damaged(std::string_view name, std::string_view kind, std::string_view reason) {
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: damaged {} data ({}), expected a whole image; fetch the file again "
                          "or remove it",
                          name, kind, reason));
}

void refuse_pixels(std::string_view name, std::string_view found) {
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: {}, expected grayscale or RGB of 8 bits a value; convert the file",
                          name, found));
}

Shape image_shape(std::span<const std::byte> content, std::string_view name) {
  const Shape shape = is_png(content, name) ? png_shape(content, name) : jpeg_shape(content, name);
  check_shape(shape, name);
  return shape;
}

void decode_image(std::span<const std::byte> content, std::string_view name, const Shape& shape,
                  std::span<std::uint8_t> planes) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(shape.count()));
  const auto decode = is_png(content, name) ? decode_png : decode_jpeg;
  decode(content, name, shape, pixels);
  const auto channels = static_cast<std::size_t>(shape.channels);
  const std::size_t area = pixels.size() / channels;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t place = 0; place < area; ++place) {
      planes[channel * area + place] = pixels[place * channels + channel];
    }
  }
}

}  // namespace biglittle
