// SPDX-License-Identifier: MIT
#include "cli/toy_data.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/random.h"

namespace biglittle::testing {
namespace {

constexpr int kSide = 8;
constexpr int kClasses = 4;

void append_big_endian(std::string& bytes, int value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((value >> shift) & 0xFF);
  }
}

std::string idx_header(const std::vector<int>& shape) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const int extent : shape) append_big_endian(bytes, extent);
  return bytes;
}

void write(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!stream) throw std::runtime_error("cannot write " + file.string());
}

void write_part(const std::filesystem::path& folder, const std::string& part, int samples,
                std::uint64_t seed) {
  Random random(seed);
  std::string images = idx_header({samples, kSide, kSide});
  std::string labels = idx_header({samples});
  for (int sample = 0; sample < samples; ++sample) {
    const int label = sample % kClasses;
    labels += static_cast<char>(label);
    for (int pixel = 0; pixel < kSide * kSide; ++pixel) {
      const int quadrant = 2 * (pixel / kSide / (kSide / 2)) + pixel % kSide / (kSide / 2);
      const int base = quadrant == label ? 110 : 60;
      images += static_cast<char>(base + static_cast<int>(random.below(90)));
    }
  }
  write(folder / (part + "-images-idx3-ubyte"), images);
  write(folder / (part + "-labels-idx1-ubyte"), labels);
}

}  // namespace

void write_toy_idx(const std::filesystem::path& folder, int train_samples, int test_samples) {
  std::filesystem::create_directories(folder);
  write_part(folder, "train", train_samples, 1);
  write_part(folder, "t10k", test_samples, 2);
}

}  // namespace biglittle::testing
