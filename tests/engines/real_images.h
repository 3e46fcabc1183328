// SPDX-License-Identifier: MIT
#pragma once

// Real images, for networks of any input shape.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "data/dataset.h"

namespace biglittle::testing {

/// The first `count` test images of Fashion-MNIST (at most 10,000), [N, 1, 28, 28]; nothing where
/// the Debian package dataset-fashion-mnist is not installed.
std::optional<Samples> fashion_mnist_test(std::int64_t count);

/// Why there is no CIFAR-10 as JPEG files here; empty: it is there. The environment variable
/// BIGLITTLE_CIFAR10_JPEG names its archive, or a folder test/CLASS/*.jpg.
std::string missing_cifar10_jpeg();

/// The first `count` of its test images in the order of their names within a class, the classes in
/// turn, [N, 3, 32, 32]. Throws std::runtime_error for a file that is no such image.
Samples cifar10_jpeg_test(std::int64_t count);

/// As many samples of another shape and type. Channel c of sample i is made of channel c % channels
/// of image i + c / channels; planes are resized to the nearest pixel, a plane of height 1 runs
/// through the image row by row. Floats are byte / 64 - 1.5.
Samples reshaped(const Samples& images, const Shape& shape, SampleType type);

}  // namespace biglittle::testing
