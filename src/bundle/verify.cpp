// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "bundle/bundle.h"
#include "bundle/c_source.h"
#include "bundle/contents.h"
#include "bundle/device_check.h"
#include "bundle/measurements.h"
#include "bundle/report.h"
#include "bundle/stored.h"
#include "bundle/vectors.h"
#include "core/error.h"
#include "core/version.h"

namespace biglittle {
namespace {

using Outcome = VerifyItem::Outcome;

constexpr std::string_view kDevice = "device/";

/// Collects the lines of the table; once a check that others build on failed, those are skipped.
class Table {
 public:
  /// Runs `check`, which returns the detail of success or throws Error.
  template <typename Check>
  bool run(std::string what, Check&& check) {
    try {
      std::string detail = check();  // Before `what` moves, as it may throw.
      items_.push_back({std::move(what), Outcome::passed, std::move(detail)});
      return true;
    } catch (const Error& error) {
      items_.push_back({std::move(what), Outcome::failed, error.what()});
      return false;
    }
  }

  void skip(std::string what, std::string reason) {
    items_.push_back({std::move(what), Outcome::skipped, std::move(reason)});
  }

  void skip_all(std::initializer_list<const char*> names, const std::string& reason) {
    for (const char* name : names) skip(name, reason);
  }

  void add(VerifyItem item) { items_.push_back(std::move(item)); }

  std::vector<VerifyItem> take() { return std::move(items_); }

