// SPDX-License-Identifier: MIT
#include "core/tensor.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/error.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(DType, HasSizeAndSafetensorsName) {
  EXPECT_EQ(size_bytes(DType::u8), 1U);
  EXPECT_EQ(size_bytes(DType::i8), 1U);
  EXPECT_EQ(size_bytes(DType::i32), 4U);
  EXPECT_EQ(size_bytes(DType::i64), 8U);
  EXPECT_EQ(size_bytes(DType::f32), 4U);
  EXPECT_EQ(size_bytes(DType::f64), 8U);
  EXPECT_EQ(name_of(DType::u8), "U8");
  EXPECT_EQ(name_of(DType::i8), "I8");
  EXPECT_EQ(name_of(DType::i32), "I32");
  EXPECT_EQ(name_of(DType::i64), "I64");
  EXPECT_EQ(name_of(DType::f32), "F32");
  EXPECT_EQ(name_of(DType::f64), "F64");
}

TEST(Tensor, IsZeroFilled) {
  const Tensor tensor(DType::i32, {2, 3});
  EXPECT_EQ(tensor.count(), 6);
  EXPECT_EQ(tensor.bytes().size(), 24U);
  for (const std::int32_t value : tensor.values<std::int32_t>()) EXPECT_EQ(value, 0);
}

TEST(Tensor, WithoutAxesHoldsOneElement) { EXPECT_EQ(Tensor(DType::f32, {}).count(), 1); }

TEST(Tensor, ByDefaultHoldsNothing) {
  EXPECT_EQ(Tensor().count(), 0);
  EXPECT_EQ(Tensor(), Tensor(DType::f32, {0}));
}

TEST(Tensor, KeepsValues) {
  const std::array<float, 2> values = {1.5F, -2.0F};
  Tensor tensor = Tensor::of<float>({1, 2}, values);
  EXPECT_EQ(tensor.values<float>()[1], -2.0F);
  tensor.values<float>()[1] = 3.0F;
  EXPECT_EQ(std::as_const(tensor).values<float>()[1], 3.0F);
}

TEST(Tensor, ComparesTypeShapeAndBytes) {
  EXPECT_EQ(Tensor(DType::u8, {4}), Tensor(DType::u8, {4}));
  EXPECT_NE(Tensor(DType::u8, {4}), Tensor(DType::i8, {4}));
  EXPECT_NE(Tensor(DType::u8, {4}), Tensor(DType::u8, {2, 2}));
}

TEST(Tensor, IsReadOnlyAsItsOwnType) {
  const Tensor tensor(DType::f32, {2});
  expect_error(ErrorKind::internal, "a tensor of F32 was read as I32",
               [&] { (void)tensor.values<std::int32_t>(); });
}

TEST(Tensor, RefusesAnotherNumberOfValues) {
  const std::array<std::int8_t, 3> values{};
  expect_error(ErrorKind::internal, "a tensor of 4 bytes was given 3 bytes",
               [&] { Tensor::of<std::int8_t>({4}, values); });
}

TEST(Tensor, RefusesANegativeOrOverflowingShape) {
  const auto refused = "a tensor's shape is negative or too large";
  expect_error(ErrorKind::internal, refused, [] { Tensor(DType::u8, {2, -1}); });
  expect_error(ErrorKind::internal, refused, [] { Tensor(DType::u8, {kMost, 2}); });
  expect_error(ErrorKind::internal, refused, [] { Tensor(DType::i64, {kMost / 8 + 1}); });
}

TEST(SizeBytes, OfAShapeIsCheckedOnBothSidesOfTheLimit) {
  EXPECT_EQ(size_bytes(DType::u8, std::vector<std::int64_t>{kMost}), kMost);
  EXPECT_EQ(size_bytes(DType::i32, std::vector<std::int64_t>{kMost}), std::nullopt);
  EXPECT_EQ(size_bytes(DType::u8, std::vector<std::int64_t>{kMost, 2, 0}), std::nullopt);
  EXPECT_EQ(size_bytes(DType::u8, std::vector<std::int64_t>{0, kMost, kMost}), 0U);
  EXPECT_EQ(size_bytes(DType::u8, std::vector<std::int64_t>{0, -1}), std::nullopt);
}

}  // namespace
}  // namespace biglittle
