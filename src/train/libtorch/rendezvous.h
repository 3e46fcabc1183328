// SPDX-License-Identifier: MIT
#pragma once

// How ranks find each other: rank 0 waits at one address, and what each says is kept there until
// all are connected. c10d's own store would listen at every address of the machine.

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <memory>
#include <string>

#include "train/ranks.h"

namespace c10d {
class Store;
}

namespace biglittle {

class Rendezvous {
 public:
  /// Returns when all ranks have come; `address` is the numeric form of ranks.master_address.
  /// Throws Error{io} naming the ranks that did not come within `limit`, and Error{usage} when two
  /// processes have the same rank or different sizes.
  Rendezvous(const Ranks& ranks, const std::string& address, std::chrono::milliseconds limit);
  /// Ends the store: nobody listens any more.
  ~Rendezvous();
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;

  /// What ranks tell each other through rank 0.
  c10::intrusive_ptr<c10d::Store> store() const;

 private:
  class Server;
  c10::intrusive_ptr<c10d::Store> store_;
  std::unique_ptr<Server> server_;  // rank 0's
};

}  // namespace biglittle
