// SPDX-License-Identifier: MIT
#pragma once

// A named block of numbers as files hold it: type, shape and bytes in C order. It is a value for
// storing and passing, not for arithmetic; the engine and the interpreters have their own forms.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

/// Element types that checkpoints and int8 models contain.
enum class DType { u8, i8, i32, i64, f32, f64 };

/// Bytes of one element.
std::size_t size_bytes(DType dtype);

/// Bytes of a tensor, or nothing when an extent is negative or the product is above 2^63 - 1.
std::optional<std::size_t> size_bytes(DType dtype, std::span<const std::int64_t> shape);

/// The safetensors spelling, e.g. "F32".
std::string_view name_of(DType dtype);

/// The DType that the C++ type T is stored as.
template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::i8;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}

/// Type, shape and bytes; the number of bytes always equals the product of the shape times the
/// element size.
class Tensor {
 public:
  Tensor() = default;

  /// A zero-filled tensor. Throws Error{internal} for a negative or overflowing shape.
  Tensor(DType dtype, std::vector<std::int64_t> shape);

  /// A tensor of `values`; throws Error{internal} when the shape does not hold that many.
  template <typename T>
  static Tensor of(std::vector<std::int64_t> shape, std::span<const T> values) {
    Tensor tensor(dtype_of<T>(), std::move(shape));
    tensor.assign(std::as_bytes(values));
    return tensor;
  }

  DType dtype() const { return dtype_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t count() const;

  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<std::byte> bytes() { return bytes_; }

  /// The elements as T; throws Error{internal} when T is not the stored type.
  template <typename T>
  std::span<const T> values() const {
    require(dtype_of<T>());
    return {reinterpret_cast<const T*>(bytes_.data()), static_cast<std::size_t>(count())};
  }
  template <typename T>
  std::span<T> values() {
    require(dtype_of<T>());
    return {reinterpret_cast<T*>(bytes_.data()), static_cast<std::size_t>(count())};
  }

  bool operator==(const Tensor&) const = default;

 private:
  void require(DType dtype) const;
  void assign(std::span<const std::byte> bytes);

  DType dtype_ = DType::f32;
  std::vector<std::int64_t> shape_{0};
  std::vector<std::byte> bytes_;
};

/// Tensors by name. Ordered, so that every file written from it has the same bytes.
using TensorMap = std::map<std::string, Tensor>;

}  // namespace biglittle
