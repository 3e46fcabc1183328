// SPDX-License-Identifier: MIT
#include "train/libtorch/rendezvous.h"

#include <fmt/format.h>
#include <poll.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <utility>
#include <vector>

#include "core/error.h"
#include "train/rank_socket.h"

namespace biglittle {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view kRemedy = ": start each with the same MASTER_ADDR and MASTER_PORT";
constexpr std::string_view kGreeting = "biglittle ranks 1";
constexpr milliseconds kTick{20};
constexpr milliseconds kPatience{2000};  // with one text of a caller that has begun to talk

milliseconds until(Clock::time_point end) {
  return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(end - Clock::now()));
}

Error lost_rank_0() {
  return Error(ErrorKind::io,
               "rank 0 ended while the ranks were finding each other: its own message "
               "says why");
}

/// Rank 0's store as another rank sees it. A request is three texts, its answer one.
class RemoteStore : public c10d::Store {
 public:
  RemoteStore(RankSocket socket, milliseconds limit)
      : c10d::Store(limit), socket_(std::move(socket)) {}

  void set(const std::string& key, const Bytes& value) override {
    ask("set", key, {value.begin(), value.end()});
  }
  Bytes get(const std::string& key) override {
    const std::string value = ask("get", key, "");
    return {value.begin(), value.end()};
  }
  void wait(const std::vector<std::string>& keys) override {
    for (const std::string& key : keys) get(key);
  }
  void wait(const std::vector<std::string>& keys, const milliseconds&) override { wait(keys); }
  std::int64_t add(const std::string&, std::int64_t) override { throw not_offered(); }
  bool deleteKey(const std::string&) override { throw not_offered(); }
  bool check(const std::vector<std::string>&) override { throw not_offered(); }
  std::int64_t getNumKeys() override { throw not_offered(); }

 private:
  static Error not_offered() {
    return Error(ErrorKind::internal, "the store of ranks was asked for what it does not offer");
  }

  std::string ask(std::string_view verb, const std::string& key, const std::string& value) {
    const std::lock_guard lock(mutex_);
    if (!send_text(socket_, verb) || !send_text(socket_, key) || !send_text(socket_, value)) {
      throw lost_rank_0();
    }
    std::optional<std::string> answer = receive_text(socket_);
    if (!answer) throw lost_rank_0();
    return std::move(*answer);
  }

  RankSocket socket_;
  std::mutex mutex_;
};

RankSocket greet(const Ranks& ranks, const std::string& address, milliseconds limit) {
  const Clock::time_point end = Clock::now() + limit;
  while (true) {
    RankSocket socket = call(address, ranks.master_port);
    if (socket) {
      // Rank 0 answers when all have come.
      limit_waiting(socket, limit + kPatience);
      if (send_text(socket, kGreeting) && send_text(socket, std::to_string(ranks.rank)) &&
          send_text(socket, std::to_string(ranks.size))) {
        const std::optional<std::string> refusal = receive_text(socket);
        if (refusal && !refusal->empty()) throw Error(ErrorKind::usage, *refusal);
        if (refusal) return socket;
      }
    }
    if (Clock::now() >= end) {
      throw Error(ErrorKind::io,
                  fmt::format("rank {} found no rank 0 at {} port {} within {} s{}", ranks.rank,
                              address, ranks.master_port, limit.count() / 1000, kRemedy));
    }
    std::this_thread::sleep_for(kTick);
  }
}

/// The callers by rank; rank 0's own place stays empty.
class Arrivals {
 public:
  explicit Arrivals(const Ranks& ranks)
      : size_(ranks.size), sockets_(static_cast<std::size_t>(ranks.size)) {}

  bool complete() const { return missing().empty(); }

  void add(RankSocket caller) {
    limit_waiting(caller, kPatience);
    if (receive_text(caller) != kGreeting) return;  // a stranger
    const std::optional<std::string> rank = receive_text(caller);
    const std::optional<std::string> size = receive_text(caller);
    if (!rank || !size || rank->size() > 6) return;
    if (*size != std::to_string(size_)) {
      refuse(caller, fmt::format("rank {} was started as one of {}, rank 0 as one of {}", *rank,
                                 *size, size_));
    }
    const auto place = static_cast<std::size_t>(std::stoul("0" + *rank));
    if (place == 0 || place >= sockets_.size() || sockets_[place]) {
      refuse(caller, fmt::format("two processes were started as rank {} of {}", *rank, size_));
    }
    sockets_[place] = std::move(caller);
  }

