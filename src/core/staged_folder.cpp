// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/temporaries.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(ErrorKind kind, const fs::path& folder, std::string_view what,
                       std::string_view reason) {
  throw Error(kind, fmt::format("{}: {}: {}", folder.string(), what, reason));
}

void sync(const fs::path& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) {
    fail(ErrorKind::io, path, "cannot be synced", std::strerror(errno));
  }
}

void sync_tree(const fs::path& folder) {
  std::error_code code;
  fs::recursive_directory_iterator entry(folder, code);
  for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    const fs::file_type type = entry->symlink_status().type();
    if (type == fs::file_type::regular || type == fs::file_type::directory) sync(entry->path());
  }
  if (code) fail(ErrorKind::io, folder, "cannot be listed", code.message());
  sync(folder);
}

// Both names at once, so that a process that is killed leaves one whole folder under either.
bool exchange_names(const fs::path& staging, const fs::path& final) {
  return ::renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, final.c_str(), RENAME_EXCHANGE) == 0;
}

// For file systems that cannot swap.
void move_aside_and_replace(const fs::path& staging, const fs::path& final) {
  const fs::path aside = unused_name(final);
  if (::rename(final.c_str(), aside.c_str()) != 0) {
    fail(ErrorKind::io, final, "cannot be replaced", std::strerror(errno));
  }
  if (::rename(staging.c_str(), final.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    ::rename(aside.c_str(), final.c_str());
    fail(ErrorKind::io, final, "cannot be put in place, the previous folder is kept", reason);
  }
  std::error_code ignored;
  fs::remove_all(aside, ignored);
}

}  // namespace

struct StagedFolder::Lock {
  Descriptor held;
};

StagedFolder::StagedFolder(fs::path final_path) : final_(std::move(final_path)) {
  // "exports/name/" would otherwise be a nameless entry inside exports/name.
  if (!final_.has_filename()) final_ = final_.parent_path();
  std::error_code code;
  if (fs::exists(final_, code) && !fs::is_directory(final_, code)) {
    fail(ErrorKind::cannot_create, final_, "cannot be created", "a file of that name exists");
  }
  fs::create_directories(folder_of(final_), code);
  if (code) {
    fail(ErrorKind::cannot_create, folder_of(final_), "folder cannot be made", code.message());
  }
  Temporary temporary = make_temporary(final_, [](const fs::path& name) {
    if (::mkdir(name.c_str(), 0777) != 0) return -1;
    return ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  });
  if (temporary.name.empty()) {
    fail(ErrorKind::cannot_create, final_, "cannot be created", std::strerror(errno));
  }
  staging_ = std::move(temporary.name);
  lock_ = std::make_unique<Lock>(Lock{std::move(temporary.lock)});
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(staging_, ignored);
}

void StagedFolder::commit() {
  sync_tree(staging_);
  const bool replaces = fs::exists(fs::symlink_status(final_));
  if (replaces && !exchange_names(staging_, final_)) {
    move_aside_and_replace(staging_, final_);
  } else if (!replaces && ::rename(staging_.c_str(), final_.c_str()) != 0) {
    fail(ErrorKind::io, final_, "cannot be put in place", std::strerror(errno));
  }
  committed_ = true;
  sync(folder_of(final_));
  std::error_code ignored;
  if (replaces) fs::remove_all(staging_, ignored);  // the previous folder, where they were swapped
}

}  // namespace biglittle
