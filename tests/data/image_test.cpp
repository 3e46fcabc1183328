// SPDX-License-Identifier: MIT
#include "data/image.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "core/random.h"
#include "data/image_bytes.h"
#include "data/small_dataset.h"

namespace biglittle {
namespace {

using testing::Bytes;
using testing::encode_jpeg;
using testing::encode_png;
using testing::error_of;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::JpegColours;
using testing::PngColours;
using testing::PngImage;
using testing::PngOrder;
using ::testing::StartsWith;

struct Decoded {
  Shape shape;
  Bytes planes;
};

Decoded decode(const Bytes& content) {
  const auto bytes = std::as_bytes(std::span(content));
  Decoded decoded{image_shape(bytes, "x"), {}};
  decoded.planes.resize(static_cast<std::size_t>(decoded.shape.count()));
  decode_image(bytes, "x", decoded.shape, decoded.planes);
  return decoded;
}

void refuses(const Bytes& content, const std::string& message) {
  expect_error(ErrorKind::bad_data, "x: " + message, [&] { decode(content); });
}

/// 3 wide, 2 high; pixels (1, 2, 3), (4, 5, 6) ... (16, 17, 18).
PngImage rgb_image() {
  PngImage image{.width = 3, .height = 2, .colours = PngColours::rgb};
  for (std::uint8_t value = 1; value <= 18; ++value) image.rows.push_back(value);
  return image;
}
const Bytes kRgbPlanes = {1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17, 3, 6, 9, 12, 15, 18};

/// 16x16, red from left to right, green from top to bottom, blue 40: smooth, so that JPEG keeps it.
Bytes slope(int channels) {
  Bytes pixels;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      const std::array<int, 4> values = {15 * x, 15 * y, 40, 0};
      for (int c = 0; c < channels; ++c) {
        pixels.push_back(static_cast<std::uint8_t>(values.at(static_cast<std::size_t>(c))));
      }
    }
  }
  return pixels;
}

TEST(Image, ReadsAnRgbPngPlaneByPlane) {
  const Decoded decoded = decode(encode_png(rgb_image()));
  EXPECT_EQ(decoded.shape, (Shape{3, 2, 3}));
  EXPECT_EQ(decoded.planes, kRgbPlanes);
}

TEST(Image, ReadsAnInterlacedPngAsAPlainOne) {
  PngImage image = rgb_image();
  image.order = PngOrder::interlaced;
  EXPECT_EQ(decode(encode_png(image)).planes, kRgbPlanes);
}

TEST(Image, ReadsAGrayPngAsItIs) {
  const Decoded decoded = decode(encode_png({.width = 2, .height = 2, .rows = {0, 7, 128, 255}}));
  EXPECT_EQ(decoded.shape, (Shape{1, 2, 2}));
  EXPECT_EQ(decoded.planes, (Bytes{0, 7, 128, 255}));
}

