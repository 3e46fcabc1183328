// SPDX-License-Identifier: MIT
// libFuzzer entry: any bytes give a whole IDX array or one Error{bad_data}.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "data/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const biglittle::IdxArray array =
        biglittle::parse_idx({reinterpret_cast<const std::byte*>(data), size}, "fuzz");
    std::size_t count = 1;
    for (const std::int64_t axis : array.shape) count *= static_cast<std::size_t>(axis);
    if (count != array.values.size()) std::abort();
  } catch (const biglittle::Error& error) {
    if (error.kind() != biglittle::ErrorKind::bad_data) std::abort();
  }
  return 0;
}
