// SPDX-License-Identifier: MIT
#include "train/rank_socket.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "core/error.h"

namespace biglittle {
namespace {

constexpr std::uint32_t kLongestText = 1 << 20;

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// What the resolver knows of a host, as streams; empty when nothing.
Addresses resolve(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) found = nullptr;
  return {found, &::freeaddrinfo};
}

Addresses numeric(const std::string& address, std::int64_t port) {
  return resolve(address, std::to_string(port), AI_NUMERICHOST | AI_NUMERICSERV);
}

bool send_all(int socket, const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t sent = ::send(socket, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    count -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t received = ::recv(socket, bytes, count, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return false;
    bytes += received;
    count -= static_cast<std::size_t>(received);
  }
  return true;
}

/// Calling a free port of one's own machine, a socket may be given that very port and answer
/// itself.
bool calls_itself(const RankSocket& socket) {
  sockaddr_storage here{};
  sockaddr_storage there{};
  socklen_t here_size = sizeof here;
  socklen_t there_size = sizeof there;
  ::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&here), &here_size);
  ::getpeername(socket.descriptor(), reinterpret_cast<sockaddr*>(&there), &there_size);
  return here_size == there_size && std::memcmp(&here, &there, here_size) == 0;
}

}  // namespace

RankSocket::~RankSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

RankSocket::RankSocket(RankSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

RankSocket& RankSocket::operator=(RankSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::string numeric_address(const std::string& host) {
  const Addresses addresses = resolve(host, "0", 0);
  std::array<char, NI_MAXHOST> text{};
  if (!addresses || ::getnameinfo(addresses->ai_addr, addresses->ai_addrlen, text.data(),
                                  text.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    throw Error(ErrorKind::usage,
                fmt::format("MASTER_ADDR is {}, which is no known host or address", host));
  }
  return text.data();
}

bool is_loopback(const std::string& numeric_address) {
  in_addr four{};
  if (::inet_pton(AF_INET, numeric_address.c_str(), &four) == 1) {
    return (ntohl(four.s_addr) >> 24) == 127;
  }
  in6_addr six{};
  return ::inet_pton(AF_INET6, numeric_address.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

RankSocket listen_at(const std::string& numeric_address, std::int64_t port) {
  const Addresses at = numeric(numeric_address, port);
  RankSocket socket(at ? ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1);
  const int yes = 1;
  if (socket &&
      ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
      ::bind(socket.descriptor(), at->ai_addr, at->ai_addrlen) == 0 &&
      ::listen(socket.descriptor(), SOMAXCONN) == 0) {
    return socket;
  }
  throw Error(ErrorKind::io,
              fmt::format("rank 0 cannot listen at {} port {}: {}; MASTER_ADDR must be an address "
                          "of its machine and MASTER_PORT a free port",
                          numeric_address, port, std::strerror(errno)));
}

RankSocket accept_caller(const RankSocket& listener, std::chrono::milliseconds wait) {
  pollfd waiting{listener.descriptor(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(wait.count())) <= 0) return RankSocket();
  return RankSocket(::accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
}

RankSocket call(const std::string& numeric_address, std::int64_t port) {
  const Addresses at = numeric(numeric_address, port);
  RankSocket socket(at ? ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1);
  if (!socket) return RankSocket();
  limit_waiting(socket, std::chrono::seconds(2));  // a machine that is off does not refuse
  if (::connect(socket.descriptor(), at->ai_addr, at->ai_addrlen) != 0 || calls_itself(socket)) {
    return RankSocket();
  }
  return socket;
}

void limit_waiting(const RankSocket& socket, std::chrono::milliseconds limit) {
  timeval time{};
  time.tv_sec = limit.count() / 1000;
  time.tv_usec = limit.count() % 1000 * 1000;
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

bool send_text(const RankSocket& socket, std::string_view text) {
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(text.size()));
  std::string message(sizeof length, '\0');
  std::memcpy(message.data(), &length, sizeof length);
  message += text;
  return send_all(socket.descriptor(), message.data(), message.size());
}

std::optional<std::string> receive_text(const RankSocket& socket) {
  std::uint32_t length = 0;
  if (!receive_all(socket.descriptor(), reinterpret_cast<char*>(&length), sizeof length)) {
    return std::nullopt;
  }
  length = ntohl(length);
  if (length >= kLongestText) return std::nullopt;
  std::string text(length, '\0');
  if (!receive_all(socket.descriptor(), text.data(), text.size())) return std::nullopt;
  return text;
}

}  // namespace biglittle
