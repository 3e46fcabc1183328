// SPDX-License-Identifier: MIT
// CIFAR-10's binary version, as https://www.cs.toronto.edu/~kriz/cifar.html describes it: records
// of one label byte and 3072 pixel bytes, 32 rows of 32 for red, then green, then blue.
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "data/sources.h"

namespace biglittle {
namespace {

constexpr Shape kShape{3, 32, 32};
constexpr std::size_t kPixels = 3072;
constexpr std::size_t kRecord = 1 + kPixels;
constexpr std::size_t kClasses = 10;
constexpr const char* kNames = "batches.meta.txt";
constexpr std::size_t kMaxNamesBytes = 1 << 16;

const std::vector<std::string> kTrainFiles = {"data_batch_1.bin", "data_batch_2.bin",
                                              "data_batch_3.bin", "data_batch_4.bin",
                                              "data_batch_5.bin"};
const std::vector<std::string> kTestFiles = {"test_batch.bin"};

std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name) {
  std::filesystem::path file = folder / name;
  if (std::filesystem::is_regular_file(file)) return file;
  throw Error(ErrorKind::missing_input,
              fmt::format("{}: no file {}, expected the whole binary version of CIFAR-10; put it "
                          "there or set import.source",
                          folder.string(), name));
}

/// One name a line; the file ends with an empty one.
std::vector<std::string> read_names(const std::filesystem::path& folder) {
  const std::filesystem::path file = find_file(folder, kNames);
  std::vector<std::string> names;
  const std::string text = read_text(file, kMaxNamesBytes);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string name = text.substr(begin, end - begin);
    if (name.ends_with('\r')) name.pop_back();
    if (!name.empty()) names.push_back(std::move(name));
    begin = end + 1;
  }
  if (names.size() != kClasses) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: {} class names, expected {}; fetch the file again or set "
                            "import.classes",
                            file.string(), names.size(), kClasses));
  }
  return names;
}

void check_size(std::size_t size, const std::filesystem::path& file) {
  if (size != 0 && size % kRecord == 0) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: {} bytes, expected whole records of {}; fetch the file again",
                          file.string(), size, kRecord));
}

SourcePart read_part(const std::filesystem::path& folder, const std::vector<std::string>& names,
                     std::size_t classes) {
  std::vector<std::uint8_t> values;
  std::vector<std::int64_t> labels;
  for (const std::string& name : names) {
    const std::filesystem::path file = find_file(folder, name);
    const std::vector<std::byte> content = read_bytes(file);
    check_size(content.size(), file);
    const std::size_t before = labels.size();
    for (std::size_t record = 0; record < content.size(); record += kRecord) {
      labels.push_back(std::to_integer<std::int64_t>(content[record]));
      const auto* pixels = reinterpret_cast<const std::uint8_t*>(&content[record]) + 1;
      values.insert(values.end(), pixels, pixels + kPixels);
    }
    check_label_range(std::span(labels).subspan(before), classes, file.string());
  }
  return {{kShape, std::move(values)}, std::move(labels)};
}

}  // namespace

bool holds_cifar10(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / kTrainFiles.front());
}

RawSource read_cifar10_source(const ImportOptions& options) {
  RawSource source;
  source.classes = options.classes.empty() ? read_names(options.source) : options.classes;
  source.train = read_part(options.source, kTrainFiles, source.classes.size());
  source.test = read_part(options.source, kTestFiles, source.classes.size());
  for (const auto* names : {&kTrainFiles, &kTestFiles}) {
    for (const std::string& name : *names) {
      source.files.push_back({{"name", name}, {"sha256", sha256_file(options.source / name)}});
    }
  }
  return source;
}

}  // namespace biglittle
