// SPDX-License-Identifier: MIT
// scripts/soak engines and scripts/soak graphs: every engine over all real images there are, and
// thousands of random graphs. Exit code 1 when one integer differs.
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>

#include "engines/agreement.h"
#include "engines/random_graphs.h"
#include "engines/real_images.h"
#include "testing/temporary_folder.h"

namespace {

using namespace biglittle;
using namespace biglittle::testing;

/// The table, a row as soon as it is known.
class Table {
 public:
  Table() {
    fmt::print("{:<56} {:>8} {:>8} {:>9}\n", "engine", "networks", "samples", "differing");
  }

  void add(const Agreement& row, const std::string& images) {
    const std::lock_guard lock(mutex_);
    const std::string name = row.engine + ", " + images;
    if (row.skipped.empty()) {
      fmt::print("{:<56} {:>8} {:>8} {:>9}\n", name, row.networks, row.samples, row.differing);
    } else {
      fmt::print("{:<56} skipped: {}\n", name, row.skipped);
    }
    std::fflush(stdout);
    differing_ += row.differing;
    outputs_ += row.networks * row.samples;
  }
  int finish() const {
    fmt::print("{} of {} outputs differ\n", differing_, outputs_);
    return differing_ == 0 && outputs_ > 0 ? 0 : 1;
  }

 private:
  std::mutex mutex_;
  std::int64_t differing_ = 0;
  std::int64_t outputs_ = 0;
};

/// An engine that breaks down agrees with nobody.
template <typename Run>
void report(Table& table, const std::string& engine, const std::string& images, const Run& run) {
  try {
    run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", engine, error.what());
    table.add({engine, 0, 0, 1, ""}, images);
  }
}

/// Which part of the soak is wanted: images and engines whose name holds a text.
struct Wanted {
  std::string_view images;
  std::string_view engine;

  bool has(std::string_view image_set, std::string_view name) const {
    return image_set.find(images) != std::string_view::npos &&
           name.find(engine) != std::string_view::npos;
  }
};

void run_engines(Table& table, const PreparedFleet& fleet, const std::string& images,
                 const Wanted& wanted) {
  std::vector<DeviceEngine> engines = device_engines();
  std::erase_if(engines, [&](const DeviceEngine& e) { return !wanted.has(images, e.name); });
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < engines.size(); i = next++) {
      report(table, engines[i].name, images,
             [&] { table.add(fleet.run(engines[i], std::to_string(i)), images); });
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) workers.emplace_back(work);
}

void run_all(Table& table, std::vector<EngineNetwork> networks, const Samples& images,
             const std::string& name, const Wanted& wanted) {
  const TemporaryFolder folder;
  const PreparedFleet fleet(folder / "device", real_fleet(networks, images));
  run_engines(table, fleet, name, wanted);
  if (!wanted.has(name, "ONNX Runtime")) return;
  std::filesystem::create_directories(folder / "onnx");
  report(table, "ONNX Runtime", name, [&] {
    for (const Agreement& row : run_onnx(folder / "onnx", fleet.fleet())) table.add(row, name);
  });
}

constexpr std::string_view kFashion = "Fashion-MNIST";
constexpr std::string_view kCifar = "CIFAR-10-JPEG";

int soak_engines(std::int64_t count, const Wanted& wanted) {
  Table table;
  if (kFashion.find(wanted.images) != std::string_view::npos) {
    if (const auto fashion = fashion_mnist_test(count)) {
      run_all(table, engine_networks(), *fashion, std::string(kFashion), wanted);
    } else {
      fmt::print("Fashion-MNIST skipped: dataset-fashion-mnist is not installed\n");
    }
  }
  if (kCifar.find(wanted.images) == std::string_view::npos) return table.finish();
  const std::string missing = missing_cifar10_jpeg();
  if (!missing.empty()) {
    fmt::print("CIFAR-10-JPEG skipped: {}\n", missing);
    return table.finish();
  }
  std::vector<EngineNetwork> colour = engine_networks();
  std::erase_if(colour, [](const EngineNetwork& network) {
    return network.graph.input().shape.channels != 3;
  });
  run_all(table, std::move(colour), cifar10_jpeg_test(count), std::string(kCifar), wanted);
  return table.finish();
}

int soak_graphs(std::int64_t count) {
  constexpr std::int64_t kBatch = 50;
  const TemporaryFolder folder;
  const int batches = static_cast<int>((count + kBatch - 1) / kBatch);
  std::vector<DeviceEngine> engines = sanitized_engines();
  for (DeviceEngine& engine : plain_engines()) engines.push_back(std::move(engine));
  for (const DeviceEngine& engine : engines) fmt::print("{}\n", engine.compiler);
  const std::string report =
      check_random_graphs(RandomGraphs(folder / "graphs", engines), batches, kBatch);
  fmt::print("{}{} graphs, {} engines: {}\n", report, batches * kBatch, engines.size(),
             report.empty() ? "0 differing values" : "FAILED");
  return report.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const std::int64_t count = argc > 2 ? std::atoll(argv[2]) : 0;
  const Wanted wanted{argc > 3 ? argv[3] : "", argc > 4 ? argv[4] : ""};
  if (what == "engines") return soak_engines(count > 0 ? count : 10000, wanted);
  if (what == "graphs") return soak_graphs(count > 0 ? count : 2000);
  fmt::print(stderr, "usage: engines_soak engines [SAMPLES [IMAGES [ENGINE]]] | graphs [GRAPHS]\n");
  return 64;
}
