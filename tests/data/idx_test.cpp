// SPDX-License-Identifier: MIT
#include <zlib.h>

#include <fstream>

#include "core/random.h"
#include "data/import.h"
#include "data/small_dataset.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::error_of;
using testing::expect_error;

using Bytes = std::vector<std::uint8_t>;

/// 2 x 2 x 3 unsigned bytes, written byte by byte as LeCun's page describes the format.
const Bytes kImages = {0, 0, 8, 3, 0, 0, 0, 2, 0,  0,  0,  2,  0,   0,
                       0, 3, 1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 250, 255};

IdxArray parse(const Bytes& bytes) { return parse_idx(std::as_bytes(std::span(bytes)), "x.idx"); }

Bytes gzip(const Bytes& content) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes packed(deflateBound(&stream, content.size()));
  stream.next_in = const_cast<Bytef*>(content.data());
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Bytes changed(Bytes bytes, std::size_t position, std::uint8_t value) {
  bytes.at(position) = value;
  return bytes;
}

void refuses(const Bytes& bytes, const std::string& message) {
  expect_error(ErrorKind::bad_data, "x.idx: " + message, [&] { parse(bytes); });
}

TEST(Idx, ReadsShapeAndValues) {
  const IdxArray array = parse(kImages);
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 2, 3}));
  EXPECT_EQ(array.values, (Bytes{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 250, 255}));
}

TEST(Idx, ReadsGzippedContentWhateverTheName) {
  testing::TemporaryFolder folder;
  const Bytes packed = gzip(kImages);
  std::ofstream(folder / "images", std::ios::binary)
      .write(reinterpret_cast<const char*>(packed.data()),
             static_cast<std::streamsize>(packed.size()));
  const IdxArray array = read_idx(folder / "images");
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 2, 3}));
  EXPECT_EQ(array.values, parse(kImages).values);
}

TEST(Idx, NamesAMissingFile) {
  const auto thrown = error_of([] { read_idx("/nowhere/x.idx"); });
  EXPECT_EQ(thrown.kind, ErrorKind::missing_input);
  EXPECT_NE(thrown.message.find("/nowhere/x.idx"), std::string::npos);
}

TEST(Idx, RefusesAForeignHeader) {
  refuses({}, "0 bytes, expected at least the 4 of the IDX header; fetch the file again");
  refuses({0, 0, 8}, "3 bytes, expected at least the 4 of the IDX header; fetch the file again");
  refuses(changed(kImages, 0, 80),
          "begins with bytes 80 and 0, expected 0 and 0 as in an IDX file; give the IDX file "
          "itself");
  refuses(changed(kImages, 2, 13),
          "IDX element type 13, expected 8 (unsigned bytes); convert the file");
  refuses(changed(kImages, 3, 0), "IDX rank 0, expected 1 to 8; convert the file");
  refuses(changed(kImages, 3, 9), "IDX rank 9, expected 1 to 8; convert the file");
}

TEST(Idx, RefusesSizesThatCannotBe) {
  refuses({0, 0, 8, 2, 0, 0, 0, 1, 0, 0},
          "ends within the IDX header, expected 2 sizes of 4 bytes; fetch the file again");
  refuses(changed(kImages, 11, 0),
          "IDX size 0 on axis 1, expected sizes of at least 1 and at most 17179869184 values in "
          "all; fetch the file again");
  refuses({0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255},
          "IDX size 4294967295 on axis 1, expected sizes of at least 1 and at most 17179869184 "
          "values in all; fetch the file again");
}

TEST(Idx, RefusesMoreOrFewerValuesThanTheSizesSay) {
  Bytes shorter = kImages;
  shorter.pop_back();
  refuses(gzip(shorter),
          "11 values after the IDX header, expected 12 as its sizes say; fetch the file again");
  Bytes longer = kImages;
  longer.push_back(0);
  for (const Bytes& bytes : {longer, gzip(longer)}) {
    refuses(bytes,
            "more than 12 values after the IDX header, expected 12 as its sizes say; fetch the "
            "file again");
  }
}

TEST(Idx, NeverAllocatesMoreThanTheFileCanHold) {
  // Sizes of 16 GiB in a file of 8 bytes: refused without reserving them.
  refuses({0, 0, 8, 1, 255, 255, 255, 255},
          "at most 8 values after the IDX header, expected 4294967295 as its sizes say; fetch the "
          "file again");
}

TEST(Idx, RefusesDamagedGzip) {
  Bytes packed = gzip(kImages);
  Bytes cut(packed.begin(), packed.end() - 5);
  refuses(cut, "gzip data ends after " + std::to_string(cut.size()) +
                   " bytes in the middle, expected its end mark; fetch the file again");
  // The CRC in the last eight bytes is only looked at when all content was right.
  const auto crc =
      error_of([&] { parse(changed(packed, packed.size() - 8, packed[packed.size() - 8] ^ 1)); });
  EXPECT_EQ(crc.message, "x.idx: damaged gzip data near byte " + std::to_string(packed.size() - 4) +
                             ", expected a gzip stream; fetch the file again");
  packed.push_back(7);
  refuses(packed, "1 bytes after the gzip data, expected none; fetch the file again");
}

TEST(Idx, EveryTruncationIsRefused) {
  for (const Bytes& whole : {kImages, gzip(kImages)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(error_of([&] { parse(cut); }).kind, ErrorKind::bad_data) << size;
    }
  }
}

TEST(Idx, SurvivesRandomChangesWithAnErrorOrAWholeArray) {
  Random random(5);
  const std::array<Bytes, 2> originals = {kImages, gzip(kImages)};
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = originals[random.below(2)];
    for (std::uint64_t change = random.below(4) + 1; change > 0; --change) {
      bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.below(256));
    }
    try {
      const IdxArray array = parse(bytes);
      std::size_t count = 1;
      for (const std::int64_t size : array.shape) count *= static_cast<std::size_t>(size);
      ASSERT_EQ(array.values.size(), count);
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::bad_data);
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace biglittle
