// SPDX-License-Identifier: MIT
#include "train/libtorch/nccl_connection.h"

#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAGuard.h>
#include <fmt/core.h>
#include <ifaddrs.h>
#include <nccl.h>
#include <net/if.h>
#include <netdb.h>

#include <any>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "core/error.h"
#include "train/rank_socket.h"

namespace biglittle {
namespace {

static_assert(NCCL_VERSION_CODE >= NCCL_VERSION(2, 14, 0), "connections must not block the host");

using Clock = std::chrono::steady_clock;

/// "10.0.0.1" of a socket's address; "" when it has no such form.
std::string text_of(const sockaddr* address) {
  if (address == nullptr) return "";
  const bool is_ipv4 = address->sa_family == AF_INET;
  if (!is_ipv4 && address->sa_family != AF_INET6) return "";
  std::array<char, NI_MAXHOST> text{};
  const socklen_t length = is_ipv4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  const int failed =
      ::getnameinfo(address, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return failed != 0 ? "" : text.data();
}

/// The network interface that compute.listen means; "" when there is none.
std::string interface_of(const std::string& listen) {
  if (::if_nametoindex(listen.c_str()) != 0) return listen;
  const std::string wanted = listen == "loopback" ? "127.0.0.1" : numeric_address(listen);
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return "";
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, &::freeifaddrs);
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (text_of(each->ifa_addr) == wanted) return each->ifa_name;
  }
  return "";
}

void choose_interface(const ComputeOptions& compute) {
  ::setenv("NCCL_SOCKET_IFNAME", ("=" + interface_of(compute.listen)).c_str(), /*overwrite=*/0);
}

/// Said where a rank is not what is missing.
Error nccl_error(ncclResult_t result) {
  return Error(ErrorKind::io,
               fmt::format("NCCL cannot connect the ranks' GPUs: {}: NCCL_DEBUG=WARN tells more; "
                           "with compute.nccl = false processors sum the gradients",
                           ncclGetErrorString(result)));
}

class NcclConnection final : public RankConnection {
  using Event = std::shared_ptr<at::cuda::CUDAEvent>;

 public:
  NcclConnection(const Ranks& ranks, at::Device device, std::span<const std::byte> id,
                 const ComputeOptions& compute)
      : ranks_(ranks), device_(device), limit_(compute.rank_timeout) {
    choose_interface(compute);
    ncclUniqueId unique;
    std::memcpy(&unique, id.data(), sizeof unique);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;  // a rank that does not come is noticed here
    const c10::cuda::CUDAGuard guard(device_);
    settle(ncclCommInitRankConfig(&communicator_, static_cast<int>(ranks.size), unique,
                                  static_cast<int>(ranks.rank), &config));
  }

  // Nothing is under way any more, or nobody is there to finish it.
  ~NcclConnection() override { abort(); }

  Work exchange(at::Tensor from, std::vector<std::int64_t> outgoing, at::Tensor to,
                std::vector<std::int64_t> incoming) override {
    return begin([&](cudaStream_t stream) {
      const auto* sent = from.data_ptr<float>();
      auto* received = to.data_ptr<float>();
      ncclResult_t result = ncclGroupStart();
      for (std::size_t rank = 0; rank < outgoing.size(); ++rank) {
        const auto peer = static_cast<int>(rank);
        const auto there = static_cast<std::size_t>(outgoing[rank]);
        const auto back = static_cast<std::size_t>(incoming[rank]);
        if (there > 0)
          keep_first(result, ncclSend(sent, there, ncclFloat, peer, communicator_, stream));
        if (back > 0)
          keep_first(result, ncclRecv(received, back, ncclFloat, peer, communicator_, stream));
        sent += there;
        received += back;
      }
      keep_first(result, ncclGroupEnd());
      return result;
    });
  }

  Work gather(at::Tensor mine, at::Tensor all) override {
    return begin([&](cudaStream_t stream) {
      return ncclAllGather(mine.data_ptr<float>(), all.data_ptr<float>(),
                           static_cast<std::size_t>(mine.numel()), ncclFloat, communicator_,
                           stream);
    });
  }

  void wait(const Work& work) override {
    const auto& event = std::any_cast<const Event&>(work);
    for (const auto start = Clock::now(); !event->query(); std::this_thread::yield()) {
      const ncclResult_t now = state();
      if (now != ncclSuccess && now != ncclInProgress) lose(now);
      if (Clock::now() - start > limit_) lose(ncclInProgress);
    }
  }

 private:
  static void keep_first(ncclResult_t& result, ncclResult_t next) {
    if (result == ncclSuccess || result == ncclInProgress) {
      if (next != ncclSuccess) result = next;
    }
  }

  /// Puts work on the device's stream, between the kernels before and those after it.
  template <typename Call>
  Work begin(const Call& call) {
    const c10::cuda::CUDAGuard guard(device_);
    const at::cuda::CUDAStream stream = at::cuda::getCurrentCUDAStream(device_.index());
    settle(call(stream.stream()));
    const auto event = std::make_shared<at::cuda::CUDAEvent>();
    event->record(stream);
    return event;
  }

  ncclResult_t state() const {
    ncclResult_t now = ncclSuccess;
    const ncclResult_t asked = ncclCommGetAsyncError(communicator_, &now);
    return asked == ncclSuccess ? now : asked;
  }

  /// Returns when a call that does not block has done its part on the host.
  void settle(ncclResult_t result) {
    for (const auto start = Clock::now(); result == ncclInProgress; std::this_thread::yield()) {
      if (Clock::now() - start > limit_) lose(ncclInProgress);
      result = state();
    }
    if (result != ncclSuccess) lose(result);
  }

  void abort() noexcept {
    if (communicator_ != nullptr) ncclCommAbort(std::exchange(communicator_, nullptr));
  }

  [[noreturn]] void lose(ncclResult_t result) {
    abort();  // ends kernels that wait for the one that is gone
    const bool is_silent = result == ncclInProgress;
    if (is_silent || result == ncclRemoteError) throw lost_rank(ranks_, is_silent);
    throw nccl_error(result);
  }

  Ranks ranks_;
  at::Device device_;
  std::chrono::seconds limit_;
  ncclComm_t communicator_ = nullptr;
};

}  // namespace

bool has_nccl() { return true; }

std::string nccl_name(const Place& place) {
  if (!place || !place->is_cuda()) return "";
  const auto& uuid = at::cuda::getDeviceProperties(place->index())->uuid;
  return {std::begin(uuid.bytes), std::end(uuid.bytes)};
}

std::vector<std::byte> make_nccl_id(const ComputeOptions& compute) {
  choose_interface(compute);  // the first rank listens from now on
  ncclUniqueId id;
  const ncclResult_t result = ncclGetUniqueId(&id);
  if (result != ncclSuccess) throw nccl_error(result);
  const auto bytes = std::as_bytes(std::span(id.internal));
  return {bytes.begin(), bytes.end()};
}

std::unique_ptr<RankConnection> open_nccl_connection(const Ranks& ranks, at::Device device,
                                                     std::span<const std::byte> id,
                                                     const ComputeOptions& compute) {
  return std::make_unique<NcclConnection>(ranks, device, id, compute);
}

}  // namespace biglittle
