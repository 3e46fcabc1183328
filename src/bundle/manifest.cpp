// SPDX-License-Identifier: MIT
#include "bundle/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"

namespace biglittle {
namespace {

constexpr std::string_view kFormat = "biglittle-bundle";
// A bundle has about twenty files; these limits only keep a hostile manifest small.
constexpr std::size_t kManifestLimitBytes = std::size_t{1} << 20;
constexpr std::size_t kFileLimit = 1000;
constexpr std::size_t kPathLimit = 200;
constexpr std::size_t kNameLimit = 64;

[[noreturn]] void refuse(std::string_view name, std::string_view reason) {
  throw Error(ErrorKind::bad_data, fmt::format("{}: {}", name, reason));
}

void require_keys(const Json& json, std::initializer_list<std::string_view> keys,
                  std::string_view name, std::string_view where) {
  if (!json.is_object()) refuse(name, fmt::format("{} is not an object", where));
  for (const std::string_view key : keys) {
    if (!json.contains(key)) refuse(name, fmt::format("{} has no '{}'", where, key));
  }
  for (const auto& [key, value] : json.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      refuse(name, fmt::format("{} has an unknown key '{}'", where, key));
    }
  }
}

std::string text_of(const Json& json, std::string_view key, std::string_view name) {
  const Json& value = json.at(std::string(key));
  if (!value.is_string()) refuse(name, fmt::format("'{}' is not a string", key));
  return value.get<std::string>();
}

std::string digest_of(const Json& json, std::string_view key, std::string_view name) {
  std::string text = text_of(json, key, name);
  if (!is_digest(text)) {
    refuse(name, fmt::format("'{}' is not a SHA-256 (64 lower-case hexadecimal digits)", key));
  }
  return text;
}

std::int64_t count_of(const Json& json, std::string_view key, std::string_view name) {
  const Json& value = json.at(std::string(key));
  // An unsigned number beyond int64 wraps to a negative one here and is refused with them.
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0) {
    refuse(name, fmt::format("'{}' is not a count", key));
  }
  return value.get<std::int64_t>();
}

void check_format(const Json& json, std::string_view name) {
  if (!json.is_object()) refuse(name, "is not a JSON object");
  if (!json.contains("format") || json.at("format") != kFormat) {
    refuse(name, fmt::format("'format' is not \"{}\", so this is no bundle", kFormat));
  }
  if (!json.contains("format_version")) refuse(name, "has no 'format_version'");
  const std::int64_t version = count_of(json, "format_version", name);
  if (version > kBundleVersion) {
    refuse(name, fmt::format("format version {} is newer than {}, the newest this program reads; "
                             "use a newer biglittle",
                             version, kBundleVersion));
  }
  if (version == 0) refuse(name, "format version 0 does not exist");
  if (version < kBundleVersion) {
    refuse(name, fmt::format("format version {} has no recorded answers, which version {} needs; "
                             "export again",
                             version, kBundleVersion));
  }
}

FileRecord file_from_json(const Json& json, std::string_view name) {
  require_keys(json, {"path", "bytes", "sha256"}, name, "a file");
  FileRecord record;
  record.path = text_of(json, "path", name);
  if (!is_bundle_path(record.path)) {
    // The path is hostile text: dump() escapes control characters.
    refuse(name, fmt::format("file name {} is not a plain path inside the bundle",
                             json.at("path").dump(-1, ' ', true, Json::error_handler_t::replace)));
  }
  if (record.path == kManifestName) refuse(name, "the manifest lists itself");
  record.bytes = count_of(json, "bytes", name);
  record.sha256 = digest_of(json, "sha256", name);
  return record;
}

std::vector<FileRecord> files_from_json(const Json& json, std::string_view name) {
  if (!json.is_array()) refuse(name, "'files' is not a list");
  if (json.size() > kFileLimit) {
    refuse(name, fmt::format("lists {} files, at most {} are permitted", json.size(), kFileLimit));
  }
  std::vector<FileRecord> files;
  for (const Json& file : json) {
    files.push_back(file_from_json(file, name));
    if (files.size() > 1 && !(files[files.size() - 2].path < files.back().path)) {
      refuse(name, fmt::format("file '{}' is out of order or listed twice", files.back().path));
    }
  }
  return files;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

SplitRecords describe_splits(const Dataset& dataset) {
  SplitRecords records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i] = {dataset.splits[i].digest, dataset.splits[i].samples.count()};
  }
  return records;
}

