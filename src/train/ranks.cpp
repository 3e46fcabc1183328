// SPDX-License-Identifier: MIT
#include "train/ranks.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "core/error.h"

namespace biglittle {
namespace {

struct Pair {
  const char* rank;
  const char* size;
};
// What a launcher sets for its processes comes before what the job around it set.
constexpr std::array<Pair, 4> kPairs = {{{"RANK", "WORLD_SIZE"},
                                         {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                         {"PMI_RANK", "PMI_SIZE"},
                                         {"SLURM_PROCID", "SLURM_NTASKS"}}};

std::int64_t whole_number(const char* name, std::string_view text, std::int64_t low,
                          std::int64_t high) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc() && end == text.data() + text.size() && value >= low && value <= high) {
    return value;
  }
  throw Error(ErrorKind::usage, fmt::format("the environment has {}={}, expected a number in "
                                            "[{}, {}]",
                                            name, text, low, high));
}

void read_place(const Environment& environment, Ranks& ranks) {
  for (const Pair& pair : kPairs) {
    const char* rank = environment(pair.rank);
    const char* size = environment(pair.size);
    if (rank == nullptr && size == nullptr) continue;
    if (rank == nullptr || size == nullptr) {
      throw Error(ErrorKind::usage,
                  fmt::format("the environment has {} but not {}: set both, or neither",
                              rank == nullptr ? pair.size : pair.rank,
                              rank == nullptr ? pair.rank : pair.size));
    }
    ranks.size = whole_number(pair.size, size, 1, kMostRanks);
    ranks.rank = whole_number(pair.rank, rank, 0, ranks.size - 1);
    return;
  }
}

}  // namespace

Ranks ranks_from(const Environment& environment) {
  Ranks ranks;
  read_place(environment, ranks);
  if (ranks.size == 1) return ranks;
  const char* address = environment("MASTER_ADDR");
  if (address != nullptr && *address != '\0') ranks.master_address = address;
  if (const char* port = environment("MASTER_PORT")) {
    ranks.master_port = whole_number("MASTER_PORT", port, 1, 65534);
  }
  const char* agent = environment("TORCHELASTIC_USE_AGENT_STORE");
  if (agent != nullptr && std::string_view(agent) == "True") ++ranks.master_port;
  return ranks;
}

Ranks ranks_of_process() {
  return ranks_from([](const char* name) { return std::getenv(name); });
}

}  // namespace biglittle
