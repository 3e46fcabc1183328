// SPDX-License-Identifier: MIT
#include "core/tensor.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace biglittle {
namespace {

std::size_t checked_size_bytes(DType dtype, std::span<const std::int64_t> shape) {
  const std::optional<std::size_t> size = size_bytes(dtype, shape);
  if (!size) throw Error(ErrorKind::internal, "a tensor's shape is negative or too large");
  return *size;
}

}  // namespace

std::size_t size_bytes(DType dtype) {
  switch (dtype) {
    case DType::u8:
    case DType::i8:
      return 1;
    case DType::i32:
    case DType::f32:
      return 4;
    case DType::i64:
    case DType::f64:
      return 8;
  }
  throw Error(ErrorKind::internal, "unknown element type");
}

std::optional<std::size_t> size_bytes(DType dtype, std::span<const std::int64_t> shape) {
  auto size = static_cast<std::int64_t>(size_bytes(dtype));
  for (const std::int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(size, extent, &size)) return std::nullopt;
  }
  return static_cast<std::size_t>(size);
}

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::u8:
      return "U8";
    case DType::i8:
      return "I8";
    case DType::i32:
      return "I32";
    case DType::i64:
      return "I64";
    case DType::f32:
      return "F32";
    case DType::f64:
      return "F64";
  }
  throw Error(ErrorKind::internal, "unknown element type");
}

Tensor::Tensor(DType dtype, std::vector<std::int64_t> shape)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(checked_size_bytes(dtype_, shape_)) {}

std::int64_t Tensor::count() const {
  return static_cast<std::int64_t>(bytes_.size() / size_bytes(dtype_));
}

void Tensor::require(DType dtype) const {
  if (dtype == dtype_) return;
  throw Error(ErrorKind::internal,
              fmt::format("a tensor of {} was read as {}", name_of(dtype_), name_of(dtype)));
}

void Tensor::assign(std::span<const std::byte> bytes) {
  if (bytes.size() != bytes_.size()) {
    throw Error(ErrorKind::internal, fmt::format("a tensor of {} bytes was given {} bytes",
                                                 bytes_.size(), bytes.size()));
  }
  std::ranges::copy(bytes, bytes_.begin());
}

}  // namespace biglittle
