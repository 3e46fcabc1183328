// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "data/image_codecs.h"

namespace biglittle {
namespace {

// The PNG specification, section 5 and 11.2.2: a signature of 8 bytes, then the chunk IHDR: its
// length 13, its name, width and height big-endian, bits a sample, colour type.
constexpr std::size_t kIhdr = 8;
constexpr std::size_t kWidth = kIhdr + 8;
constexpr std::size_t kHeight = kWidth + 4;
constexpr std::size_t kBitDepth = kHeight + 4;
constexpr std::size_t kColourType = kBitDepth + 1;
constexpr std::size_t kHeaderEnd = kIhdr + 8 + 13;
/// Of a chunk that is no pixels, once inflated: colour profiles and comments are far smaller.
constexpr png_alloc_size_t kMaxChunkBytes = 1 << 24;

std::int64_t big_endian(std::span<const std::byte> bytes) {
  std::int64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::int64_t>(byte);
  return value;
}

/// What libpng's callbacks know. Nothing here may need a destructor when libpng jumps.
struct Reading {
  std::span<const std::byte> content;
  std::array<char, 128> failure{};
};

void read_some(png_structp png, png_bytep out, std::size_t size) {
  auto& content = static_cast<Reading*>(png_get_io_ptr(png))->content;
  if (size > content.size()) png_error(png, "the file ends early");
  std::memcpy(out, content.data(), size);
  content = content.subspan(size);
}

[[noreturn]] void fail(png_structp png, png_const_charp message) {
  auto& failure = static_cast<Reading*>(png_get_error_ptr(png))->failure;
  std::strncpy(failure.data(), message, failure.size() - 1);
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

/// Owns libpng's two structures; a jump lands in the caller of this, so it is always destroyed.
class Png {
 public:
  explicit Png(Reading& reading)
      : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, fail, ignore_warning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {
    if (png != nullptr) png_set_read_fn(png, &reading, read_some);
  }
  ~Png() { png_destroy_read_struct(&png, &info, nullptr); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;

  png_structp png;
  png_infop info;
};

enum class Outcome { decoded, damaged, transparent };

/// Only plain values live in here, since libpng's errors jump over it.
Outcome decode_rows(Png& png, const Shape& shape, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png.png)) != 0) return Outcome::damaged;
  png_set_user_limits(png.png, static_cast<png_uint_32>(shape.width),
                      static_cast<png_uint_32>(shape.height));
  png_set_chunk_malloc_max(png.png, kMaxChunkBytes);
  png_read_info(png.png, png.info);
  if (png_get_valid(png.png, png.info, PNG_INFO_tRNS) != 0) return Outcome::transparent;
  png_set_expand(png.png);  // palettes to RGB, 1, 2 and 4 bits to 8
  png_set_interlace_handling(png.png);
  png_read_update_info(png.png, png.info);
  if (png_get_rowbytes(png.png, png.info) !=
      static_cast<std::size_t>(shape.width * shape.channels)) {
    png_error(png.png, "rows of another size than the header says");
  }
  png_read_image(png.png, rows);
  png_read_end(png.png, nullptr);
  return Outcome::decoded;
}

}  // namespace

Shape png_shape(std::span<const std::byte> content, std::string_view name) {
  constexpr std::string_view kStart("\0\0\0\x0dIHDR", 8);
  if (content.size() < kHeaderEnd ||
      std::memcmp(content.data() + kIhdr, kStart.data(), kStart.size()) != 0) {
    refuse_damaged(name, "PNG", "no header chunk");
  }
  const auto bits = std::to_integer<int>(content[kBitDepth]);
  const auto colours = std::to_integer<int>(content[kColourType]);
  if (bits > 8) refuse_pixels(name, fmt::format("{} bits a value", bits));
  if ((colours & PNG_COLOR_MASK_ALPHA) != 0) refuse_pixels(name, "an alpha channel");
  return {(colours & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1, big_endian(content.subspan(kHeight, 4)),
          big_endian(content.subspan(kWidth, 4))};
}

void decode_png(std::span<const std::byte> content, std::string_view name, const Shape& shape,
                std::span<std::uint8_t> pixels) {
  Reading reading{content};
  Png png(reading);
  if (png.info == nullptr) {
    throw Error(ErrorKind::internal, fmt::format("{}: libpng cannot be initialized", name));
  }
  std::vector<png_bytep> rows;
  for (std::int64_t row = 0; row < shape.height; ++row) {
    rows.push_back(pixels.data() + row * shape.width * shape.channels);
  }
  const Outcome outcome = decode_rows(png, shape, rows.data());
  if (outcome == Outcome::damaged) refuse_damaged(name, "PNG", reading.failure.data());
  if (outcome == Outcome::transparent) refuse_pixels(name, "transparent colours");
}

}  // namespace biglittle