TEST(Image, SpreadsFewBitsOverAByte) {
  // Two bits each: 0, 1, 2, 3 are 0, 85, 170, 255 of 255.
  const PngImage image{.width = 4, .height = 1, .bits = 2, .rows = {0b00'01'10'11}};
  EXPECT_EQ(decode(encode_png(image)).planes, (Bytes{0, 85, 170, 255}));
}

TEST(Image, ReadsAPaletteAsRgb) {
  const PngImage image{.width = 3,
                       .height = 1,
                       .colours = PngColours::palette,
                       .rows = {1, 0, 1},
                       .palette = {10, 20, 30, 40, 50, 60}};
  const Decoded decoded = decode(encode_png(image));
  EXPECT_EQ(decoded.shape, (Shape{3, 1, 3}));
  EXPECT_EQ(decoded.planes, (Bytes{40, 10, 40, 50, 20, 50, 60, 30, 60}));
}

TEST(Image, ReadsAnRgbJpegCloseToWhatWasWritten) {
  const Decoded decoded = decode(encode_jpeg(16, 16, JpegColours::rgb, slope(3)));
  ASSERT_EQ(decoded.shape, (Shape{3, 16, 16}));
  const Bytes written = slope(3);
  for (std::size_t place = 0; place < 256; ++place) {
    for (std::size_t c = 0; c < 3; ++c) {
      ASSERT_NEAR(decoded.planes[256 * c + place], written[3 * place + c], 3) << place;
    }
  }
}

TEST(Image, ReadsAGrayJpegCloseToWhatWasWritten) {
  const Decoded decoded = decode(encode_jpeg(16, 16, JpegColours::gray, slope(1)));
  ASSERT_EQ(decoded.shape, (Shape{1, 16, 16}));
  const Bytes written = slope(1);
  for (std::size_t place = 0; place < 256; ++place) {
    ASSERT_NEAR(decoded.planes[place], written[place], 2) << place;
  }
}

TEST(Image, RefusesOtherFiles) {
  const std::string line =
      "neither JPEG nor PNG by its first bytes, expected one of them; convert or remove the file";
  refuses({}, line);
  refuses({'G', 'I', 'F', '8', '9', 'a'}, line);
}

TEST(Image, RefusesPixelsThatAreNeitherGrayNorRgbBytes) {
  const std::string rest = ", expected grayscale or RGB of 8 bits a value; convert the file";
  refuses(encode_png({.colours = PngColours::gray_alpha, .rows = {1, 2}}),
          "an alpha channel" + rest);
  refuses(encode_png({.colours = PngColours::rgb_alpha, .rows = {1, 2, 3, 4}}),
          "an alpha channel" + rest);
  refuses(encode_png({.bits = 16, .rows = {1, 2}}), "16 bits a value" + rest);
  refuses(encode_png({.colours = PngColours::palette,
                      .rows = {0},
                      .palette = {1, 2, 3},
                      .transparency = {128}}),
          "transparent colours" + rest);
  refuses(encode_jpeg(16, 16, JpegColours::cmyk, slope(4)), "CMYK colours" + rest);
}

TEST(Image, RefusesSizesBeyondTheLimitsByTheHeaderAlone) {
  refuses(testing::png_header(65'537, 1),
          "input shape 1x1x65537, expected channels, height and width from 1 to 65536; correct "
          "the shape");
  refuses(testing::png_header(65'536, 1'025),
          "input shape 1x1025x65536, expected at most 67108864 values a sample; make the samples "
          "smaller");
}

TEST(Image, RefusesDamagedContent) {
  const std::string rest = "), expected a whole image; fetch the file again or remove it";
  Bytes png = encode_png(rgb_image());
  refuses(Bytes(png.begin(), png.begin() + 20), "damaged PNG data (no header chunk" + rest);
  refuses(Bytes(png.begin(), png.end() - 1), "damaged PNG data (the file ends early" + rest);
  png[12] = 'J';
  refuses(png, "damaged PNG data (no header chunk" + rest);
  const Bytes jpeg = encode_jpeg(16, 16, JpegColours::rgb, slope(3));
  refuses(Bytes(jpeg.begin(), jpeg.end() - 2),
          "damaged JPEG data (Premature end of JPEG file" + rest);
}

TEST(Image, RefusesEveryTruncation) {
  for (const Bytes& whole :
       {encode_png(rgb_image()), encode_jpeg(16, 16, JpegColours::rgb, slope(3))}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(error_of([&] { decode(cut); }).kind, ErrorKind::bad_data) << size;
    }
  }
}

TEST(Image, SurvivesRandomChangesWithAnErrorOrAnImage) {
  Random random(7);
  PngImage palette{.width = 3,
                   .height = 1,
                   .colours = PngColours::palette,
                   .rows = {1, 0, 1},
                   .palette = {10, 20, 30, 40, 50, 60}};
  const std::array<Bytes, 4> originals = {encode_png(rgb_image()), encode_png(palette),
                                          encode_jpeg(16, 16, JpegColours::rgb, slope(3)),
                                          encode_jpeg(16, 16, JpegColours::gray, slope(1))};
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = originals[random.below(originals.size())];
    for (std::uint64_t change = random.below(4) + 1; change > 0; --change) {
      bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.below(256));
    }
    try {
      decode(bytes);
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::bad_data) << error.what();
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace biglittle
