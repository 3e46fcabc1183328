// SPDX-License-Identifier: MIT
// Folders train/CLASS and test/CLASS of JPEG and PNG files, decoded on every core.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/on_every_core.h"
#include "data/image.h"
#include "data/layout.h"
#include "data/sources.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 28;

/// Everything in `folder` by name, except what is hidden: systems leave such files everywhere.
std::vector<fs::path> visible_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with('.')) entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_image_name(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

struct ImageFile {
  fs::path path;
  std::int64_t label = 0;
};

void append_class(std::vector<ImageFile>& files, const fs::path& folder, std::int64_t label) {
  for (fs::path& file : visible_entries(folder)) {
    if (!fs::is_regular_file(file) || !is_image_name(file)) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: not an image by its name, expected files ending in .jpg, .jpeg "
                              "or .png; move it elsewhere",
                              file.string()));
    }
    files.push_back({std::move(file), label});
  }
}

std::vector<std::string> folder_names(const fs::path& part) {
  std::vector<std::string> names;
  for (const fs::path& entry : visible_entries(part)) {
    if (!fs::is_directory(entry)) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: a file among the folders of the classes, expected images in "
                              "{}/CLASS; move it elsewhere",
                              entry.string(), part.filename().string()));
    }
    names.push_back(entry.filename().string());
  }
  return names;
}

/// The folder names of `part` must be the classes, all of them and no others.
void check_folders(const fs::path& part, const std::vector<std::string>& classes) {
  const std::vector<std::string> names = folder_names(part);
  const std::set<std::string> found(names.begin(), names.end());
  const std::set<std::string> expected(classes.begin(), classes.end());
  for (const std::string& name : expected) {
    if (found.contains(name)) continue;
    throw Error(ErrorKind::missing_input,
                fmt::format("{}: no folder '{}', expected one for each class; add it or correct "
                            "import.classes",
                            part.string(), name));
  }
  for (const std::string& name : found) {
    if (expected.contains(name)) continue;
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: folder '{}' is none of the classes, expected one for each class; "
                            "remove it or correct import.classes",
                            part.string(), name));
  }
}

std::vector<ImageFile> list_part(const fs::path& part, const std::vector<std::string>& classes) {
  check_folders(part, classes);
  std::vector<ImageFile> files;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    append_class(files, part / classes[label], static_cast<std::int64_t>(label));
  }
  if (files.empty()) {
    throw Error(ErrorKind::missing_input,
                fmt::format("{}: no images, expected some in {}/CLASS; put them there",
                            part.string(), part.filename().string()));
  }
  return files;
}

std::vector<std::byte> read_image_file(const fs::path& file) {
  return read_bytes(file, kMaxFileBytes);
}

/// By the headers alone, before memory is taken for the pixels of `part`.
void check_shapes(const fs::path& part, const std::vector<ImageFile>& files, const Shape& shape,
                  const fs::path& first) {
  on_every_core(static_cast<std::int64_t>(files.size()), [&](std::int64_t row) {
    const fs::path& file = files[static_cast<std::size_t>(row)].path;
    const Shape found = image_shape(read_image_file(file), file.string());
    if (found == shape) return;
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: image of {}, expected {} (channels, height, width) as {}; make "
                            "all images one size and all gray or all RGB",
                            file.string(), to_string(found), to_string(shape), first.string()));
  });
  const auto bytes = static_cast<std::int64_t>(files.size()) * shape.count();
  if (bytes > layout::kMaxArrayBytes) {
    throw Error(
        ErrorKind::bad_data,
        fmt::format("{}: {} images of {} take {} bytes, expected at most {}; use fewer or "
                    "smaller ones",
                    part.string(), files.size(), to_string(shape), bytes, layout::kMaxArrayBytes));
  }
}

/// One line for each file: its name within the part and its hash.
std::string part_digest(const fs::path& part, const std::vector<ImageFile>& files,
                        const std::vector<std::string>& hashes) {
  Sha256 all;
  for (std::size_t row = 0; row < files.size(); ++row) {
    const std::string name = files[row].path.lexically_relative(part).generic_string();
    all.update(name + '\n' + hashes[row] + '\n');
  }
  return all.finish();
}

struct DecodedPart {
  SourcePart part;
  Json provenance;
};

DecodedPart decode(const fs::path& folder, const std::vector<ImageFile>& files,
                   const Shape& shape) {
  const auto size = static_cast<std::size_t>(shape.count());
  std::vector<std::uint8_t> values(files.size() * size);
  std::vector<std::string> hashes(files.size());
  on_every_core(static_cast<std::int64_t>(files.size()), [&](std::int64_t row) {
    const auto index = static_cast<std::size_t>(row);
    const std::string name = files[index].path.string();
    const std::vector<std::byte> content = read_image_file(name);
    decode_image(content, name, shape, std::span(values).subspan(index * size, size));
    hashes[index] = sha256_hex(content);
  });
  DecodedPart decoded{{{shape, std::move(values)}, {}}, {}};
  for (const ImageFile& file : files) decoded.part.labels.push_back(file.label);
  decoded.provenance = {{"name", folder.filename().string()},
                        {"files", files.size()},
                        {"sha256", part_digest(folder, files, hashes)}};
  return decoded;
}

}  // namespace

bool holds_images(const fs::path& folder) {
  return fs::is_directory(folder / "train") && fs::is_directory(folder / "test");
}

RawSource read_image_source(const ImportOptions& options) {
  if (!holds_images(options.source)) {
    throw Error(ErrorKind::missing_input,
                fmt::format("{}: no folders train and test, expected images in train/CLASS and "
                            "test/CLASS; put them there or set import.source",
                            options.source.string()));
  }
  const fs::path train = options.source / "train", test = options.source / "test";
  RawSource source;
  source.classes = options.classes.empty() ? folder_names(train) : options.classes;
  const std::vector<ImageFile> train_files = list_part(train, source.classes);
  const std::vector<ImageFile> test_files = list_part(test, source.classes);
  const fs::path& first = train_files.front().path;
  const Shape shape = image_shape(read_image_file(first), first.string());
  check_shapes(train, train_files, shape, first);
  check_shapes(test, test_files, shape, first);
  DecodedPart decoded_train = decode(train, train_files, shape);
  DecodedPart decoded_test = decode(test, test_files, shape);
  source.files = {decoded_train.provenance, decoded_test.provenance};
  source.train = std::move(decoded_train.part);
  source.test = std::move(decoded_test.part);
  return source;
}

}  // namespace biglittle