 private:
  std::vector<VerifyItem> items_;
};

/// Manifest, contents and hashes; nothing when one of them failed.
std::optional<Manifest> verify_files(const std::filesystem::path& folder, Table& table) {
  Manifest manifest;
  if (!table.run("manifest", [&] {
        manifest = read_manifest(folder);
        return fmt::format("bundle {}, id {}", manifest.name, manifest.id);
      })) {
    return std::nullopt;
  }
  bool intact = table.run("contents", [&] {
    check_contents(folder, manifest);
    return fmt::format("{} files", manifest.files.size());
  });
  // Without this, a link or stray folder could decide which file is hashed.
  if (!intact) return std::nullopt;
  for (const FileRecord& record : manifest.files) {
    intact &= table.run("file " + record.path, [&] {
      check_file(folder, record);
      return fmt::format("{} bytes", record.bytes);
    });
  }
  if (!intact) return std::nullopt;
  return manifest;
}

/// The networks and what describes them.
std::optional<Bundle> verify_networks(const std::filesystem::path& folder, Manifest manifest,
                                      Table& table) {
  Bundle bundle;
  const bool readable = table.run("networks", [&] {
    bundle = read_parts(folder, std::move(manifest));
    check_networks(parts_of(bundle), folder.string());
    return fmt::format("{} big and {} little classes", bundle.big.classes.size(),
                       bundle.little.classes.size());
  });
  if (!readable) return std::nullopt;
  table.run("descriptions", [&] {
    compare_files(folder, description_files(parts_of(bundle)));
    return std::string("classes.json and preprocessing.json are the networks'");
  });
  return bundle;
}

/// The answers and the policy that was made from them; false when one of them failed.
bool verify_policy(Bundle& bundle, Table& table) {
  const bool recorded = table.run("answers", [&] {
    add_answers(bundle);
    const RecordedAnswers& answers = bundle.answers;
    return fmt::format(
        "to {} tune, {} calibration and {} test samples{}", answers.tune.count(),
        answers.calibration.count(), answers.test.count(),
        answers.log ? fmt::format(", and a log of {} rows", answers.log->count()) : "");
  });
  if (!recorded) {
    table.skip("policy", "the recorded answers failed");
    return false;
  }
  return table.run("policy", [&] {
    check_policy(bundle);
    const PriorityMap& map = *bundle.little.priority;
    recheck(bundle.policy, certifying_scores(bundle.answers, bundle.policy.rule, map), map,
            (bundle.folder / "policy.json").string());
    return fmt::format("bound to both networks; its certificate follows from the {}",
                       bundle.answers.log ? "log" : "answers on calibration");
  });
}

/// The test vectors; none when they failed.
TestVectors verify_vectors(const Bundle& bundle, Table& table) {
  TestVectors vectors;
  table.run("vectors", [&] {
    const std::filesystem::path file = bundle.folder / "little/vectors.safetensors";
    TestVectors recorded = read_vectors(file, bundle.little_int8);
    const std::string difference = first_difference(
        recorded,
        make_vectors(bundle.little_int8, bundle.policy, recorded.samples, recorded.labels));
    if (!difference.empty()) {
      throw Error(ErrorKind::bad_data, fmt::format("{}: {}", file.string(), difference));
    }
    check_first_answers(recorded, bundle.answers, file.string());
    vectors = std::move(recorded);
    return fmt::format("{} samples give the recorded integers", vectors.count());
  });
  return vectors;
}

/// The device/ files that the bundle lists beyond those of `expected`.
void refuse_extra_device_files(const Manifest& manifest, const FileSet& expected,
                               const std::filesystem::path& folder) {
  for (const FileRecord& record : manifest.files) {
    if (record.path.starts_with(kDevice) && !expected.contains(record.path)) {
      throw Error(ErrorKind::bad_data, fmt::format("{}: is not part of the device code",
                                                   (folder / record.path).string()));
    }
  }
}

/// The device code is made anew from the networks and compared before any of it is compiled, so
/// that a tampered bundle cannot make verify run its code.
void verify_device(const Bundle& bundle, const TestVectors& vectors, VerifyEngines engines,
                   Table& table) {
  DeviceSource source;
  const bool own = table.run("device source", [&] {
    source =
        device_source(bundle.little_int8, bundle.policy, vectors.samples, vectors.accumulators);
    FileSet expected;
    for (const auto& [name, text] : source.files)
      expected.emplace(std::string(kDevice) + name, text);
    compare_files(bundle.folder, expected);
    refuse_extra_device_files(bundle.manifest, expected, bundle.folder);
    return fmt::format("{} files are what this program makes of the int8 network", expected.size());
  });
  if (!own) {
    table.skip("device code", "its source is not what this program makes");
  } else if (engines == VerifyEngines::none) {
    table.skip("device code", "engines were not asked for");
  } else {
    try {
      table.add(check_device_code(source.files));
    } catch (const Error& error) {
      table.add({"device code", Outcome::failed, error.what()});
    }
  }
}

void verify_made_files(const Bundle& bundle, const TestVectors& vectors, VerifyEngines engines,
                       Table& table) {
  table.run("onnx", [&] {
    compare_files(bundle.folder, onnx_files(parts_of(bundle)));
    return std::string("three files are what this program makes of the networks");
  });
  table.run("report", [&] {
    const DeviceFootprint footprint = device_footprint(bundle.little_int8);
    const FileSet expected = report_files(
        {bundle.name, parts_of(bundle), bundle.answers, bundle.manifest.measured_on, footprint});
    compare_files(bundle.folder, expected);
    return fmt::format("{} files are what this program makes of the answers", expected.size());
  });
  if (vectors.count() == 0) {
    table.skip_all({"device source", "device code"}, "the test vectors failed");
    return;
  }
  verify_device(bundle, vectors, engines, table);
}

/// Everything behind the files' hashes. A check is skipped when what it reads has failed.
void verify_content(const std::filesystem::path& folder, Manifest manifest, VerifyEngines engines,
                    Table& table) {
  const bool same_version = manifest.program_version == program_version();
  const std::string version = manifest.program_version;
  std::optional<Bundle> bundle = verify_networks(folder, std::move(manifest), table);
  if (!bundle) {
    table.skip_all({"descriptions", "answers", "policy", "vectors", "onnx", "report",
                    "device source", "device code"},
                   "the networks failed");
    return;
  }
  if (!verify_policy(*bundle, table)) {
    table.skip_all({"vectors", "onnx", "report", "device source", "device code"},
                   "the answers or the policy failed");
    return;
  }
  const TestVectors vectors = verify_vectors(*bundle, table);
  if (!same_version) {
    table.skip_all({"onnx", "report", "device source", "device code"},
                   fmt::format("made by biglittle {}, this is {}: only the same version can make "
                               "the files again and compare",
                               version, program_version()));
    return;
  }
  verify_made_files(*bundle, vectors, engines, table);
}

}  // namespace

std::vector<VerifyItem> verify_bundle(const std::filesystem::path& folder, VerifyEngines engines) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw Error(ErrorKind::missing_input,
                fmt::format("{}: no such folder, expected a bundle", folder.string()));
  }
  Table table;
  std::optional<Manifest> manifest = verify_files(folder, table);
  if (manifest) {
    verify_content(folder, std::move(*manifest), engines, table);
  } else {
    table.skip_all({"networks", "descriptions", "answers", "policy", "vectors", "onnx", "report",
                    "device source", "device code"},
                   "the files are not those of the manifest");
  }
  return table.take();
}

}  // namespace biglittle
