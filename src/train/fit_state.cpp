// SPDX-License-Identifier: MIT
#include "train/fit_state.h"

#include <fmt/format.h>

#include <set>
#include <sstream>

#include "core/error.h"
#include "core/safetensors.h"
#include "train/engine.h"
#include "train/ranks.h"

namespace biglittle {
namespace {

constexpr std::string_view kKind = "biglittle-train-state";
constexpr std::string_view kState = "state.";
constexpr std::string_view kLastGood = "last_good.";
constexpr std::string_view kBest = "best.";
constexpr std::string_view kIdentity = "of.";

void add_prefixed(TensorMap& all, std::string_view prefix, const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) all.emplace(std::string(prefix) + name, tensor);
}

TensorMap take_prefixed(TensorMap& all, std::string_view prefix) {
  TensorMap taken;
  for (auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) taken.emplace(name.substr(prefix.size()), std::move(tensor));
  }
  return taken;
}

/// "section.key" -> value of a text that write_toml wrote, one option a line.
std::map<std::string, std::string> options_of(const std::string& toml) {
  std::map<std::string, std::string> options;
  std::istringstream lines(toml);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.starts_with("[")) {
      section = line.substr(1, line.find(']') - 1) + ".";
    } else if (equals != std::string::npos) {
      options[section + line.substr(0, equals)] = line.substr(equals + 3);
    }
  }
  return options;
}

const std::string& value_of(const std::map<std::string, std::string>& values,
                            const std::string& key) {
  static const std::string nothing = "not there";
  const auto found = values.find(key);
  return found == values.end() ? nothing : found->second;
}

void list_differences(const std::map<std::string, std::string>& saved,
                      const std::map<std::string, std::string>& now,
                      std::vector<std::string>& lines) {
  std::set<std::string> keys;
  for (const auto& entry : saved) keys.insert(entry.first);
  for (const auto& entry : now) keys.insert(entry.first);
  for (const std::string& key : keys) {
    const std::string& before = value_of(saved, key);
    const std::string& after = value_of(now, key);
    if (before == after) continue;
    if (before.find('\n') == std::string::npos && after.find('\n') == std::string::npos) {
      lines.push_back(fmt::format("{} is {}, was {}", key, after, before));
    } else {
      list_differences(options_of(before), options_of(after), lines);
    }
  }
}

// No number may lead anywhere: sizes follow from them.
void require_state(const FitState& state, const std::string& name) {
  const bool is_counted = state.step >= 0 && state.steps_an_epoch >= 1 && state.epochs >= 0 &&
                          state.rollbacks >= 0 && state.history.is_array();
  const bool is_computed = state.ranks >= 1 && state.ranks <= kMostRanks && state.threads >= 1 &&
                           state.threads <= kMostThreads;
  if (!is_counted || !is_computed) {
    throw Error(
        ErrorKind::bad_data,
        fmt::format("{}: step {}, {} step(s) an epoch, {} rank(s), {} thread(s): not a state", name,
                    state.step, state.steps_an_epoch, state.ranks, state.threads));
  }
  for (const TensorMap* tensors : {&state.tensors, &state.last_good, &state.best}) {
    for (const auto& [tensor_name, tensor] : *tensors) {
      if (tensor.dtype() == DType::f32) continue;
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: tensor '{}' is not f32: not a state", name, tensor_name));
    }
  }
}

}  // namespace

void save_fit_state(const std::filesystem::path& file, const FitState& state,
                    const FitIdentity& identity) {
  SafetensorsFile content;
  add_prefixed(content.tensors, kState, state.tensors);
  add_prefixed(content.tensors, kLastGood, state.last_good);
  add_prefixed(content.tensors, kBest, state.best);
  const Json head = {{"step", state.step},
                     {"steps_an_epoch", state.steps_an_epoch},
                     {"epoch_loss", state.epoch_loss},
                     {"ranks", state.ranks},
                     {"threads", state.threads},
                     {"epochs", state.epochs},
                     {"rollbacks", state.rollbacks},
                     {"device", state.device},
                     {"precision", state.precision},
                     {"best_scales", state.best_scales},
                     {"best_epoch", state.best_epoch},
                     {"best_accuracy", state.best_accuracy},
                     {"best_loss", state.best_loss},
                     {"history", state.history}};
  content.metadata = {{"kind", std::string(kKind)},
                      {"format_version", std::to_string(kFitStateVersion)},
                      {"state", head.dump()}};
  for (const auto& [key, value] : identity) content.metadata[std::string(kIdentity) + key] = value;
  write_safetensors(file, content);
}

FitState load_fit_state(const std::filesystem::path& file, FitIdentity& identity) {
  const std::string name = file.string();
  SafetensorsFile content = read_safetensors(file);
  const auto metadata = [&](const std::string& key) -> const std::string& {
    const auto found = content.metadata.find(key);
    if (found != content.metadata.end()) return found->second;
    throw Error(ErrorKind::bad_data, fmt::format("{}: metadata '{}' is missing", name, key));
  };
  if (metadata("kind") != kKind || metadata("format_version") != std::to_string(kFitStateVersion)) {
    throw Error(
        ErrorKind::bad_data,
        fmt::format("{}: is {} version {}, expected {} version {}; train from the beginning", name,
                    metadata("kind"), metadata("format_version"), kKind, kFitStateVersion));
  }
  for (const auto& [key, value] : content.metadata) {
    if (key.starts_with(kIdentity)) identity[key.substr(kIdentity.size())] = value;
  }
  return read_json(name, [&] {
    const Json head = parse_json(metadata("state"), name);
    FitState state;
    head.at("step").get_to(state.step);
    head.at("steps_an_epoch").get_to(state.steps_an_epoch);
    head.at("epoch_loss").get_to(state.epoch_loss);
    head.at("ranks").get_to(state.ranks);
    head.at("threads").get_to(state.threads);
    head.at("epochs").get_to(state.epochs);
    head.at("rollbacks").get_to(state.rollbacks);
    head.at("device").get_to(state.device);
    head.at("precision").get_to(state.precision);
    head.at("best_scales").get_to(state.best_scales);
    head.at("best_epoch").get_to(state.best_epoch);
    head.at("best_accuracy").get_to(state.best_accuracy);
    head.at("best_loss").get_to(state.best_loss);
    state.history = head.at("history");
    state.tensors = take_prefixed(content.tensors, kState);
    state.last_good = take_prefixed(content.tensors, kLastGood);
    state.best = take_prefixed(content.tensors, kBest);
    require_state(state, name);
    return state;
  });
}

std::vector<std::string> differences(const FitIdentity& saved, const FitIdentity& now) {
  std::vector<std::string> lines;
  list_differences(saved, now, lines);
  return lines;
}

}  // namespace biglittle
