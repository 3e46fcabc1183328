// SPDX-License-Identifier: MIT
// libFuzzer entry: any text sets options that can be written and read again, or is one
// Error{config} of one line.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "core/options.h"
#include "core/sample_options.h"

namespace {

using namespace biglittle;

template <typename Read>
void read_or_refuse(const Read& read) {
  try {
    biglittle::testing::Sample sample;
    read(biglittle::testing::describer(sample));
    biglittle::testing::Sample again;
    read_toml_text(write_toml(biglittle::testing::describer(sample)), "again", "",
                   biglittle::testing::describer(again));
    if (again != sample) std::abort();
  } catch (const Error& error) {
    const bool one_line = std::string_view(error.what()).find('\n') == std::string_view::npos;
    const bool own_text = std::string_view(error.what()).starts_with("again");
    if (error.kind() != ErrorKind::config || !one_line || own_text) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_or_refuse(
      [&](const DescribeOptions& options) { read_toml_text(text, "fuzz", "", options); });
  read_or_refuse([&](const DescribeOptions& options) { apply_assignment(text, options); });
  return 0;
}
