// SPDX-License-Identifier: MIT
#include "core/hash.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/error.h"

namespace biglittle {

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorKind::internal, "OpenSSL offers no SHA-256");
  }
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) {
    throw Error(ErrorKind::internal, "OpenSSL's SHA-256 failed");
  }
  return *this;
}

Sha256& Sha256::update(std::string_view text) {
  return update(std::as_bytes(std::span(text.data(), text.size())));
}

std::string Sha256::finish() {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) != 1 ||
      size != digest.size()) {
    throw Error(ErrorKind::internal, "OpenSSL's SHA-256 failed");
  }
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) { return Sha256().update(bytes).finish(); }

std::string sha256_hex(std::string_view text) { return Sha256().update(text).finish(); }

std::string sha256_file(const std::filesystem::path& file) {
  struct Close {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };
  const std::unique_ptr<std::FILE, Close> stream(std::fopen(file.c_str(), "rb"));
  if (!stream) {
    throw Error(ErrorKind::missing_input,
                fmt::format("{}: cannot be opened: {}", file.string(), std::strerror(errno)));
  }
  Sha256 hash;
  std::vector<std::byte> block(std::size_t{1} << 20);
  while (const std::size_t size = std::fread(block.data(), 1, block.size(), stream.get())) {
    hash.update(std::span(block.data(), size));
  }
  if (std::ferror(stream.get()) != 0) {
    throw Error(ErrorKind::io,
                fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno)));
  }
  return hash.finish();
}

}  // namespace biglittle
