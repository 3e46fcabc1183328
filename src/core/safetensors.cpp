// SPDX-License-Identifier: MIT
#include "core/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"

namespace biglittle {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they lie in memory");

constexpr std::size_t kPrefixBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::array kDTypes = {DType::u8,  DType::i8,  DType::i32,
                                DType::i64, DType::f32, DType::f64};

[[noreturn]] void refuse(std::string_view name, const std::string& reason) {
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: not a valid safetensors file: {}", name, reason));
}

// A tensor's entry of the header, before its bytes are looked at.
struct Entry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::uint64_t read_count(const Json& json, const std::string& what, std::string_view name) {
  if (!json.is_number_unsigned()) refuse(name, what + " must be a whole number from 0");
  return json.get<std::uint64_t>();
}

DType read_dtype(const Json& json, const std::string& tensor, std::string_view name) {
  for (const DType dtype : kDTypes) {
    if (json.is_string() && json.get<std::string>() == name_of(dtype)) return dtype;
  }
  refuse(name, fmt::format("tensor '{}' has dtype {}, expected U8, I8, I32, I64, F32 or F64",
                           tensor, json.dump()));
}

// Reads one entry and checks that its shape fills exactly its bytes.
Entry read_entry(const std::string& tensor, const Json& json, std::uint64_t data_bytes,
                 std::string_view name) {
  const bool complete = json.is_object() && json.size() == 3 && json.contains("dtype") &&
                        json.contains("shape") && json.contains("data_offsets");
  if (!complete) {
    refuse(name, fmt::format("tensor '{}' must have dtype, shape and data_offsets", tensor));
  }
  Entry entry{tensor, read_dtype(json["dtype"], tensor, name), {}, 0, 0};
  const Json& shape = json["shape"];
  const Json& offsets = json["data_offsets"];
  if (!shape.is_array() || shape.size() > 8 || !offsets.is_array() || offsets.size() != 2) {
    refuse(name, fmt::format("tensor '{}' needs a shape of at most 8 axes and 2 offsets", tensor));
  }
  std::uint64_t size = size_bytes(entry.dtype);
  for (const Json& axis : shape) {
    const std::uint64_t extent = read_count(axis, "a shape", name);
    const bool overflows = __builtin_mul_overflow(size, extent, &size);
    // Zero extents hide the others from the product, so each is bounded by itself too.
    if (overflows || extent > INT64_MAX / 8) {
      refuse(name, fmt::format("the shape of tensor '{}' overflows", tensor));
    }
    entry.shape.push_back(static_cast<std::int64_t>(extent));
  }
  entry.begin = read_count(offsets[0], "an offset", name);
  entry.end = read_count(offsets[1], "an offset", name);
  if (entry.begin > entry.end || entry.end > data_bytes) {
    refuse(name, fmt::format("tensor '{}' lies at {} to {} of {} data bytes", tensor, entry.begin,
                             entry.end, data_bytes));
  }
  if (entry.end - entry.begin != size) {
    refuse(name, fmt::format("tensor '{}' has {} bytes, its shape needs {}", tensor,
                             entry.end - entry.begin, size));
  }
  return entry;
}

std::map<std::string, std::string> read_metadata(const Json& json, std::string_view name) {
  if (!json.is_object()) refuse(name, "__metadata__ must be an object of strings");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) refuse(name, fmt::format("metadata '{}' must be a string", key));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// In the order of their bytes, without gap or overlap, up to the end.
void check_coverage(std::vector<Entry> entries, std::uint64_t data_bytes, std::string_view name) {
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered) {
      refuse(name, fmt::format("tensor '{}' begins at {}, expected {}: {}", entry.name, entry.begin,
                               covered, entry.begin < covered ? "overlap" : "gap"));
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    refuse(name, fmt::format("{} data bytes belong to no tensor", data_bytes - covered));
  }
}

}  // namespace

std::vector<std::byte> to_safetensors(const SafetensorsFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) {
    Json& metadata = header["__metadata__"] = Json::object();
    for (const auto& [key, value] : file.metadata) metadata[key] = value;
  }
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : file.tensors) {
    const std::uint64_t end = offset + tensor.bytes().size();
    header[name] = {{"dtype", name_of(tensor.dtype())},
                    {"shape", tensor.shape()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((kPrefixBytes - text.size() % kPrefixBytes) % kPrefixBytes, ' ');
  const std::uint64_t length = text.size();
  std::vector<std::byte> bytes(kPrefixBytes + length + offset);
  std::memcpy(bytes.data(), &length, kPrefixBytes);
  std::memcpy(bytes.data() + kPrefixBytes, text.data(), length);
  auto out = bytes.begin() + static_cast<std::ptrdiff_t>(kPrefixBytes + length);
  for (const auto& [name, tensor] : file.tensors) {
    out = std::ranges::copy(tensor.bytes(), out).out;
  }
  return bytes;
}

SafetensorsFile from_safetensors(std::span<const std::byte> bytes, std::string_view name) {
  std::uint64_t length = 0;
  if (bytes.size() < kPrefixBytes) refuse(name, "shorter than 8 bytes");
  std::memcpy(&length, bytes.data(), kPrefixBytes);
  if (length > bytes.size() - kPrefixBytes || length > kMaxHeaderBytes) {
    refuse(name, fmt::format("the header claims {} bytes of a {}-byte file", length, bytes.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kPrefixBytes, length);
  const std::span<const std::byte> data = bytes.subspan(kPrefixBytes + length);
  const Json header = parse_json(text, name);
  if (!header.is_object()) refuse(name, "the header is not an object");

  SafetensorsFile file;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key == "__metadata__") {
      file.metadata = read_metadata(value, name);
    } else {
      entries.push_back(read_entry(key, value, data.size(), name));
    }
  }
  check_coverage(entries, data.size(), name);
  for (const Entry& entry : entries) {
    Tensor tensor(entry.dtype, entry.shape);
    std::ranges::copy(data.subspan(entry.begin, entry.end - entry.begin), tensor.bytes().begin());
    file.tensors.emplace(entry.name, std::move(tensor));
  }
  return file;
}

SafetensorsFile read_safetensors(const std::filesystem::path& file) {
  return from_safetensors(read_bytes(file), file.string());
}

void write_safetensors(const std::filesystem::path& file, const SafetensorsFile& content) {
  write_file(file, to_safetensors(content));
}

}  // namespace biglittle
