// SPDX-License-Identifier: MIT
// libFuzzer entry: any bytes give a whole image of the shape that its header states, or one
// Error{bad_data}.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "data/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span content(reinterpret_cast<const std::byte*>(data), size);
  constexpr std::int64_t kEnough = 1 << 22;  // larger ones only cost time
  try {
    const biglittle::Shape shape = biglittle::image_shape(content, "fuzz");
    if (shape.channels != 1 && shape.channels != 3) std::abort();
    if (shape.count() > kEnough) return 0;
    std::vector<std::uint8_t> planes(static_cast<std::size_t>(shape.count()));
    biglittle::decode_image(content, "fuzz", shape, planes);
  } catch (const biglittle::Error& error) {
    if (error.kind() != biglittle::ErrorKind::bad_data) std::abort();
  }
  return 0;
}
