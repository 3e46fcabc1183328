// SPDX-License-Identifier: MIT
#include "core/safetensors.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/random.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::expect_error;
using Bytes = std::vector<std::byte>;

Bytes to_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

// A file by the format's description: length in 8 little-endian bytes, header, data.
Bytes file_of(const std::string& header, const std::string& data) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  return to_bytes(text + header + data);
}

// One tensor "a" of the given form before `data`.
Bytes file_with(const std::string& entry, const std::string& data) {
  return file_of("{\"a\":" + entry + "}", data);
}

void expect_refused(const Bytes& bytes, const std::string& reason) {
  expect_error(ErrorKind::bad_data, "f: not a valid safetensors file: " + reason,
               [&] { from_safetensors(bytes, "f"); });
}

SafetensorsFile example() {
  SafetensorsFile file;
  file.tensors["w"] = Tensor::of<float>({2, 1}, std::array{1.0F, -0.5F});
  file.tensors["b"] = Tensor::of<std::int8_t>({3}, std::array<std::int8_t, 3>{-128, 0, 127});
  file.tensors["empty"] = Tensor(DType::i64, {0, 5});
  file.tensors["scalar"] = Tensor::of<double>({}, std::array{0.1});
  file.tensors["count"] = Tensor::of<std::int32_t>({1}, std::array<std::int32_t, 1>{-7});
  file.tensors["pixels"] = Tensor::of<std::uint8_t>({2}, std::array<std::uint8_t, 2>{0, 255});
  file.metadata = {{"format", "1"}, {"classes", R"(["a\n", "b"])"}};
  return file;
}

TEST(Safetensors, RoundTripsEveryType) {
  const SafetensorsFile file = example();
  const SafetensorsFile read = from_safetensors(to_safetensors(file), "f");
  EXPECT_EQ(read.tensors, file.tensors);
  EXPECT_EQ(read.metadata, file.metadata);
}

TEST(Safetensors, RoundTripsThroughAFile) {
  const testing::TemporaryFolder folder;
  write_safetensors(folder / "x.safetensors", example());
  EXPECT_EQ(read_safetensors(folder / "x.safetensors").tensors, example().tensors);
}

TEST(Safetensors, WithoutTensorsIsAnEmptyHeader) {
  EXPECT_EQ(to_safetensors({}), file_of("{}      ", ""));
  EXPECT_TRUE(from_safetensors(file_of("{}", ""), "f").tensors.empty());
}

// Written by hand from the description at https://github.com/huggingface/safetensors: the header is
// 131 characters, so 5 spaces make it 136 = 0x88.
TEST(Safetensors, WritesTheBytesOfTheFormat) {
  SafetensorsFile file;
  file.metadata = {{"v", "1"}};
  file.tensors["w"] = Tensor::of<float>({1}, std::array{1.0F});
  file.tensors["b"] = Tensor::of<std::uint8_t>({2}, std::array<std::uint8_t, 2>{7, 255});
  const std::string header = R"({"__metadata__":{"v":"1"},)"
                             R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                             R"("w":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})";
  ASSERT_EQ(header.size(), 131U);
  const std::string golden = std::string("\x88\0\0\0\0\0\0\0", 8) + header + "     " +
                             std::string("\x07\xFF\x00\x00\x80\x3F", 6);
  EXPECT_EQ(to_safetensors(file), to_bytes(golden));
}

TEST(Safetensors, ReadsTensorsInAnyOrderAndWithoutPadding) {
  const Bytes bytes = file_of(R"({"a":{"data_offsets":[2,3],"shape":[1,1],"dtype":"I8"},)"
                              R"("z":{"dtype":"U8","data_offsets":[0,2],"shape":[2]}})",
                              "\x01\x02\xFD");
  const SafetensorsFile file = from_safetensors(bytes, "f");
  EXPECT_EQ(file.tensors.at("z").values<std::uint8_t>()[1], 2);
  EXPECT_EQ(file.tensors.at("a").values<std::int8_t>()[0], -3);
  EXPECT_EQ(file.tensors.at("a").shape(), (std::vector<std::int64_t>{1, 1}));
}

TEST(Safetensors, DoesNotWriteWhatItCouldNotRead) {
  SafetensorsFile reserved;
  reserved.tensors["__metadata__"] = Tensor(DType::u8, {1});
  expect_error(ErrorKind::internal, "a tensor must not be named __metadata__",
               [&] { to_safetensors(reserved); });
  SafetensorsFile not_utf8;
  not_utf8.metadata["k"] = "\xFF";
  expect_error(ErrorKind::internal, "a tensor's name or the metadata is not UTF-8",
               [&] { to_safetensors(not_utf8); });
}

TEST(Safetensors, RefusesAWrongHeaderLength) {
  expect_refused({}, "shorter than 8 bytes");
  expect_refused(Bytes(7), "shorter than 8 bytes");
  expect_refused(to_bytes(std::string("\x03\0\0\0\0\0\0\0{}", 10)),
                 "the header claims 3 bytes of a 10-byte file");
  expect_refused(to_bytes("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}"),
                 "the header claims 18446744073709551615 bytes of a 10-byte file");
  Bytes long_header(8 + 100'000'001);
  const std::uint64_t length = 100'000'001;
  std::memcpy(long_header.data(), &length, 8);
  expect_refused(long_header, "the header claims 100000001 bytes of a 100000009-byte file");
}

