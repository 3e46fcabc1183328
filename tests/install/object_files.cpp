// SPDX-License-Identifier: MIT
#include "install/object_files.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace biglittle::testing {
namespace {

std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// Calls and frames of all functions.
class CallGraph {
 public:
  void add(const std::string& text) {
    static const std::regex node(
        R"re(node: \{ title: "([^"]*)" label: "[^"]*\\n(\d+) bytes \(([^)]*)\))re");
    static const std::regex edge(R"re(edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)")re");
    for (std::sregex_iterator at(text.begin(), text.end(), node), end; at != end; ++at) {
      // "dynamic,bounded": arguments pushed around a call, which the number covers.
      if ((*at)[3] == "dynamic") throw std::runtime_error((*at)[1].str() + ": " + (*at)[3].str());
      frames_[(*at)[1]] = std::stoll((*at)[2]);
    }
    for (std::sregex_iterator at(text.begin(), text.end(), edge), end; at != end; ++at) {
      calls_[(*at)[1]].insert((*at)[2]);
    }
  }

  std::int64_t deepest(const std::string& function) {
    if (!path_.insert(function).second) throw std::runtime_error("recursion in " + function);
    std::int64_t below = 0;
    for (const std::string& called : calls_[function]) {
      below = std::max(below, called == kPointer ? deepest_through_pointer() : deepest(called));
    }
    path_.erase(function);
    const auto frame = frames_.find(function);
    return below + (frame != frames_.end() ? frame->second : 0);
  }

  bool has(const std::string& function) const { return frames_.contains(function); }

 private:
  static constexpr const char* kPointer = "__indirect_call";

  /// Through a pointer any static function can be called that nobody calls by name, except those
  /// that are waiting for this call.
  std::int64_t deepest_through_pointer() {
    std::set<std::string> named;
    for (const auto& [caller, targets] : calls_) named.insert(targets.begin(), targets.end());
    std::int64_t deepest_target = 0;
    for (const auto& [function, frame] : frames_) {
      const bool is_static = function.find(':') != std::string::npos;
      if (!is_static || named.contains(function) || path_.contains(function)) continue;
      deepest_target = std::max(deepest_target, deepest(function));
    }
    return deepest_target;
  }

  std::map<std::string, std::int64_t> frames_;
  std::map<std::string, std::set<std::string>> calls_;
  std::set<std::string> path_;
};

}  // namespace

std::map<std::string, ObjectBytes> read_linker_map(const std::filesystem::path& map) {
  std::string text = read_text(map);
  // Before this line stand the sections that were dropped.
  text.erase(0, text.find("Linker script and memory map"));
  // A long name is followed by a line break.
  static const std::regex section(
      R"re(\n (\.[A-Za-z0-9_.$]+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+\.o)(?=\n))re");
  std::map<std::string, ObjectBytes> objects;
  for (std::sregex_iterator at(text.begin(), text.end(), section), end; at != end; ++at) {
    const std::string name = (*at)[1];
    const std::int64_t bytes = std::stoll((*at)[3], nullptr, 16);
    ObjectBytes& object = objects[std::filesystem::path((*at)[4].str()).filename()];
    if (name.starts_with(".text") || name.starts_with(".rodata") || name.starts_with(".data")) {
      object.flash += bytes;
    } else if (name.starts_with(".bss")) {
      object.zeroed += bytes;
    }
  }
  return objects;
}

std::int64_t deepest_stack(const std::filesystem::path& folder, const std::string& function) {
  CallGraph graph;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".ci") graph.add(read_text(entry.path()));
  }
  if (!graph.has(function)) throw std::runtime_error("no call graph has " + function);
  return graph.deepest(function);
}

}  // namespace biglittle::testing
