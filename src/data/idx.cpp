// SPDX-License-Identifier: MIT
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "data/import.h"

namespace biglittle {
namespace {

constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kMaxValues = std::size_t{1} << 34;
constexpr std::uint8_t kUnsignedByte = 0x08;
/// Deflate cannot do better: 258 bytes for one bit of length and one of distance code.
constexpr std::size_t kMaxDeflateRatio = 1032;

[[noreturn]] void refuse(std::string_view name, const std::string& message) {
  throw Error(ErrorKind::bad_data, std::string(name) + ": " + message);
}

/// Gives bytes one piece after the other, from plain or gzipped content.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Fills `out` as far as there is content; the number of bytes given.
  virtual std::size_t read(std::span<std::uint8_t> out) = 0;
  /// An upper bound on the bytes that the whole content can give.
  virtual std::size_t bound() const = 0;
};

class PlainStream : public ByteStream {
 public:
  explicit PlainStream(std::span<const std::byte> content) : content_(content) {}

  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t size = std::min(out.size(), content_.size() - position_);
    const auto* first = reinterpret_cast<const std::uint8_t*>(content_.data()) + position_;
    std::copy_n(first, size, out.data());
    position_ += size;
    return size;
  }
  std::size_t bound() const override { return content_.size(); }

 private:
  std::span<const std::byte> content_;
  std::size_t position_ = 0;
};

/// One gzip member through zlib, which checks its CRC.
class GzipStream : public ByteStream {
 public:
  GzipStream(std::span<const std::byte> content, std::string_view name)
      : content_(content), name_(name) {
    constexpr int kGzipWrapper = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipWrapper) != Z_OK) {
      throw Error(ErrorKind::internal, std::string(name) + ": zlib cannot be initialized");
    }
  }
  ~GzipStream() override { inflateEnd(&stream_); }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  std::size_t read(std::span<std::uint8_t> out) override {
    std::size_t done = 0;
    while (done < out.size() && !ended_) {
      const auto piece = limited(out.size() - done);
      stream_.next_out = out.data() + done;
      stream_.avail_out = piece;
      inflate_some();
      done += piece - stream_.avail_out;
    }
    return done;
  }

  std::size_t bound() const override {
    if (content_.size() > std::numeric_limits<std::size_t>::max() / kMaxDeflateRatio) {
      return std::numeric_limits<std::size_t>::max();
    }
    return content_.size() * kMaxDeflateRatio;
  }

 private:
  static uInt limited(std::size_t size) {
    return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
  }

  void inflate_some() {
    const auto* first = reinterpret_cast<const Bytef*>(content_.data()) + position_;
    const uInt available = limited(content_.size() - position_);
    stream_.next_in = const_cast<Bytef*>(first);  // zlib reads only; its type predates const
    stream_.avail_in = available;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    position_ += available - stream_.avail_in;
    if (code == Z_STREAM_END) {
      ended_ = true;
      if (position_ != content_.size()) {
        refuse(name_, std::to_string(content_.size() - position_) +
                          " bytes after the gzip data, expected none; fetch the file again");
      }
    } else if (code == Z_BUF_ERROR) {
      refuse(name_, "gzip data ends after " + std::to_string(content_.size()) +
                        " bytes in the middle, expected its end mark; fetch the file again");
    } else if (code != Z_OK) {
      refuse(name_, "damaged gzip data near byte " + std::to_string(position_) +
                        ", expected a gzip stream; fetch the file again");
    }
  }

  std::span<const std::byte> content_;
  std::string_view name_;
  z_stream stream_{};
  std::size_t position_ = 0;
  bool ended_ = false;
};

std::unique_ptr<ByteStream> open_stream(std::span<const std::byte> content, std::string_view name) {
  if (content.size() >= 2 && content[0] == std::byte{0x1f} && content[1] == std::byte{0x8b}) {
    return std::make_unique<GzipStream>(content, name);
  }
  return std::make_unique<PlainStream>(content);
}

/// Two zero bytes, the element type, the rank.
std::size_t read_rank(ByteStream& stream, std::string_view name) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t size = stream.read(magic);
  if (size < magic.size()) {
    refuse(name, std::to_string(size) +
                     " bytes, expected at least the 4 of the IDX header; fetch the file again");
  }
  if (magic[0] != 0 || magic[1] != 0) {
    refuse(name, "begins with bytes " + std::to_string(magic[0]) + " and " +
                     std::to_string(magic[1]) +
                     ", expected 0 and 0 as in an IDX file; give the IDX file itself");
  }
  if (magic[2] != kUnsignedByte) {
    refuse(name, "IDX element type " + std::to_string(magic[2]) +
                     ", expected 8 (unsigned bytes); convert the file");
  }
  if (magic[3] == 0 || magic[3] > kMaxRank) {
    refuse(name, "IDX rank " + std::to_string(magic[3]) + ", expected 1 to " +
                     std::to_string(kMaxRank) + "; convert the file");
  }
  return magic[3];
}

/// Big-endian 32-bit sizes; their product is checked as it grows.
std::vector<std::int64_t> read_shape(ByteStream& stream, std::size_t rank, std::string_view name) {
  std::vector<std::int64_t> shape;
  std::size_t product = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::array<std::uint8_t, 4> bytes{};
    if (stream.read(bytes) < bytes.size()) {
      refuse(name, "ends within the IDX header, expected " + std::to_string(rank) +
                       " sizes of 4 bytes; fetch the file again");
    }
    std::size_t size = 0;
    for (const std::uint8_t byte : bytes) size = size << 8 | byte;
    if (size == 0 || size > kMaxValues / product) {
      refuse(name, "IDX size " + std::to_string(size) + " on axis " + std::to_string(axis) +
                       ", expected sizes of at least 1 and at most " + std::to_string(kMaxValues) +
                       " values in all; fetch the file again");
    }
    product *= size;
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

[[noreturn]] void refuse_length(std::string_view name, const std::string& found,
                                std::size_t expected) {
  refuse(name, found + " values after the IDX header, expected " + std::to_string(expected) +
                   " as its sizes say; fetch the file again");
}

}  // namespace

IdxArray parse_idx(std::span<const std::byte> content, std::string_view name) {
  const std::unique_ptr<ByteStream> stream = open_stream(content, name);
  IdxArray array;
  array.shape = read_shape(*stream, read_rank(*stream, name), name);
  std::size_t count = 1;
  for (const std::int64_t size : array.shape) count *= static_cast<std::size_t>(size);
  if (count > stream->bound()) {
    refuse_length(name, "at most " + std::to_string(stream->bound()), count);
  }
  array.values.resize(count);
  const std::size_t read = stream->read(array.values);
  if (read < count) refuse_length(name, std::to_string(read), count);
  // One byte more is asked for: it must not come, and asking makes zlib check the CRC.
  std::array<std::uint8_t, 1> extra{};
  if (stream->read(extra) != 0) refuse_length(name, "more than " + std::to_string(count), count);
  return array;
}

IdxArray read_idx(const std::filesystem::path& file) {
  return parse_idx(read_bytes(file), file.string());
}

}  // namespace biglittle
