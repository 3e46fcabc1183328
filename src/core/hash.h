// SPDX-License-Identifier: MIT
#pragma once

// SHA-256 through OpenSSL, as lower-case hexadecimal text.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace biglittle {

/// Feeds bytes piece by piece; `finish` gives 64 hexadecimal digits and ends its use.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& update(std::span<const std::byte> bytes);
  Sha256& update(std::string_view text);
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

/// Of a file's content, read in blocks. Throws Error{missing_input} or Error{io}.
std::string sha256_file(const std::filesystem::path& file);

}  // namespace biglittle
