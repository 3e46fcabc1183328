// SPDX-License-Identifier: MIT
#include "engines/real_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "core/files.h"
#include "data/image.h"
#include "data/import.h"
#include "testing/device_program_runner.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

constexpr const char* kFashionMnist = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
constexpr const char* kCifarVariable = "BIGLITTLE_CIFAR10_JPEG";
constexpr std::int64_t kSide = 32;

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Appends an image plane by plane.
void append_image(std::vector<std::uint8_t>& planes, const std::filesystem::path& file) {
  const std::vector<std::byte> content = read_bytes(file);
  const Shape shape = image_shape(content, file.string());
  if (shape != Shape{3, kSide, kSide}) {
    throw std::runtime_error(file.string() + ": not a colour image of 32x32 pixels");
  }
  const std::size_t before = planes.size();
  planes.resize(before + index(shape.count()));
  decode_image(content, file.string(), shape, std::span(planes).subspan(before));
}

using Paths = std::vector<std::filesystem::path>;

Paths sorted_entries(const std::filesystem::path& folder) {
  Paths paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

Samples read_cifar(const std::filesystem::path& test, std::int64_t count) {
  std::vector<Paths> classes;
  for (const auto& folder : sorted_entries(test)) classes.push_back(sorted_entries(folder));
  std::vector<std::uint8_t> planes;
  Samples samples{{3, kSide, kSide}, {}};
  for (std::int64_t i = 0; i < count; ++i) {
    const Paths& files = classes.at(index(i) % classes.size());
    if (index(i) / classes.size() >= files.size()) break;
    append_image(planes, files[index(i) / classes.size()]);
  }
  samples.values = std::move(planes);
  return samples;
}

std::uint8_t pixel(const Samples& images, std::int64_t image, std::int64_t channel, double y,
                   double x) {
  const Shape& shape = images.shape;
  const auto row = static_cast<std::int64_t>(y * static_cast<double>(shape.height));
  const auto column = static_cast<std::int64_t>(x * static_cast<double>(shape.width));
  return images.bytes()[index(
      ((image * shape.channels + channel) * shape.height + row) * shape.width + column)];
}

}  // namespace

std::optional<Samples> fashion_mnist_test(std::int64_t count) {
  if (!std::filesystem::exists(kFashionMnist)) return std::nullopt;
  IdxArray images = read_idx(kFashionMnist);
  Samples samples{{1, images.shape.at(1), images.shape.at(2)}, {}};
  images.values.resize(index(std::min(count, images.shape.at(0)) * samples.shape.count()));
  samples.values = std::move(images.values);
  return samples;
}

std::string missing_cifar10_jpeg() {
  const char* path = std::getenv(kCifarVariable);
  if (path == nullptr) return fmt::format("{} is not set", kCifarVariable);
  if (!std::filesystem::exists(path)) return fmt::format("{} does not exist", path);
  return "";
}

Samples cifar10_jpeg_test(std::int64_t count) {
  const std::filesystem::path path = std::getenv(kCifarVariable);
  if (std::filesystem::is_directory(path)) return read_cifar(path / "test", count);
  const TemporaryFolder folder;
  const CommandResult result = run_command(fmt::format("tar -xzf '{}' -C '{}' cifar10-jpeg/test",
                                                       path.string(), folder.path().string()));
  if (result.exit_code != 0) throw std::runtime_error(path.string() + ": " + result.output);
  return read_cifar(folder / "cifar10-jpeg" / "test", count);
}

Samples reshaped(const Samples& images, const Shape& shape, SampleType type) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(index(images.count() * shape.count()));
  const auto along = [](std::int64_t place, std::int64_t size) {
    return static_cast<double>(place) / static_cast<double>(size);
  };
  for (std::int64_t i = 0; i < images.count(); ++i) {
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const std::int64_t image = (i + c / images.shape.channels) % images.count();
      for (std::int64_t place = 0; place < shape.height * shape.width; ++place) {
        double y = along(place / shape.width, shape.height);
        double x = along(place % shape.width, shape.width);
        if (shape.height == 1) {
          const double rows = x * static_cast<double>(images.shape.height);
          y = x;
          x = rows - static_cast<double>(static_cast<std::int64_t>(rows));
        }
        bytes.push_back(pixel(images, image, c % images.shape.channels, y, x));
      }
    }
  }
  if (type == SampleType::u8) return {shape, std::move(bytes)};
  std::vector<float> floats;
  floats.reserve(bytes.size());
  for (const std::uint8_t byte : bytes) floats.push_back(static_cast<float>(byte) / 64.0f - 1.5f);
  return {shape, std::move(floats)};
}

}  // namespace biglittle::testing
