// SPDX-License-Identifier: MIT
#include "cli/save_sites.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>

namespace biglittle::testing {
namespace {

/// The file that a traced call is about: "runs/toy/.big.safetensors.partial-7-0" ->
/// big.safetensors.
bool read_file_name(const std::string& line, const std::string& folder, SaveSite& site) {
  const std::size_t at = line.find(folder);
  if (at == std::string::npos) return false;
  std::string name = line.substr(at + folder.size());
  name = name.substr(0, name.find_first_of("\">"));
  if (name.starts_with("/")) name.erase(0, 1);
  const std::size_t partial = name.find(".partial-");
  site.is_temporary = partial != std::string::npos;
  site.file = site.is_temporary ? name.substr(1, partial - 1) : name;
  return true;
}

/// Whether a call belongs to a save and not to reading or looking around.
bool is_save(const std::string& line, const SaveSite& site) {
  if (site.call == "write" || site.call == "fsync" || site.call == "rename") return true;
  if (site.call == "read") return site.is_temporary;
  if (site.call == "close") return !site.file.empty();
  if (site.call != "openat") return false;
  return site.is_temporary || site.file.empty() || line.find("O_CREAT") != std::string::npos;
}

}  // namespace

bool can_trace() {
  return std::system("strace -qq -o /dev/null -e trace=close true 2>/dev/null") == 0;
}

// The main thread alone, which saves: other threads and processes would have counts of their own.
std::vector<std::string> traced(const std::filesystem::path& log) {
  return {"strace",     "-y", "-qq",
          "-s",         "0",  "-o",
          log.string(), "-e", "trace=execve,openat,read,write,fsync,close,rename,unlink"};
}

std::vector<std::string> traced(const std::filesystem::path& log, const SaveSite& site,
                                const std::string& fault) {
  std::vector<std::string> words = traced(log);
  words.emplace_back("-e");
  words.push_back(fmt::format("inject={}:{}:when={}", site.call, fault, site.number));
  return words;
}

std::vector<SaveSite> save_sites(const std::filesystem::path& log, const std::string& folder) {
  static const std::regex form(R"(^(\w+)\((\d*))");
  std::ifstream lines(log);
  std::vector<SaveSite> sites;
  std::map<std::string, int> numbers;
  std::map<std::string, int> replaced;
  std::set<std::string> written;  // descriptors
  std::smatch parts;
  for (std::string line; std::getline(lines, line);) {
    if (!std::regex_search(line, parts, form)) continue;
    SaveSite site;
    site.call = parts[1];
    site.number = ++numbers[site.call];
    site.replaced = replaced;
    const std::string descriptor = parts[2];
    if (!read_file_name(line, folder, site)) continue;
    if (site.call == "write") written.insert(descriptor);
    if (site.call == "close") site.must_fail = written.erase(descriptor) > 0;
    site.takes_space = site.call == "openat" ? line.find("O_CREAT") != std::string::npos
                                             : site.call != "read" && site.must_fail;
    // A folder is opened to be synced, but also to be listed.
    if (site.call == "openat") site.must_fail = !site.file.empty();
    if (is_save(line, site)) sites.push_back(site);
    const bool removed = site.call == "unlink" && !site.is_temporary;
    if (site.call == "rename" || removed) ++replaced[site.file];
  }
  return sites;
}

std::string injected_call(const std::filesystem::path& log) {
  std::ifstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("(INJECTED)") != std::string::npos) return line;
  }
  return "";
}

}  // namespace biglittle::testing