  std::vector<std::int64_t> missing() const {
    std::vector<std::int64_t> ranks;
    for (std::size_t rank = 1; rank < sockets_.size(); ++rank) {
      if (!sockets_[rank]) ranks.push_back(static_cast<std::int64_t>(rank));
    }
    return ranks;
  }

  /// Tells everybody: an empty text is "go".
  void tell(std::string_view text) const {
    for (const RankSocket& socket : sockets_) {
      if (socket) send_text(socket, text);
    }
  }

  std::vector<RankSocket> take() { return std::move(sockets_); }

 private:
  [[noreturn]] void refuse(const RankSocket& caller, const std::string& reason) const {
    send_text(caller, reason);
    tell(reason);
    throw Error(ErrorKind::usage, reason);
  }

  std::int64_t size_;
  std::vector<RankSocket> sockets_;
};

std::vector<RankSocket> receive_all_ranks(const Ranks& ranks, const std::string& address,
                                          milliseconds limit) {
  const RankSocket listener = listen_at(address, ranks.master_port);
  const Clock::time_point end = Clock::now() + limit;
  Arrivals arrivals(ranks);
  while (!arrivals.complete()) {
    if (Clock::now() >= end) {
      const std::string reason =
          fmt::format("rank {} of {} did not come to {} port {} within {} s{}",
                      fmt::join(arrivals.missing(), ", "), ranks.size, address, ranks.master_port,
                      limit.count() / 1000, kRemedy);
      arrivals.tell(reason);
      throw Error(ErrorKind::io, reason);
    }
    if (RankSocket caller = accept_caller(listener, std::min(kTick * 10, until(end)))) {
      arrivals.add(std::move(caller));
    }
  }
  arrivals.tell("");
  return arrivals.take();
}

}  // namespace

/// Answers the other ranks from rank 0's store, in a thread of its own.
class Rendezvous::Server {
 public:
  Server(std::vector<RankSocket> sockets, c10::intrusive_ptr<c10d::Store> store)
      : store_(std::move(store)), thread_([this, sockets = std::move(sockets)]() mutable {
          for (RankSocket& socket : sockets) {
            if (socket) callers_.push_back({std::move(socket), std::nullopt});
          }
          serve();
        }) {}
  ~Server() {
    stopping_ = true;
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  struct Caller {
    RankSocket socket;
    std::optional<std::string> awaited;  // a key that nobody has set yet
  };

  void serve() {
    while (!stopping_) {
      std::vector<pollfd> waiting;
      for (const Caller& caller : callers_) {
        waiting.push_back({caller.socket.descriptor(), POLLIN, 0});
      }
      ::poll(waiting.data(), waiting.size(), static_cast<int>(kTick.count()));
      for (std::size_t i = 0; i < callers_.size(); ++i) {
        if (waiting[i].revents != 0 && !take_request(callers_[i]))
          callers_[i].socket = RankSocket();
        answer(callers_[i]);
      }
    }
  }

  bool take_request(Caller& caller) {
    const std::optional<std::string> verb = receive_text(caller.socket);
    const std::optional<std::string> key = verb ? receive_text(caller.socket) : std::nullopt;
    const std::optional<std::string> value = key ? receive_text(caller.socket) : std::nullopt;
    if (!value) return false;
    if (*verb == "set") {
      store_->set(*key, Bytes(value->begin(), value->end()));
      return send_text(caller.socket, "");
    }
    caller.awaited = *key;
    return true;
  }

  void answer(Caller& caller) {
    if (!caller.awaited || !store_->check({*caller.awaited})) return;
    const Bytes value = store_->get(*caller.awaited);
    send_text(caller.socket, std::string(value.begin(), value.end()));
    caller.awaited.reset();
  }

  c10::intrusive_ptr<c10d::Store> store_;
  std::vector<Caller> callers_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

Rendezvous::Rendezvous(const Ranks& ranks, const std::string& address, milliseconds limit) {
  if (ranks.rank != 0) {
    store_ = c10::make_intrusive<RemoteStore>(greet(ranks, address, limit), limit);
    return;
  }
  std::vector<RankSocket> sockets = receive_all_ranks(ranks, address, limit);
  store_ = c10::make_intrusive<c10d::HashStore>();
  store_->setTimeout(limit);
  server_ = std::make_unique<Server>(std::move(sockets), store_);
}

Rendezvous::~Rendezvous() = default;

c10::intrusive_ptr<c10d::Store> Rendezvous::store() const { return store_; }

}  // namespace biglittle
