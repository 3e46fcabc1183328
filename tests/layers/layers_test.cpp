// SPDX-License-Identifier: MIT
// The folders of src/ are layers; this test reads every #include of the tree and names each one
// that points to the right, or that drags LibTorch or CLI11 into a public header.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "testing/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array<std::string_view, 9> kLayers = {
    "core", "graph", "data", "train", "derive", "quant", "calibrate", "bundle", "cli"};

/// Position in kLayers, or nothing for a folder that is no layer.
std::optional<std::ptrdiff_t> layer_of(std::string_view folder) {
  const auto found = std::find(kLayers.begin(), kLayers.end(), folder);
  if (found == kLayers.end()) return std::nullopt;
  return found - kLayers.begin();
}

/// What a line includes, with its brackets or quotes: `"core/json.h"`, `<vector>`; else "".
std::string included(std::string line) {
  std::erase_if(line, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
  constexpr std::string_view kInclude = "#include";
  if (!line.starts_with(kInclude)) return {};
  return line.substr(kInclude.size());
}

std::vector<std::string> includes_of(const fs::path& file) {
  std::vector<std::string> found;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::string target = included(line);
    if (!target.empty()) found.push_back(std::move(target));
  }
  return found;
}

bool is_source(const fs::path& file) {
  static const std::vector<std::string> endings = {".h", ".hpp", ".cpp", ".c", ".cc"};
  return std::find(endings.begin(), endings.end(), file.extension().string()) != endings.end();
}

std::vector<fs::path> sources_under(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && is_source(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Only the folder src/<layer> itself holds public headers; one below it is that layer's own.
bool is_public_header(const fs::path& relative) {
  return relative.extension() == ".h" && std::distance(relative.begin(), relative.end()) == 2;
}

bool starts_like(std::string_view target, std::string_view folder) {
  return target.substr(1).starts_with(folder);
}

/// "a.h includes b.h" for each include under `src` that the layers forbid.
std::vector<std::string> forbidden_includes(const fs::path& src) {
  std::vector<std::string> found;
  for (const fs::path& file : sources_under(src)) {
    const fs::path relative = file.lexically_relative(src);
    const auto own = layer_of(relative.begin()->string());
    for (const std::string& target : includes_of(file)) {
      const std::string_view name = std::string_view(target).substr(1);
      const auto other = layer_of(name.substr(0, name.find('/')));
      const bool to_the_right = target.front() == '"' && own && other && *other > *own;
      const bool heavy = is_public_header(relative) &&
                         (starts_like(target, "torch/") || starts_like(target, "ATen/") ||
                          starts_like(target, "c10/") || starts_like(target, "CLI/"));
      if (to_the_right || heavy) found.push_back(relative.generic_string() + " includes " + target);
    }
  }
  return found;
}

/// Folders of `src` that are not in kLayers.
std::vector<std::string> unknown_folders(const fs::path& src) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(src)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !layer_of(name)) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Quoted includes of runtime/ that are not runtime headers.
std::vector<std::string> foreign_runtime_includes(const fs::path& runtime) {
  std::vector<std::string> found;
  for (const fs::path& file : sources_under(runtime)) {
    for (const std::string& target : includes_of(file)) {
      if (target.front() != '"') continue;
      if (!fs::exists(file.parent_path() / target.substr(1, target.size() - 2))) {
        found.push_back(file.filename().string() + " includes " + target);
      }
    }
  }
  return found;
}

void write(const fs::path& file, std::string_view text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

TEST(Layers, AFolderIncludesOnlyItselfAndFoldersToItsLeft) {
  EXPECT_THAT(forbidden_includes(fs::path(BIGLITTLE_SOURCE_DIR) / "src"), IsEmpty());
}

TEST(Layers, EveryFolderOfSrcIsALayer) {
  EXPECT_THAT(unknown_folders(fs::path(BIGLITTLE_SOURCE_DIR) / "src"), IsEmpty());
}

TEST(Layers, TheRuntimeDependsOnNothing) {
  EXPECT_THAT(foreign_runtime_includes(fs::path(BIGLITTLE_SOURCE_DIR) / "runtime"), IsEmpty());
}

TEST(Layers, AnIncludeToTheRightIsFound) {
  const biglittle::testing::TemporaryFolder src;
  write(src / "data/set.h", "#include \"core/json.h\"\n#include \"data/split.h\"\n");
  write(src / "graph/graph.cpp", "  # include \"quant/model.h\"\n#include <quant/not_ours.h>\n");
  EXPECT_THAT(forbidden_includes(src.path()),
              ElementsAre("graph/graph.cpp includes \"quant/model.h\""));
}

TEST(Layers, LibTorchAndCli11InAPublicHeaderAreFound) {
  const biglittle::testing::TemporaryFolder src;
  write(src / "train/engine.h", "#include <torch/torch.h>\n");
  write(src / "cli/options.h", "#include <CLI/CLI.hpp>\n");
  write(src / "train/fit.cpp", "#include <torch/torch.h>\n");
  write(src / "train/torch/module.h", "#include <torch/torch.h>\n");
  EXPECT_THAT(forbidden_includes(src.path()),
              ElementsAre("cli/options.h includes <CLI/CLI.hpp>",
                          "train/engine.h includes <torch/torch.h>"));
}

TEST(Layers, AnIncludeOutOfTheRuntimeIsFound) {
  const biglittle::testing::TemporaryFolder runtime;
  write(runtime / "bl.h", "#include <string.h>\n");
  write(runtime / "bl.c", "#include \"bl.h\"\n#include \"core/json.h\"\n");
  EXPECT_THAT(foreign_runtime_includes(runtime.path()),
              ElementsAre("bl.c includes \"core/json.h\""));
}

}  // namespace
