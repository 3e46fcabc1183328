// SPDX-License-Identifier: MIT
// usage: export_networks FOLDER [NETWORK...]
// Writes each benchmark network (all without names) as FOLDER/NETWORK; network_folder.h says what
// that holds.

#include <cstdio>
#include <exception>

#include "bench/network_folder.h"

int main(int argc, char** argv) {
  using namespace biglittle::bench;
  if (argc < 2) {
    std::fprintf(stderr, "usage: export_networks FOLDER [NETWORK...]\n");
    return 64;
  }
  try {
    std::vector<std::string> names(argv + 2, argv + argc);
    if (names.empty()) names = network_names();
    for (const std::string& name : names) {
      write_network_folder(make_network(name), std::filesystem::path(argv[1]) / name);
      std::printf("%s\n", name.c_str());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "export_networks: %s\n", error.what());
    return 70;
  }
  return 0;
}
