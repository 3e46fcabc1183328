// SPDX-License-Identifier: MIT
#include "testing/device_program_runner.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace biglittle::testing {
namespace {

template <typename T>
std::string interleaved_bytes(std::span<const T> values, const Shape& shape) {
  std::vector<T> interleaved;
  const auto channels = static_cast<std::size_t>(shape.channels);
  const auto pixels = static_cast<std::size_t>(shape.height * shape.width);
  for (std::size_t sample = 0; sample < values.size(); sample += channels * pixels) {
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      for (std::size_t c = 0; c < channels; ++c) {
        interleaved.push_back(values[sample + c * pixels + pixel]);
      }
    }
  }
  return {reinterpret_cast<const char*>(interleaved.data()), interleaved.size() * sizeof(T)};
}

void write(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

std::string require_success(const std::string& command) {
  CommandResult result = run_command(command);
  if (result.exit_code != 0) {
    throw std::runtime_error(command + "\nexit code " + std::to_string(result.exit_code) + "\n" +
                             result.output);
  }
  return std::move(result.output);
}

}  // namespace

CommandResult run_command(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed: " + command);
  CommandResult result;
  std::array<char, 65536> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

void write_files(const std::filesystem::path& folder,
                 const std::map<std::string, std::string>& files) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, text] : files) write(folder / name, text);
}

std::vector<DeviceAnswer> run_device_code(const std::filesystem::path& folder,
                                          const std::string& compiler, const Samples& samples,
                                          const std::string& runtime) {
  const std::string in = "cd " + folder.string() + " && ";
  require_success(in + compiler + " -I. bl_model.c " BIGLITTLE_DEVICE_BATCH " " + runtime +
                  " -o batch");
  write(folder / "samples.bin", samples.type() == SampleType::u8
                                    ? interleaved_bytes(samples.bytes(), samples.shape)
                                    : interleaved_bytes(samples.floats(), samples.shape));
  const std::string output = require_success(in + "./batch < samples.bin");
  const std::size_t record = output.size() / static_cast<std::size_t>(samples.count());
  std::vector<DeviceAnswer> answers;
  for (std::size_t at = 0; at + record <= output.size() && record > 0; at += record) {
    std::vector<std::int32_t> words(record / sizeof(std::int32_t));
    std::memcpy(words.data(), output.data() + at, record);
    std::int64_t score = 0;
    std::memcpy(&score, &words.at(3), sizeof score);
    answers.push_back({words.at(0), words.at(1), words.at(2) != 0, score,
                       std::vector<std::int32_t>(words.begin() + 5, words.end())});
  }
  return answers;
}

}  // namespace biglittle::testing
