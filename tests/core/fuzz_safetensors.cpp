// SPDX-License-Identifier: MIT
// libFuzzer entry: any bytes give tensors that can be written and read again, or one
// Error{bad_data}.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/error.h"
#include "core/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace biglittle;
  try {
    const SafetensorsFile file = from_safetensors(std::as_bytes(std::span(data, size)), "fuzz");
    const SafetensorsFile again = from_safetensors(to_safetensors(file), "again");
    if (again.tensors != file.tensors || again.metadata != file.metadata) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_data) std::abort();
  }
  return 0;
}
