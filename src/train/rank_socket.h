// SPDX-License-Identifier: MIT
#pragma once

// The few things of TCP that ranks need to find each other: texts over connections that are opened
// at one stated address and at no other.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace biglittle {

/// A socket, closed at the end of its life.
class RankSocket {
 public:
  explicit RankSocket(int descriptor = -1) : descriptor_(descriptor) {}
  ~RankSocket();
  RankSocket(RankSocket&& other) noexcept;
  RankSocket& operator=(RankSocket&& other) noexcept;

  int descriptor() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

/// The numeric form of a host's first address. Throws Error{usage} when there is none.
std::string numeric_address(const std::string& host);

/// True for 127.0.0.0/8 and ::1, which other machines cannot reach.
bool is_loopback(const std::string& numeric_address);

/// Listens at this address alone. Throws Error{io}, saying that `MASTER_ADDR` must be this
/// machine's and the port free.
RankSocket listen_at(const std::string& numeric_address, std::int64_t port);

/// The next caller, or an empty socket when none came within `wait`.
RankSocket accept_caller(const RankSocket& listener, std::chrono::milliseconds wait);

/// One attempt; an empty socket when nobody listens.
RankSocket call(const std::string& numeric_address, std::int64_t port);

/// How long one send or receive may take.
void limit_waiting(const RankSocket& socket, std::chrono::milliseconds limit);

/// Sends a text of less than 1 MiB; false when the other side is gone.
bool send_text(const RankSocket& socket, std::string_view text);

/// Nothing when the other side is gone, late, or sends what is no text of this kind.
std::optional<std::string> receive_text(const RankSocket& socket);

}  // namespace biglittle