TEST(Safetensors, RefusesAHeaderThatIsNotOneObject) {
  const std::string brace = "the header does not begin with '{'";
  expect_refused(file_of("", ""), brace);
  expect_refused(file_of("[]", ""), brace);
  expect_refused(file_of(" {}", ""), brace);
  expect_refused(file_of(std::string("{}\0", 3), ""), "the header contains a NUL character");
  EXPECT_THROW(from_safetensors(file_of("{", ""), "f"), Error);
  EXPECT_THROW(from_safetensors(file_of("{}{}", ""), "f"), Error);
  EXPECT_THROW(from_safetensors(file_of("{\"\xFF\":1}", ""), "f"), Error);
}

TEST(Safetensors, RefusesEntriesOfTheWrongForm) {
  expect_refused(file_of(R"({"a":1})", ""), "'a' is a number, expected an object");
  expect_refused(file_of(R"({"a":null})", ""), "'a' is null, expected an object");
  expect_refused(file_of(R"({"a":[]})", ""), "'a' is a list, expected an object");
  expect_refused(file_with(R"({"dtype":"U8","shape":[1]})", "x"),
                 "tensor 'a' must have dtype, shape and data_offsets");
  expect_refused(file_with(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1})", "x"),
                 "tensor 'a' has the key 'x', expected dtype, shape and data_offsets");
  expect_refused(file_with(R"({"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]})", "x"),
                 "'a' has the key 'dtype' twice");
  expect_refused(file_with(R"({"dtype":{},"shape":[1],"data_offsets":[0,1]})", "x"),
                 "dtype of tensor 'a' is an object, expected a string");
}

TEST(Safetensors, RefusesUnknownTypes) {
  const std::string expected = ", expected U8, I8, I32, I64, F32 or F64";
  expect_refused(file_with(R"({"dtype":"BF16","shape":[1],"data_offsets":[0,2]})", "xx"),
                 "tensor 'a' has dtype 'BF16'" + expected);
  expect_refused(file_with(R"({"dtype":"u8","shape":[1],"data_offsets":[0,1]})", "x"),
                 "tensor 'a' has dtype 'u8'" + expected);
  expect_refused(file_with(R"({"dtype":8,"shape":[1],"data_offsets":[0,1]})", "x"),
                 "dtype of tensor 'a' is a number, expected a string");
}

TEST(Safetensors, RefusesWrongShapes) {
  const auto with_shape = [](const std::string& shape) {
    return file_with(R"({"dtype":"I32","shape":)" + shape + R"(,"data_offsets":[0,4]})", "xxxx");
  };
  EXPECT_NO_THROW(from_safetensors(with_shape("[1,1,1,1,1,1,1,1]"), "f"));
  expect_refused(with_shape("[1,1,1,1,1,1,1,1,1]"), "tensor 'a' has more than 8 axes");
  expect_refused(with_shape("[2]"), "tensor 'a' has 4 bytes, its shape needs 8");
  expect_refused(with_shape("[-1]"),
                 "shape of tensor 'a' contains a negative number, expected whole numbers from 0");
  expect_refused(with_shape("[1.0]"),
                 "shape of tensor 'a' contains a fraction, expected whole numbers from 0");
  expect_refused(with_shape("[true]"),
                 "shape of tensor 'a' contains true or false, expected whole numbers from 0");
  expect_refused(with_shape("[[1]]"),
                 "shape of tensor 'a' contains a list, expected whole numbers from 0");
  expect_refused(with_shape("\"1\""),
                 "shape of tensor 'a' is a string, expected a list of whole numbers");
  expect_refused(with_shape("[2147483648,4294967296]"), "the shape of tensor 'a' overflows");
  expect_refused(with_shape("[9223372036854775808]"), "the shape of tensor 'a' overflows");
  // The last two hide the excess behind a zero.
  expect_refused(with_shape("[4611686018427387904,0]"), "the shape of tensor 'a' overflows");
  expect_refused(with_shape("[0]"), "tensor 'a' has 4 bytes, its shape needs 0");
}

TEST(Safetensors, RefusesWrongOffsets) {
  const auto with_offsets = [](const std::string& offsets) {
    return file_with(R"({"dtype":"U8","shape":[4],"data_offsets":)" + offsets + "}", "xxxx");
  };
  EXPECT_NO_THROW(from_safetensors(with_offsets("[0,4]"), "f"));
  expect_refused(with_offsets("[0]"), "data_offsets of tensor 'a' must be 2 numbers");
  expect_refused(with_offsets("[0,4,4]"), "data_offsets of tensor 'a' must be 2 numbers");
  expect_refused(with_offsets("[4,0]"), "tensor 'a' lies at 4 to 0 of 4 data bytes");
  expect_refused(with_offsets("[1,5]"), "tensor 'a' lies at 1 to 5 of 4 data bytes");
  expect_refused(with_offsets("[18446744073709551615,3]"),
                 "tensor 'a' lies at 18446744073709551615 to 3 of 4 data bytes");
  expect_refused(with_offsets("[0,3]"), "tensor 'a' has 3 bytes, its shape needs 4");
  expect_refused(with_offsets("[-1,3]"),
                 "data_offsets of tensor 'a' contains a negative number, expected whole numbers "
                 "from 0");
}

