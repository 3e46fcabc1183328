// SPDX-License-Identifier: MIT
// Programs that take the kernels from an installed biglittle.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cortex_m/cortex_m.h"
#include "install/device_project.h"

namespace biglittle {
namespace {

using ::testing::AllOf;
using testing::DeviceProject;
using ::testing::HasSubstr;
using ::testing::Not;

/// A project with find_package(biglittle) as the README writes it, beside a fresh installation in
/// the folder `prefix` that was moved there from another place.
class InstalledPackage : public ::testing::Test {
 protected:
  InstalledPackage() {
    project_.run("cmake --install " BIGLITTLE_BUILD_FOLDER
                 " --component runtime --prefix elsewhere && mv elsewhere prefix");
    project_.write("app/CMakeLists.txt", project_.example("cmake", "find_package"));
    project_.write("app/main.c", project_.example("c", "int main"));
    for (const char* file : {"bl_model.h", "bl_model.c"}) {
      project_.write(std::string("app/") + file, project_.device().at(file));
    }
  }

  /// Configures and builds; the program is build/app.
  std::string build(const std::string& options) const {
    return project_.run(configure_ + options + " && cmake --build build --verbose");
  }

  DeviceProject project_;
  std::string configure_ = "cmake -S app -B build -DCMAKE_PREFIX_PATH=$PWD/prefix ";
};

TEST_F(InstalledPackage, GivesTheKernels) {
  const std::string output = build("-DCMAKE_BUILD_TYPE=Release");
  EXPECT_THAT(output, HasSubstr("-ffp-contract=off"));
  EXPECT_EQ(project_.run("build/app < samples.bin"), project_.answers());
}

TEST_F(InstalledPackage, CompilesTheKernelsWithTheFlagsOfTheProgram) {
  build("-DCMAKE_C_FLAGS='-O2 -DBL_FORM=BL_FORM_PORTABLE'");
  EXPECT_EQ(project_.run("build/app < samples.bin"), project_.answers());
  EXPECT_THAT(project_.run("nm build/app"),
              AllOf(HasSubstr(" bl_linear_0\n"), Not(HasSubstr(" bl_linear_2\n"))));
}

TEST_F(InstalledPackage, CompilesTheKernelsForTheProcessorOfTheProgram) {
  if (project_.run("uname -m") != "x86_64\n") GTEST_SKIP() << "AVX2 is x86";
  build("-DCMAKE_C_FLAGS='-O2 -mavx2'");
  EXPECT_THAT(project_.run("nm build/app"),
              AllOf(HasSubstr(" bl_linear_2\n"), Not(HasSubstr(" bl_linear_0\n"))));
  if (project_.run("grep -cw avx2 /proc/cpuinfo || true") != "0\n") {
    EXPECT_EQ(project_.run("build/app < samples.bin"), project_.answers());
  }
}

TEST_F(InstalledPackage, CompilesWithEveryWarningAsAnError) {
  build("-DCMAKE_C_FLAGS='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'");
}

TEST_F(InstalledPackage, ServesACrossCompilerOfAnotherWordSize) {
  if (!testing::has_cortex_tools()) return;
  project_.run(configure_ +
               "-DCMAKE_SYSTEM_NAME=Generic -DCMAKE_SYSTEM_PROCESSOR=arm "
               "-DCMAKE_C_COMPILER=arm-none-eabi-gcc "
               "-DCMAKE_C_FLAGS='-mcpu=cortex-m4 -mthumb --specs=nosys.specs' "
               "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY && cmake --build build");
  EXPECT_THAT(project_.run("arm-none-eabi-nm build/app"), HasSubstr(" bl_linear_1\n"));
}

TEST_F(InstalledPackage, SaysThatItNeedsTheLanguageC) {
  project_.write("app/CMakeLists.txt",
                 "cmake_minimum_required(VERSION 3.15)\nproject(app LANGUAGES NONE)\n"
                 "find_package(biglittle REQUIRED)\n");
  EXPECT_THAT(
      project_.run_failing(configure_),
      HasSubstr("biglittle::runtime is compiled as C: add C to the LANGUAGES of project()"));
}

TEST_F(InstalledPackage, RefusesAnotherMinorVersion) {
  const auto configure_asking = [&](const std::string& version) {
    project_.write("app/CMakeLists.txt",
                   "cmake_minimum_required(VERSION 3.15)\nproject(app LANGUAGES C)\n"
                   "find_package(biglittle " +
                       version + " REQUIRED)\n");
    return configure_;
  };
  project_.run(configure_asking(BIGLITTLE_VERSION));
  EXPECT_THAT(project_.run_failing(configure_asking("0.0")),
              HasSubstr("biglittleConfig.cmake, version"));
}

TEST(KernelForms, CodeForOneDoesNotLinkWithKernelsOfAnother) {
  const DeviceProject project;
  project.write_device("device");
  const std::string output = project.run_failing(
      "cd device && gcc -c -DBL_FORM=BL_FORM_PORTABLE bl_runtime.c && "
      "gcc -c -DBL_FORM=BL_FORM_DSP bl_model.c && "
      "gcc -DBL_SELFTEST_MAIN bl_selftest.c bl_model.o bl_runtime.o");
  EXPECT_THAT(output, HasSubstr("undefined reference to `bl_linear_accumulators_1'"));
}

TEST(KernelForms, AnArenaOfOneDoesNotServeCodeOfAnother) {
  const DeviceProject project;
  if (project.run("uname -m") != "x86_64\n") GTEST_SKIP() << "AVX2 is x86";
  project.write_device("device");
  project.write("device/main.c",
                "#include \"bl_model.h\"\n"
                "static int32_t arena[BL_MODEL_ARENA_BYTES / 4];\n"
                "static bl_model_input input[BL_MODEL_INPUT_COUNT];\n"
                "int main(void) { return bl_model_run_with(arena, input).class_index; }\n");
  const std::string output = project.run_failing(
      "cd device && gcc -c -DBL_FORM=BL_FORM_PORTABLE main.c && "
      "gcc -c -DBL_FORM=BL_FORM_AVX2 -mavx2 bl_model.c bl_runtime.c && "
      "gcc main.o bl_model.o bl_runtime.o");
  EXPECT_THAT(output, HasSubstr("undefined reference to `bl_model_run_with_0'"));
}

}  // namespace
}  // namespace biglittle
