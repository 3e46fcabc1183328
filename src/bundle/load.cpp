// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <utility>

#include "bundle/bundle.h"
#include "bundle/contents.h"
#include "bundle/report_json.h"
#include "bundle/stored.h"
#include "core/error.h"
#include "core/files.h"

namespace biglittle {

Bundle read_parts(const std::filesystem::path& folder, Manifest manifest) {
  const std::filesystem::path policy = folder / "policy.json";
  Bundle bundle;
  bundle.folder = folder;
  bundle.big = load_checkpoint(folder / "big/model.safetensors");
  bundle.little = load_checkpoint(folder / "little/model.safetensors");
  bundle.little_int8 = load_int8_model(folder / "little/model.int8.safetensors");
  bundle.policy = policy_from_json(parse_json(read_text(policy), policy.string()), policy.string());
  bundle.report = read_report(folder / "report.json", manifest);
  bundle.id = manifest.id;
  bundle.name = manifest.name;
  bundle.manifest = std::move(manifest);
  return bundle;
}

Parts parts_of(const Bundle& bundle) {
  return {bundle.big, bundle.little, bundle.little_int8, bundle.policy};
}

void compare_files(const std::filesystem::path& folder, const FileSet& expected) {
  for (const auto& [path, text] : expected) {
    if (read_text(folder / path, std::size_t{1} << 34) != text) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: is not what the networks beside it make; export again",
                              (folder / path).string()));
    }
  }
}

Bundle load_bundle(const std::filesystem::path& folder) {
  Manifest manifest = read_manifest(folder);
  check_contents(folder, manifest);
  for (const FileRecord& record : manifest.files) check_file(folder, record);
  Bundle bundle = read_parts(folder, std::move(manifest));
  const Parts parts = parts_of(bundle);
  check_networks(parts, folder.string());
  check_policy_binding(parts, (folder / "policy.json").string());
  compare_files(folder, description_files(parts));
  return bundle;
}

}  // namespace biglittle
