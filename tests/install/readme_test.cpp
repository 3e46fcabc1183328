// SPDX-License-Identifier: MIT
// The examples in the README of a device folder, built and run as they stand there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "install/device_project.h"

namespace biglittle {
namespace {

using testing::DeviceProject;
using ::testing::HasSubstr;

TEST(DeviceReadme, TheSelfTestIsOneCommand) {
  const DeviceProject project;
  project.write_device("device");
  EXPECT_EQ(project.run("cd device && " + project.example("sh", "BL_SELFTEST_MAIN")),
            "bl_selftest: 3 vectors passed\n");
}

TEST(DeviceReadme, TheMakefileBuildsAProgramOfTwoFilesAndMain) {
  const DeviceProject project;
  project.write_device("app");
  project.write("app/main.c", project.example("c", "int main"));
  project.write("app/Makefile", project.example("make", "OBJECTS"));
  project.run("make -C app");
  EXPECT_EQ(project.run("app/app < samples.bin"), project.answers());
  EXPECT_THAT(project.run("make -C app"), HasSubstr("up to date"));
}

TEST(DeviceReadme, TheFolderIsACMakeProject) {
  const DeviceProject project;
  project.write_device("device");
  const std::string output =
      project.run("cd device && set -e\n" + project.example("sh", "cmake -S"));
  EXPECT_THAT(output, HasSubstr("100% tests passed, 0 tests failed out of 1"));
}

TEST(DeviceReadme, TheFolderIsPartOfACMakeProject) {
  const DeviceProject project;
  project.write_device("app/device");
  project.write("app/main.c", project.example("c", "int main"));
  project.write("app/CMakeLists.txt", project.example("cmake", "add_subdirectory"));
  project.run("cmake -S app -B build && cmake --build build");
  EXPECT_EQ(project.run("build/app < samples.bin"), project.answers());
}

TEST(DeviceReadme, TheSketchTestsItselfAndAnswersTheSerialLine) {
  const DeviceProject project;
  project.write_device("sketch");
  project.write("sketch/sketch.ino", project.example("cpp", "void setup"));
  project.run(
      "cd sketch && gcc -std=c99 -Os -c bl_model.c bl_runtime.c bl_selftest.c && "
      "g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -I" BIGLITTLE_ARDUINO_FOLDER
      " -x c++ sketch.ino -x none bl_model.o bl_runtime.o bl_selftest.o -o sketch");
  EXPECT_EQ(project.run("sketch/sketch < samples.bin"), "self-test passed\n" + project.answers());
}

TEST(DeviceReadme, TheSketchStopsWhereTheSelfTestFails) {
  const DeviceProject project;
  project.write_device("sketch");
  project.write("sketch/sketch.ino", project.example("cpp", "void setup"));
  project.write("sketch/broken.c", "int bl_selftest(void) { return 2; }\n");
  project.run(
      "cd sketch && gcc -std=c99 -Os -c bl_model.c bl_runtime.c broken.c && "
      "g++ -std=c++11 -I" BIGLITTLE_ARDUINO_FOLDER
      " -x c++ sketch.ino -x none bl_model.o bl_runtime.o broken.o -o sketch");
  EXPECT_EQ(project.run_failing("sketch/sketch < samples.bin"), "self-test: vector differs: 2\n");
}

TEST(DeviceReadme, TheCallIsCPlusPlusToo) {
  const DeviceProject project;
  project.write_device("app");
  project.write("app/main.cpp", project.example("c", "int main"));
  project.run(
      "cd app && gcc -std=c99 -O2 -c bl_model.c bl_runtime.c && "
      "g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror main.cpp bl_model.o bl_runtime.o -o app");
  EXPECT_EQ(project.run("app/app < samples.bin"), project.answers());
}

TEST(DeviceReadme, AllOfItIsCPlusPlusToo) {
  const DeviceProject project;
  project.write_device("app");
  project.write("app/main.c", project.example("c", "int main"));
  project.run(
      "cd app && g++ -x c++ -std=c++17 -O2 -Wall -Wextra -Wpedantic -Wconversion -Werror main.c "
      "bl_model.c bl_runtime.c -o app");
  EXPECT_EQ(project.run("app/app < samples.bin"), project.answers());
}

TEST(DeviceReadme, NamesEveryFileOfTheFolder) {
  const DeviceProject project;
  const std::string& readme = project.device().at("README.md");
  for (const auto& [name, text] : project.device()) {
    const bool kernels = name.starts_with("bl_kernels_");
    if (name == "README.md") continue;
    EXPECT_THAT(readme, HasSubstr(kernels ? "`bl_kernels_*.h`" : "`" + name + "`"));
  }
}

TEST(ProjectReadme, ShowsThePackageAsTheDeviceReadmeDoes) {
  std::ostringstream text;
  text << std::ifstream(BIGLITTLE_README).rdbuf();
  EXPECT_THAT(text.str(), HasSubstr(DeviceProject().example("cmake", "find_package")));
}

}  // namespace
}  // namespace biglittle
