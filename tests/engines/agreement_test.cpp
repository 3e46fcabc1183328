// SPDX-License-Identifier: MIT
// Every engine computes the integers of the interpreter: scripts/soak engines in small.
#include "engines/agreement.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <memory>
#include <ostream>

#include "engines/real_images.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {

/// What GoogleTest prints beside a failure.
static void PrintTo(const DeviceEngine& engine, std::ostream* out) { *out << engine.compiler; }

namespace {

constexpr std::int64_t kImages = 48;
/// On Cortex-M cores, which QEMU runs slowly.
constexpr std::int64_t kImagesOnCores = 3;
/// Networks that levels other than -O2 run.
constexpr std::ptrdiff_t kFew = 2;

bool engines_required() {
  const char* value = std::getenv("BIGLITTLE_REQUIRE_ENGINES");
  return value != nullptr && std::string_view(value) == "1";
}

/// The letters and digits of an engine's name.
std::string identifier(const DeviceEngine& engine) {
  std::string name;
  for (const char c : engine.name) {
    if (std::isalnum(static_cast<unsigned char>(c))) name += c;
  }
  return name;
}

class EnginesAgree : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto images = fashion_mnist_test(kImages);
    if (!images) return;
    folder_ = std::make_unique<TemporaryFolder>();
    std::vector<FleetMember> fleet = real_fleet(engine_networks(), *images);
    few_ = std::make_unique<PreparedFleet>(*folder_ / "few",
                                           std::vector(fleet.begin(), fleet.begin() + kFew));
    all_ = std::make_unique<PreparedFleet>(*folder_ / "all", std::move(fleet));
    on_cores_ = std::make_unique<PreparedFleet>(
        *folder_ / "cores", real_fleet(engine_networks(), *fashion_mnist_test(kImagesOnCores)));
  }
  static void TearDownTestSuite() {
    few_.reset();
    all_.reset();
    on_cores_.reset();
    folder_.reset();
  }
  void SetUp() override {
    if (all_ != nullptr) return;
    if (engines_required()) FAIL() << "dataset-fashion-mnist is not installed";
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  }

  static std::unique_ptr<TemporaryFolder> folder_;
  static std::unique_ptr<PreparedFleet> few_, all_, on_cores_;
};

class OneEngine : public EnginesAgree, public ::testing::WithParamInterface<DeviceEngine> {};

std::unique_ptr<TemporaryFolder> EnginesAgree::folder_;
std::unique_ptr<PreparedFleet> EnginesAgree::few_, EnginesAgree::all_, EnginesAgree::on_cores_;

TEST_P(OneEngine, AgreesOnRealImages) {
  const DeviceEngine& engine = GetParam();
  const bool usual = engine.name.find("-O2") != std::string::npos;
  const PreparedFleet& fleet = engine.core ? *on_cores_ : usual ? *all_ : *few_;
  const Agreement row = fleet.run(engine, identifier(engine));
  if (!row.skipped.empty()) {
    if (engines_required() && row.skipped != kNoProcessor) FAIL() << row.skipped;
    GTEST_SKIP() << row.skipped;
  }
  EXPECT_EQ(row.differing, 0);
  EXPECT_GE(row.networks, usual || engine.core ? 10 : kFew);
}

INSTANTIATE_TEST_SUITE_P(Engines, OneEngine, ::testing::ValuesIn(device_engines()),
                         [](const auto& about) { return identifier(about.param); });

TEST_F(EnginesAgree, TellsOneWrongInteger) {
  const DeviceEngine engine = device_engines().front();
  if (!missing_for(engine).empty()) GTEST_SKIP() << missing_for(engine);
  std::vector<FleetMember> fleet = few_->fleet();
  const TemporaryFolder folder;
  write_fleet(folder.path(), fleet, 2);
  write_fleet_samples(folder / "samples.bin", fleet, kImages);
  fleet[1].accumulators[7] += 1;
  EXPECT_EQ(EngineProgram(engine, folder.path(), "")
                .count_differing(fleet, kImages, folder / "samples.bin"),
            1);
}

}  // namespace
}  // namespace biglittle::testing
