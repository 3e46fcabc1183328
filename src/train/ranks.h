// SPDX-License-Identifier: MIT
#pragma once

// One training run may be the work of several processes, the ranks: each has a share of every
// batch, and all take the same steps. Whatever starts them tells each its place by environment
// variables.

#include <cstdint>
#include <functional>
#include <string>

namespace biglittle {

inline constexpr std::int64_t kMostRanks = 4096;

/// This process among those that train together.
struct Ranks {
  std::int64_t rank = 0;  ///< in [0, size)
  std::int64_t size = 1;
  std::string master_address = "127.0.0.1";  ///< where rank 0 waits for the others
  std::int64_t master_port = 29500;

  /// Only rank 0 writes files and prints results.
  bool writes() const { return rank == 0; }
};

/// The value of an environment variable, or nullptr.
using Environment = std::function<const char*(const char* name)>;

/// Reads the first pair that is there: RANK and WORLD_SIZE, OMPI_COMM_WORLD_RANK and _SIZE (Open
/// MPI), PMI_RANK and PMI_SIZE (MPICH, Intel MPI), SLURM_PROCID and SLURM_NTASKS (srun); and
/// MASTER_ADDR and MASTER_PORT. Without any pair the process trains alone. Where torchrun's agent
/// holds the port (TORCHELASTIC_USE_AGENT_STORE), the next one is taken. Throws Error{usage} naming
/// the variable when half of a pair is missing or a value is no number in range.
Ranks ranks_from(const Environment& environment);

/// The same for this process.
Ranks ranks_of_process();

}  // namespace biglittle
