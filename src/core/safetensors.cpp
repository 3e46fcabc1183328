// SPDX-License-Identifier: MIT
#include "core/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/safetensors_header.h"
#include "core/text.h"

namespace biglittle {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they lie in memory");

constexpr std::size_t kPrefixBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr const char* kMetadata = "__metadata__";

// Refuses a tensor that lies outside the data or whose shape does not fill exactly its bytes.
void check_entry(const SafetensorsEntry& entry, std::uint64_t data_bytes, std::string_view name) {
  if (entry.begin > entry.end || entry.end > data_bytes) {
    refuse_safetensors(name, fmt::format("tensor '{}' lies at {} to {} of {} data bytes",
                                         one_line(entry.name), entry.begin, entry.end, data_bytes));
  }
  const std::optional<std::size_t> size = size_bytes(entry.dtype, entry.shape);
  if (!size) {
    refuse_safetensors(name,
                       fmt::format("the shape of tensor '{}' overflows", one_line(entry.name)));
  }
  if (entry.end - entry.begin != *size) {
    refuse_safetensors(name, fmt::format("tensor '{}' has {} bytes, its shape needs {}",
                                         one_line(entry.name), entry.end - entry.begin, *size));
  }
}

// In the order of their bytes, without gap or overlap, up to the end.
void check_coverage(std::vector<SafetensorsEntry>& entries, std::uint64_t data_bytes,
                    std::string_view name) {
  std::ranges::sort(entries, {},
                    [](const SafetensorsEntry& e) { return std::pair(e.begin, e.end); });
  std::uint64_t covered = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != covered) {
      refuse_safetensors(
          name, fmt::format("tensor '{}' begins at {}, expected {}: {}", one_line(entry.name),
                            entry.begin, covered, entry.begin < covered ? "overlap" : "gap"));
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    refuse_safetensors(name,
                       fmt::format("{} data bytes belong to no tensor", data_bytes - covered));
  }
}

std::string header_text(const SafetensorsFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header[kMetadata] = file.metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (name == kMetadata) {
      throw Error(ErrorKind::internal, "a tensor must not be named __metadata__");
    }
    const std::uint64_t end = offset + tensor.bytes().size();
    header[name] = {{"dtype", name_of(tensor.dtype())},
                    {"shape", tensor.shape()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  try {
    return header.dump();
  } catch (const Json::exception&) {
    throw Error(ErrorKind::internal, "a tensor's name or the metadata is not UTF-8");
  }
}

}  // namespace

std::vector<std::byte> to_safetensors(const SafetensorsFile& file) {
  std::string text = header_text(file);
  text.append((kPrefixBytes - text.size() % kPrefixBytes) % kPrefixBytes, ' ');
  const std::uint64_t length = text.size();
  std::uint64_t data_bytes = 0;
  for (const auto& [name, tensor] : file.tensors) data_bytes += tensor.bytes().size();
  std::vector<std::byte> bytes(kPrefixBytes + length + data_bytes);
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
  if (bytes.size() < kPrefixBytes) refuse_safetensors(name, "shorter than 8 bytes");
  std::memcpy(&length, bytes.data(), kPrefixBytes);
  if (length > bytes.size() - kPrefixBytes || length > kMaxHeaderBytes) {
    refuse_safetensors(
        name, fmt::format("the header claims {} bytes of a {}-byte file", length, bytes.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kPrefixBytes, length);
  const std::span<const std::byte> data = bytes.subspan(kPrefixBytes + length);
  SafetensorsHeader header = parse_safetensors_header(text, name);
  for (const SafetensorsEntry& entry : header.entries) check_entry(entry, data.size(), name);
  check_coverage(header.entries, data.size(), name);

  SafetensorsFile file{{}, std::move(header.metadata)};
  for (SafetensorsEntry& entry : header.entries) {
    Tensor tensor(entry.dtype, std::move(entry.shape));
    std::ranges::copy(data.subspan(entry.begin, entry.end - entry.begin), tensor.bytes().begin());
    file.tensors.emplace(std::move(entry.name), std::move(tensor));
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
