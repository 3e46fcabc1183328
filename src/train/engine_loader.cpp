// SPDX-License-Identifier: MIT
#include "train/engine_loader.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>
#include <system_error>

#include "core/error.h"
#include "core/version.h"

namespace biglittle {
namespace {

constexpr std::string_view kRemedy =
    "; build it with -DBIGLITTLE_ENGINE=ON, or set BIGLITTLE_ENGINE to the path of "
    "libbiglittle_engine.so";

std::string last_dl_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "unknown reason";
}

/// The address of a C function; throws when the library does not export it.
template <typename Function>
Function* require_symbol(void* library, const char* symbol, const std::string& file) {
  void* address = ::dlsym(library, symbol);
  if (address == nullptr) {
    throw Error(ErrorKind::missing_input, file + ": not an engine of this program: no symbol " +
                                              symbol + std::string(kRemedy));
  }
  return reinterpret_cast<Function*>(address);
}

const Engine& find_engine() {
  const char* named = std::getenv("BIGLITTLE_ENGINE");
  std::error_code error;
  const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string tried;
  for (const auto& place : engine_places(named != nullptr ? named : "", executable)) {
    if (std::filesystem::exists(place, error)) return open_engine(place);
    tried += (tried.empty() ? "" : " or ") + place.string();
  }
  throw Error(ErrorKind::missing_input,
              "the engine, which this command needs, is not at " + tried + std::string(kRemedy));
}

}  // namespace

std::vector<std::filesystem::path> engine_places(std::string_view named,
                                                 const std::filesystem::path& executable) {
  if (!named.empty()) return {std::filesystem::path(named)};
  const std::filesystem::path folder = executable.parent_path();
  return {folder / kEngineLibrary,
          (folder / ".." / "lib" / "biglittle" / kEngineLibrary).lexically_normal()};
}

const Engine& open_engine(const std::filesystem::path& library) {
  const std::string file = library.string();
  // A bare file name would be searched in the system's library folders instead.
  const std::filesystem::path path = std::filesystem::absolute(library);
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw Error(ErrorKind::missing_input,
                file + ": cannot load the engine: " + last_dl_error() +
                    "; is LibTorch installed where it was built against?");
  }
  auto* version = require_symbol<const char*()>(handle, "biglittle_engine_version", file);
  const std::string found = version();
  if (found != program_version()) {
    throw Error(ErrorKind::missing_input, file + ": engine of version " + found + ", expected " +
                                              std::string(program_version()) +
                                              std::string(kRemedy));
  }
  auto* factory = require_symbol<const Engine*()>(handle, "biglittle_engine", file);
  const Engine* engine = factory();
  if (engine == nullptr) {
    throw Error(ErrorKind::internal, file + ": the engine gave no instance");
  }
  return *engine;
}

const Engine& load_engine() {
  static const Engine& engine = find_engine();
  return engine;
}

}  // namespace biglittle
