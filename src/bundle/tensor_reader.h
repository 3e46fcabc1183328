// SPDX-License-Identifier: MIT
#pragma once

// Tensors of a bundle's own safetensors files, read strictly: known format, exactly the named
// tensors, each of its type and shape.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/safetensors.h"

namespace biglittle {

/// The metadata that marks a file as of this format and version.
std::map<std::string, std::string> format_metadata(std::string_view format,
                                                   std::string_view version);

/// Refers to `file`, which must outlive it. Every method throws Error{bad_data} that begins with
/// `name`.
class TensorReader {
 public:
  TensorReader(const SafetensorsFile& file, std::string name);

  void require_format(std::string_view format, std::string_view version) const;
  /// No tensor is missing and none is there that nobody asked for.
  void require_tensors(const std::vector<std::string>& names) const;

  bool has(const std::string& key) const { return file_.tensors.contains(key); }
  const Tensor& tensor(const std::string& key) const;

  /// The first extent of a tensor of this rank; `what` names its rows: "1 to 1024 vectors".
  std::int64_t rows(const std::string& key, std::size_t rank, std::int64_t most,
                    std::string_view what) const;

  template <typename T>
  std::vector<T> values(const std::string& key, const std::vector<std::int64_t>& shape) const {
    const Tensor& found = tensor(key);
    if (found.dtype() != dtype_of<T>() || found.shape() != shape) {
      refuse_form(key, found, dtype_of<T>(), shape);
    }
    const std::span<const T> values = found.values<T>();
    return {values.begin(), values.end()};
  }

  [[noreturn]] void refuse(std::string_view reason) const;

 private:
  [[noreturn]] void refuse_form(const std::string& key, const Tensor& found, DType type,
                                const std::vector<std::int64_t>& shape) const;

  const SafetensorsFile& file_;
  std::string name_;
};

}  // namespace biglittle