std::string u8_entry(std::string_view name, int begin, int end) {
  return fmt::format(R"("{}":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}})", name,
                     end - begin, begin, end);
}

TEST(Safetensors, RefusesOverlapsGapsAndBytesOfNoTensor) {
  const auto two = [](int a, int b, int c, int d) {
    return file_of("{" + u8_entry("a", a, b) + "," + u8_entry("b", c, d) + "}", "xxxx");
  };
  EXPECT_NO_THROW(from_safetensors(two(0, 2, 2, 4), "f"));
  EXPECT_NO_THROW(from_safetensors(two(2, 4, 0, 2), "f"));
  EXPECT_NO_THROW(from_safetensors(two(0, 4, 4, 4), "f"));
  expect_refused(two(0, 3, 2, 4), "tensor 'b' begins at 2, expected 3: overlap");
  expect_refused(two(0, 4, 0, 4), "tensor 'b' begins at 0, expected 4: overlap");
  expect_refused(two(0, 1, 2, 4), "tensor 'b' begins at 2, expected 1: gap");
  expect_refused(two(1, 2, 2, 4), "tensor 'a' begins at 1, expected 0: gap");
  expect_refused(two(0, 1, 1, 3), "1 data bytes belong to no tensor");
  expect_refused(file_of("{}", "x"), "1 data bytes belong to no tensor");
}

TEST(Safetensors, RefusesANameTwice) {
  expect_refused(file_of("{" + u8_entry("a", 0, 1) + "," + u8_entry("a", 1, 2) + "}", "xx"),
                 "'a' appears twice");
  expect_refused(file_of(R"({"__metadata__":{},"__metadata__":{}})", ""),
                 "'__metadata__' appears twice");
}

TEST(Safetensors, RefusesMetadataThatIsNotTextToText) {
  expect_refused(file_of(R"({"__metadata__":1})", ""),
                 "'__metadata__' is a number, expected an object");
  expect_refused(file_of(R"({"__metadata__":{"k":1}})", ""),
                 "metadata 'k' is a number, expected a string");
  expect_refused(file_of(R"({"__metadata__":{"k":{}}})", ""),
                 "metadata 'k' is an object, expected a string");
  expect_refused(file_of(R"({"__metadata__":{"k":"1","k":"2"}})", ""),
                 "'__metadata__' has the key 'k' twice");
}

TEST(Safetensors, RefusesEveryTruncation) {
  const Bytes whole = to_safetensors(example());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    try {
      from_safetensors(std::span(whole).first(size), "f");
      ADD_FAILURE() << "accepted the first " << size << " bytes";
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::bad_data);
    }
  }
}

// Flips, overwrites, inserts, removes or repeats bytes; the header's part is hit most often.
Bytes mutated(Bytes bytes, Random& random) {
  for (std::uint64_t i = 1 + random.below(4); i > 0 && !bytes.empty(); --i) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(bytes.size()));
    const auto value = static_cast<std::byte>(random.below(256));
    switch (random.below(6)) {
      case 0:
        bytes[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1U << random.below(8));
        break;
      case 1:
        bytes[static_cast<std::size_t>(at)] = value;
        break;
      case 2:
        bytes[static_cast<std::size_t>(at)] = static_cast<std::byte>('0' + random.below(10));
        break;
      case 3:
        bytes.insert(bytes.begin() + at, value);
        break;
      case 4:
        bytes.erase(bytes.begin() + at);
        break;
      default:
        std::memcpy(bytes.data(), &value, 1);
        break;
    }
  }
  return bytes;
}

TEST(Safetensors, ReadsOrRefusesEveryMutation) {
  const Bytes whole = to_safetensors(example());
  Random random(20260101);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    try {
      const SafetensorsFile file = from_safetensors(mutated(whole, random), "f");
      ++accepted;
      // What is accepted is whole: it can be written and read again.
      ASSERT_EQ(from_safetensors(to_safetensors(file), "f").tensors, file.tensors);
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::bad_data) << error.what();
      ASSERT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
    }
  }
  // Changed values and names are still valid files; without them the test would test nothing.
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 19'900);
}

// The time must not grow with the square of the number of names, nor the memory with the number of
// commas: both were attacks on a reader that keeps JSON as a tree.
TEST(Safetensors, RefusesAHeaderOfManyNamesQuickly) {
  std::string header = "{";
  for (int i = 0; i < 200'000; ++i) header += u8_entry(fmt::format("n{}", i), 0, 0) + ",";
  header.back() = '}';
  const auto begin = std::chrono::steady_clock::now();
  expect_refused(file_of(header, "x"), "1 data bytes belong to no tensor");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace biglittle
