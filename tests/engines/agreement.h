// SPDX-License-Identifier: MIT
#pragma once

// All engines on all networks over real images.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engines/device_engines.h"
#include "engines/networks.h"

namespace biglittle::testing {

/// A row of the table that scripts/soak engines prints.
struct Agreement {
  std::string engine;
  std::int64_t networks = 0;
  std::int64_t samples = 0;    ///< of each network
  std::int64_t differing = 0;  ///< outputs, of all networks
  std::string skipped;         ///< why nothing was run
};

/// The networks quantized on the first few of `images` and run by the interpreter on all of them;
/// scores are margins and gates in turn.
std::vector<FleetMember> real_fleet(const std::vector<EngineNetwork>& networks,
                                    const Samples& images);

/// Folder of a fleet and its samples, ready for every engine.
class PreparedFleet {
 public:
  PreparedFleet(std::filesystem::path folder, std::vector<FleetMember> fleet);

  /// Runs one engine on all samples; engines may run at the same time under different tags.
  Agreement run(const DeviceEngine& engine, const std::string& tag) const;

  const std::vector<FleetMember>& fleet() const { return fleet_; }

 private:
  std::filesystem::path folder_;
  std::vector<FleetMember> fleet_;
  std::int64_t count_;
};

/// ONNX Runtime, native and WebAssembly, on both exported forms at the levels of EngineCases; one
/// row of each. Writes the files to `folder`, which must exist.
std::vector<Agreement> run_onnx(const std::filesystem::path& folder,
                                const std::vector<FleetMember>& fleet);

}  // namespace biglittle::testing
