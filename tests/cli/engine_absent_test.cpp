// SPDX-License-Identifier: MIT
// A program whose engine library is not there: what needs it says so, the rest works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/program.h"
#include "cli/toy_data.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Setting without_engine(const std::filesystem::path& folder) {
  return {folder, {{"BIGLITTLE_ENGINE", (folder / "absent.so").string()}}};
}

TEST(EngineAbsent, DoctorSaysHowToMendIt) {
  TemporaryFolder folder;
  const Outcome outcome = biglittle({"doctor"}, without_engine(folder.path()));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, StartsWith("missing  LibTorch"));
  EXPECT_THAT(outcome.out, HasSubstr("absent.so"));
  EXPECT_THAT(outcome.out, HasSubstr("mend: apt install libtorch-dev"));
  EXPECT_THAT(outcome.out, HasSubstr("cores"));
}

TEST(EngineStandIn, DoctorNamesTheProcessorThatOpenBlasMistakes) {
  const Outcome outcome = biglittle({"doctor"}, {".", {{"BIGLITTLE_ENGINE", FAKE_ENGINE}}});
  EXPECT_THAT(outcome.out,
              HasSubstr("slow     matrix products      OpenBLAS for Prescott, 32 GFLOP/s"));
  EXPECT_THAT(outcome.out, HasSubstr("mend: set OPENBLAS_CORETYPE=SKYLAKEX in the environment"));
  EXPECT_THAT(
      outcome.out,
      HasSubstr("slow     Winograd             no: the program was built without oneDNN 2"));
}

TEST(EngineStandIn, DoctorOffersNoRemedyWhereLibtorchsOneDnnHasNoWinograd) {
  const Outcome outcome =
      biglittle({"doctor"}, {".", {{"BIGLITTLE_ENGINE", FAKE_ENGINE}, {"FAKE_ONEDNN", "3.6.0"}}});
  EXPECT_THAT(outcome.out,
              HasSubstr("ok       Winograd             no: needs oneDNN 2, LibTorch has 3.6.0\n"));
}

TEST(EngineAbsent, TrainNamesTheLibraryAndTheRemedy) {
  TemporaryFolder folder;
  write_toy_idx(folder / "raw", 80, 16);
  std::ofstream(folder / "toy.toml") << "[data.import]\nsource = \"raw\"\n";
  for (const char* profile : {"--profile=1", "--quiet"}) {
    const Outcome outcome =
        biglittle({"train", "toy.toml", "--quiet", profile}, without_engine(folder.path()));
    EXPECT_EQ(outcome.code, 66);
    EXPECT_THAT(outcome.err, HasSubstr("absent.so"));
    EXPECT_THAT(outcome.err, HasSubstr("-DBIGLITTLE_ENGINE=ON"));
    // The dataset, which needs no engine, was made.
    EXPECT_EQ(biglittle({"inspect", "data/toy.h5"}, without_engine(folder.path())).code, 0);
    std::filesystem::remove(folder / "data/toy.h5");
  }
}

TEST(EngineAbsent, LaterStagesNameTheStageThatIsMissing) {
  TemporaryFolder folder;
  write_toy_idx(folder / "raw", 80, 16);
  std::ofstream(folder / "toy.toml") << "[data.import]\nsource = \"raw\"\n"
                                        "[little]\npriority = [\"0\"]\n";
  EXPECT_EQ(biglittle({"train", "toy.toml", "--quiet"}, without_engine(folder.path())).code, 66);
  for (const char* command : {"derive-little", "export"}) {
    const Outcome outcome =
        biglittle({command, "toy.toml", "--quiet"}, without_engine(folder.path()));
    EXPECT_EQ(outcome.code, 66);
    EXPECT_THAT(outcome.err, HasSubstr("big.safetensors: is not there; make it with 'biglittle "
                                       "train CONFIG'\n"));
  }
}

#ifdef BIGLITTLE_HAS_ENGINE
TEST(EnginePresent, DoctorMeasuresTheMachine) {
  const Outcome outcome = biglittle({"doctor", "--json"});
  EXPECT_THAT(outcome.out, HasSubstr("GFLOP/s on one thread"));
  EXPECT_THAT(outcome.out, HasSubstr("\"what\": \"fast bf16\""));
}
#endif

}  // namespace
}  // namespace biglittle::testing
