// SPDX-License-Identifier: MIT
#include "train/libtorch/rank_connection.h"

#include <ATen/ATen.h>
#include <fmt/core.h>

#include <string>
#include <utility>

#include "train/libtorch/rendezvous.h"
#include "train/rank_socket.h"

#ifdef USE_C10D_GLOO
#include <net/if.h>
#include <signal.h>

#include <chrono>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif

namespace biglittle {

Error lost_rank(const Ranks& ranks, bool is_silent) {
  return Error(ErrorKind::io,
               fmt::format("rank {} of {} lost another rank, which {}: look for its message; with "
                           "--resume all go on after the last state that was saved",
                           ranks.rank, ranks.size,
                           is_silent ? "did not answer within compute.rank_timeout" : "has ended"));
}

#ifdef USE_C10D_GLOO
namespace {

constexpr std::string_view kLoopback = "loopback";

/// The address that `ranks` meet at, in numbers; one that other machines reach only when asked for.
std::string meeting_address(const Ranks& ranks, const ComputeOptions& compute) {
  std::string address = numeric_address(ranks.master_address);
  if (compute.listen != kLoopback || is_loopback(address)) return address;
  throw Error(
      ErrorKind::usage,
      fmt::format("MASTER_ADDR is {}, and training listens on this machine's loopback only: "
                  "set compute.listen to the network interface that connects the machines",
                  ranks.master_address));
}

std::shared_ptr<::gloo::transport::Device> device_of(const std::string& listen) {
  try {
    if (listen == kLoopback) return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
    if (::if_nametoindex(listen.c_str()) != 0) {
      return c10d::ProcessGroupGloo::createDeviceForInterface(listen);
    }
    // An empty name would mean every address.
    if (!listen.empty()) return c10d::ProcessGroupGloo::createDeviceForHostname(listen);
  } catch (const std::exception&) {
    // Gloo's words name its own source.
  }
  throw Error(
      ErrorKind::config,
      fmt::format("compute.listen is '{}', which is no network interface or address of this "
                  "machine: take one that 'ip address' shows, or \"loopback\"",
                  listen));
}

/// Threads made while it lives never get SIGPIPE: a rank that is gone is an error of a write.
class NoPipeSignals {
 public:
  NoPipeSignals() {
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, &before_);
  }
  ~NoPipeSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoPipeSignals(const NoPipeSignals&) = delete;
  NoPipeSignals& operator=(const NoPipeSignals&) = delete;

 private:
  sigset_t before_;
};

/// Turns what c10d and Gloo throw into one line of ours.
template <typename Action>
auto translated(const Ranks& ranks, const Action& action) {
  try {
    return action();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw lost_rank(ranks,
                    std::string_view(error.what()).find("imed out") != std::string_view::npos);
  }
}

class GlooConnection final : public HostConnection {
  using Begun = c10::intrusive_ptr<c10d::Work>;

 public:
  GlooConnection(const Ranks& ranks, const ComputeOptions& compute) : ranks_(ranks) {
    const std::string address = meeting_address(ranks, compute);
    const auto limit = std::chrono::seconds(compute.rank_timeout);
    translated(ranks_, [&] {
      const NoPipeSignals quiet;
      const auto options = c10d::ProcessGroupGloo::Options::create(limit);
      options->devices.push_back(device_of(compute.listen));
      const Rendezvous rendezvous(ranks, address, limit);
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
          rendezvous.store(), static_cast<int>(ranks.rank), static_cast<int>(ranks.size), options);
      group_->barrier()->wait();  // nobody needs the rendezvous any more
    });
  }

  Work exchange(at::Tensor from, std::vector<std::int64_t> outgoing, at::Tensor to,
                std::vector<std::int64_t> incoming) override {
    return translated(ranks_, [&] { return group_->alltoall_base(to, from, incoming, outgoing); });
  }

  Work gather(at::Tensor mine, at::Tensor all) override {
    std::vector<std::vector<at::Tensor>> outputs = {all.unbind(0)};
    std::vector<at::Tensor> inputs = {std::move(mine)};
    return translated(ranks_, [&] { return group_->allgather(outputs, inputs); });
  }

  Work broadcast(at::Tensor values) override {
    std::vector<at::Tensor> tensors = {std::move(values)};
    return translated(ranks_, [&] { return group_->broadcast(tensors); });
  }

  void wait(const Work& work) override {
    translated(ranks_, [&] { std::any_cast<const Begun&>(work)->wait(); });
  }

  void barrier() noexcept override {
    try {
      group_->barrier()->wait();
    } catch (const std::exception&) {
      // Whoever has left had all it needed.
    }
  }

 private:
  Ranks ranks_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

std::shared_ptr<HostConnection> open_host_connection(const Ranks& ranks,
                                                     const ComputeOptions& compute) {
  return std::make_shared<GlooConnection>(ranks, compute);
}

bool has_gloo() { return true; }

#else

std::shared_ptr<HostConnection> open_host_connection(const Ranks&, const ComputeOptions&) {
  throw Error(ErrorKind::missing_input,
              "training in several processes needs Gloo, which this program was built without: "
              "install libgloo-dev and build again");
}

bool has_gloo() { return false; }

#endif

}  // namespace biglittle
