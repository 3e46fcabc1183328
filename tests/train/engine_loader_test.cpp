// SPDX-License-Identifier: MIT
#include "train/engine_loader.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/files.h"
#include "core/version.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::expect_error;

// The modules that CMake builds from fake_engines/.
const std::string kGood = FAKE_ENGINE;
const std::string kStale = STALE_ENGINE;
const std::string kHalf = HALF_ENGINE;

const std::string kRemedy =
    "; build it with -DBIGLITTLE_ENGINE=ON, or set BIGLITTLE_ENGINE to the path of "
    "libbiglittle_engine.so";

TEST(EnginePlaces, AreBesideTheProgramAndInItsLibraryFolder) {
  const auto places = engine_places("", "/opt/biglittle/bin/biglittle");
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[0], "/opt/biglittle/bin/libbiglittle_engine.so");
  EXPECT_EQ(places[1], "/opt/biglittle/lib/biglittle/libbiglittle_engine.so");
}

TEST(EnginePlaces, AreTheNamedOneAlone) {
  const auto places = engine_places("/elsewhere/e.so", "/opt/biglittle/bin/biglittle");
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0], "/elsewhere/e.so");
}

TEST(OpenEngine, GivesTheLibrarysEngine) {
  EXPECT_EQ(open_engine(kGood).info().libtorch_version, "fake");
}

TEST(OpenEngine, RefusesAnotherVersion) {
  expect_error(ErrorKind::missing_input,
               kStale + ": engine of version 0.0.0-stale, expected " +
                   std::string(program_version()) + kRemedy,
               [] { open_engine(kStale); });
}

TEST(OpenEngine, RefusesALibraryWithoutTheFactory) {
  expect_error(ErrorKind::missing_input,
               kHalf + ": not an engine of this program: no symbol biglittle_engine" + kRemedy,
               [] { open_engine(kHalf); });
}

TEST(OpenEngine, RefusesAFileThatIsNoLibrary) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "libbiglittle_engine.so";
  write_file(file, "not a library");
  expect_error(ErrorKind::missing_input,
               file.string() + ": cannot load the engine: " + file.string() +
                   ": file too short; is LibTorch installed where it was built against?",
               [&] { open_engine(file); });
}

TEST(LoadEngine, TakesTheNamedLibraryAndKeepsIt) {
  const testing::TemporaryFolder folder;
  const auto missing = folder / "none.so";
  ::setenv("BIGLITTLE_ENGINE", missing.c_str(), 1);
  expect_error(ErrorKind::missing_input,
               "the engine, which this command needs, is not at " + missing.string() + kRemedy,
               [] { load_engine(); });
  ::setenv("BIGLITTLE_ENGINE", kGood.c_str(), 1);
  const Engine& engine = load_engine();
  EXPECT_EQ(engine.info().libtorch_version, "fake");
  ::setenv("BIGLITTLE_ENGINE", missing.c_str(), 1);
  EXPECT_EQ(&load_engine(), &engine);
  ::unsetenv("BIGLITTLE_ENGINE");
}

}  // namespace
}  // namespace biglittle
