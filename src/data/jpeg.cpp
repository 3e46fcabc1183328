// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <turbojpeg.h>

#include <memory>

#include "core/error.h"
#include "data/image_codecs.h"

namespace biglittle {
namespace {

using Decoder = std::unique_ptr<void, int (*)(tjhandle)>;

Decoder make_decoder(std::string_view name) {
  Decoder decoder(tjInitDecompress(), tjDestroy);
  if (decoder == nullptr) {
    throw Error(ErrorKind::internal, fmt::format("{}: libturbojpeg cannot be initialized", name));
  }
  return decoder;
}

struct Header {
  Shape shape;
  TJPF format = TJPF_UNKNOWN;
};

Header read_header(tjhandle decoder, std::span<const std::byte> content, std::string_view name) {
  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(decoder, reinterpret_cast<const unsigned char*>(content.data()),
                          content.size(), &width, &height, &subsampling, &colours) != 0) {
    refuse_damaged(name, "JPEG", tjGetErrorStr2(decoder));
  }
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) refuse_pixels(name, "CMYK colours");
  const bool gray = colours == TJCS_GRAY;
  return {{gray ? 1 : 3, height, width}, gray ? TJPF_GRAY : TJPF_RGB};
}

}  // namespace

Shape jpeg_shape(std::span<const std::byte> content, std::string_view name) {
  return read_header(make_decoder(name).get(), content, name).shape;
}

void decode_jpeg(std::span<const std::byte> content, std::string_view name, const Shape& shape,
                 std::span<std::uint8_t> pixels) {
  const Decoder decoder = make_decoder(name);
  const Header header = read_header(decoder.get(), content, name);
  const auto width = static_cast<int>(shape.width);
  // A warning means that pixels were made up; a file of thousands of scans is an attack on time.
  constexpr int kFlags = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;
  if (header.shape != shape) {
    throw Error(ErrorKind::internal, fmt::format("{}: decoded as another shape", name));
  }
  if (tjDecompress2(decoder.get(), reinterpret_cast<const unsigned char*>(content.data()),
                    content.size(), pixels.data(), width, 0, static_cast<int>(shape.height),
                    header.format, kFlags) != 0) {
    refuse_damaged(name, "JPEG", tjGetErrorStr2(decoder.get()));
  }
}

}  // namespace biglittle
