// SPDX-License-Identifier: MIT
#pragma once

// How load_engine finds and opens the engine library; apart from it so that each step can be
// tested.

#include <filesystem>
#include <string_view>
#include <vector>

#include "train/engine.h"

namespace biglittle {

inline constexpr std::string_view kEngineLibrary = "libbiglittle_engine.so";

/// Where the engine may be, in order: `named` (the value of $BIGLITTLE_ENGINE) alone when it is not
/// empty, else beside `executable` and in ../lib/biglittle from there.
std::vector<std::filesystem::path> engine_places(std::string_view named,
                                                 const std::filesystem::path& executable);

/// Opens one library and checks that it belongs to this program's version. It exports two C
/// symbols: `biglittle_engine_version`, returning program_version() as const char*, and
/// `biglittle_engine`, returning const Engine*. Throws Error{missing_input} with the remedy; the
/// library stays loaded until the process ends.
const Engine& open_engine(const std::filesystem::path& library);

}  // namespace biglittle
