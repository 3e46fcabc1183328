// SPDX-License-Identifier: MIT
#include "bundle/tensor_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

constexpr const char* kFormatKey = "format";
constexpr const char* kVersionKey = "format_version";

std::string value_of(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? std::string() : found->second;
}

}  // namespace

std::map<std::string, std::string> format_metadata(std::string_view format,
                                                   std::string_view version) {
  return {{kFormatKey, std::string(format)}, {kVersionKey, std::string(version)}};
}

TensorReader::TensorReader(const SafetensorsFile& file, std::string name)
    : file_(file), name_(std::move(name)) {}

void TensorReader::require_format(std::string_view format, std::string_view version) const {
  if (value_of(file_, kFormatKey) != format) refuse(fmt::format("is not a '{}' file", format));
  const std::string found = value_of(file_, kVersionKey);
  if (found != version) {
    refuse(fmt::format("format version '{}' is not {}, the one this program reads", one_line(found),
                       version));
  }
}

void TensorReader::require_tensors(const std::vector<std::string>& names) const {
  for (const std::string& name : names) tensor(name);
  for (const auto& [key, tensor] : file_.tensors) {
    if (std::ranges::find(names, key) == names.end()) {
      refuse(fmt::format("has a tensor '{}', which no such file has", one_line(key)));
    }
  }
}

const Tensor& TensorReader::tensor(const std::string& key) const {
  const auto found = file_.tensors.find(key);
  if (found == file_.tensors.end()) refuse(fmt::format("has no tensor '{}'", key));
  return found->second;
}

std::int64_t TensorReader::rows(const std::string& key, std::size_t rank, std::int64_t most,
                                std::string_view what) const {
  const std::vector<std::int64_t>& shape = tensor(key).shape();
  if (shape.size() != rank || shape[0] < 1 || shape[0] > most) {
    refuse(fmt::format("'{}' has shape [{}], expected {} extent(s), 1 to {} {}", key,
                       fmt::join(shape, ", "), rank, most, what));
  }
  return shape[0];
}

void TensorReader::refuse(std::string_view reason) const {
  throw Error(ErrorKind::bad_data, fmt::format("{}: {}", name_, reason));
}

void TensorReader::refuse_form(const std::string& key, const Tensor& found, DType type,
                               const std::vector<std::int64_t>& shape) const {
  refuse(fmt::format("tensor '{}' is {} [{}], expected {} [{}]", key, name_of(found.dtype()),
                     fmt::join(found.shape(), ", "), name_of(type), fmt::join(shape, ", ")));
}

}  // namespace biglittle
