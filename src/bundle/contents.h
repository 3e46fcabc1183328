// SPDX-License-Identifier: MIT
#pragma once

// What lies in a bundle's folder, compared with what its manifest says: no file more, none less,
// no links, every size and hash as listed.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/manifest.h"

namespace biglittle {

/// Files that a bundle of this format version always has, besides the manifest and device/.
std::vector<std::string> required_files();

/// Every file under `folder` except the manifest, hashed, sorted by path. Throws Error{bad_data}
/// for a link or anything else that is not a plain file.
std::vector<FileRecord> hash_files(const std::filesystem::path& folder);

/// Throws Error{bad_data} for a link, a file whose name is not in the manifest, or a required file
/// that the manifest does not list. Reads no content.
void check_contents(const std::filesystem::path& folder, const Manifest& manifest);

/// Throws Error{missing_input} when the file is not there and Error{bad_data} when its size or hash
/// is not the record's.
void check_file(const std::filesystem::path& folder, const FileRecord& record);

/// Throws Error{cannot_create} when `folder` exists, is not empty and is no bundle, so that an
/// export never replaces somebody's files.
void check_replaceable(const std::filesystem::path& folder);

}  // namespace biglittle
