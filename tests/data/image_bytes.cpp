// SPDX-License-Identifier: MIT
#include "data/image_bytes.h"

#include <png.h>
#include <turbojpeg.h>

#include <fstream>
#include <memory>
#include <stdexcept>

namespace biglittle::testing {
namespace {

void append(png_structp png, png_bytep bytes, std::size_t size) {
  auto* out = static_cast<Bytes*>(png_get_io_ptr(png));
  out->insert(out->end(), bytes, bytes + size);
}

void set_palette(png_structp png, png_infop info, const PngImage& image) {
  std::vector<png_color> colours;
  for (std::size_t i = 0; i + 2 < image.palette.size(); i += 3) {
    colours.push_back({image.palette[i], image.palette[i + 1], image.palette[i + 2]});
  }
  png_set_PLTE(png, info, colours.data(), static_cast<int>(colours.size()));
  if (image.transparency.empty()) return;
  png_set_tRNS(png, info, image.transparency.data(), static_cast<int>(image.transparency.size()),
               nullptr);
}

}  // namespace

Bytes encode_png(const PngImage& image) {
  Bytes bytes;
  // libpng's own error handling ends the test program, which is right here.
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &bytes, append, nullptr);
  png_set_IHDR(png, info, image.width, image.height, image.bits, static_cast<int>(image.colours),
               image.order == PngOrder::plain ? PNG_INTERLACE_NONE : PNG_INTERLACE_ADAM7,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!image.palette.empty()) set_palette(png, info, image);
  png_write_info(png, info);
  Bytes pixels = image.rows;
  std::vector<png_bytep> rows;
  for (std::size_t row = 0; row < image.height; ++row) {
    rows.push_back(pixels.data() + row * (pixels.size() / image.height));
  }
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

Bytes png_header(std::uint32_t width, std::uint32_t height) {
  Bytes bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
  for (const std::uint32_t size : {width, height}) {
    for (const int shift : {24, 16, 8, 0}) {
      bytes.push_back(static_cast<std::uint8_t>(size >> shift));
    }
  }
  bytes.insert(bytes.end(), {8, 0, 0, 0, 0});
  return bytes;
}

Bytes encode_jpeg(int width, int height, JpegColours colours, const Bytes& pixels) {
  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), tjDestroy);
  const TJPF format = colours == JpegColours::gray  ? TJPF_GRAY
                      : colours == JpegColours::rgb ? TJPF_RGB
                                                    : TJPF_CMYK;
  unsigned char* content = nullptr;
  unsigned long size = 0;
  if (tjCompress2(encoder.get(), pixels.data(), width, 0, height, format, &content, &size,
                  colours == JpegColours::gray ? TJSAMP_GRAY : TJSAMP_444, 100, 0) != 0) {
    throw std::runtime_error(tjGetErrorStr2(encoder.get()));
  }
  Bytes bytes(content, content + size);
  tjFree(content);
  return bytes;
}

void write_bytes(const std::filesystem::path& file, const Bytes& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace biglittle::testing