Json to_json(const MeasuredOn& measured_on) {
  Json splits = Json::object();
  for (std::size_t i = 0; i < measured_on.splits.size(); ++i) {
    splits[std::string(kSplitNames[i])] = {{"digest", measured_on.splits[i].digest},
                                           {"samples", measured_on.splits[i].samples}};
  }
  return {{"dataset_digest", measured_on.dataset_digest}, {"splits", std::move(splits)}};
}

MeasuredOn measured_on_from_json(const Json& json, std::string_view name) {
  return read_json(name, [&] {
    require_keys(json, {"dataset_digest", "splits"}, name, "'measured_on'");
    MeasuredOn measured_on;
    measured_on.dataset_digest = digest_of(json, "dataset_digest", name);
    const Json& splits = json.at("splits");
    require_keys(splits, {"train", "tune", "calibration", "test"}, name, "'splits'");
    for (std::size_t i = 0; i < kSplitNames.size(); ++i) {
      const Json& split = splits.at(std::string(kSplitNames[i]));
      require_keys(split, {"digest", "samples"}, name, kSplitNames[i]);
      measured_on.splits[i] = {digest_of(split, "digest", name), count_of(split, "samples", name)};
    }
    return measured_on;
  });
}

std::string bundle_id(std::vector<FileRecord> files) {
  std::sort(files.begin(), files.end(),
            [](const FileRecord& a, const FileRecord& b) { return a.path < b.path; });
  Sha256 hash;
  for (const FileRecord& file : files) hash.update(file.path + " " + file.sha256 + "\n");
  return hash.finish();
}

bool is_bundle_path(std::string_view path) {
  if (path.empty() || path.size() > kPathLimit) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (!std::all_of(part.begin(), part.end(), is_name_character)) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_bundle_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameLimit &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Json to_json(const Manifest& manifest) {
  Json files = Json::array();
  for (const FileRecord& file : manifest.files) {
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return {{"format", kFormat},
          {"format_version", kBundleVersion},
          {"program_version", manifest.program_version},
          {"name", manifest.name},
          {"id", manifest.id},
          {"measured_on", to_json(manifest.measured_on)},
          {"files", std::move(files)}};
}

Manifest manifest_from_json(const Json& json, std::string_view name) {
  return read_json(name, [&] {
    check_format(json, name);
    require_keys(
        json, {"format", "format_version", "program_version", "name", "id", "measured_on", "files"},
        name, "the manifest");
    Manifest manifest;
    manifest.program_version = text_of(json, "program_version", name);
    manifest.name = text_of(json, "name", name);
    if (!is_bundle_name(manifest.name)) {
      refuse(name, "'name' is not made of lower-case letters, digits and '-'");
    }
    manifest.id = digest_of(json, "id", name);
    manifest.measured_on = measured_on_from_json(json.at("measured_on"), name);
    manifest.files = files_from_json(json.at("files"), name);
    if (manifest.id != bundle_id(manifest.files)) {
      refuse(name, "'id' is not the hash of the listed files");
    }
    return manifest;
  });
}

bool is_bundle_folder(const std::filesystem::path& folder) {
  try {
    const std::string text = read_text(folder / kManifestName, kManifestLimitBytes);
    const Json json = parse_json(text, kManifestName);
    return json.is_object() && json.contains("format") && json.at("format") == kFormat;
  } catch (const Error&) {
    return false;
  }
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kManifestName;
  const std::string name = file.string();
  std::error_code ignored;
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(file, ignored))) {
    refuse(name, "is a symbolic link, expected a plain file");
  }
  return manifest_from_json(parse_json(read_text(file, kManifestLimitBytes), name), name);
}

}  // namespace biglittle
