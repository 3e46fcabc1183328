// SPDX-License-Identifier: MIT
#include "engines/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "bundle/c_source.h"
#include "core/files.h"
#include "quant/interpreter.h"

namespace biglittle::testing {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

std::span<const std::int32_t> row(const FleetMember& member, std::int64_t sample) {
  const std::size_t classes = member.model.classes.size();
  return std::span(member.accumulators).subspan(index(sample) * classes, classes);
}

ScoreRule rule_of(ScoreKind score, const PriorityMap& map) {
  if (score != ScoreKind::gate) return plain_rule(score, map);
  ScoreRule rule{ScoreKind::gate, 300, -40, {}};
  for (std::int64_t i = 0; i < map.classes(); ++i) {
    rule.offsets.push_back((std::int64_t{1} << 40) - 100000 * i);
  }
  return rule;
}

/// Thresholds at the median of the scores, one higher from class to class.
EscalationPolicy median_policy(const FleetMember& member, ScoreKind score) {
  const PriorityMap& map = *member.model.priority;
  EscalationPolicy policy;
  policy.rule = rule_of(score, map);
  std::vector<std::int64_t> scores;
  for (std::int64_t i = 0; i < member.samples.count(); ++i) {
    scores.push_back(score_of(row(member, i), policy.rule, map));
  }
  const auto middle = scores.begin() + std::ssize(scores) / 2;
  std::nth_element(scores.begin(), middle, scores.end());
  for (std::int64_t i = 0; i < map.classes(); ++i) {
    policy.thresholds.push_back(std::max(*middle, kTieScore + 1) + i);
  }
  if (score == ScoreKind::gate) {
    policy.other = OtherMode::answer;
  } else if (map.has_other) {
    policy.thresholds.back() = kAlwaysEscalate;
  }
  return policy;
}

std::string renamed(std::string text, std::size_t number) {
  const std::pair<std::string, std::string> names[] = {
      {"bl_model", fmt::format("bl_net{}", number)},
      {"BL_MODEL", fmt::format("BL_NET{}", number)},
      {"bl_selftest", fmt::format("bl_net{}_selftest", number)},
      {"BL_SELFTEST", fmt::format("BL_NET{}_SELFTEST", number)}};
  for (const auto& [from, to] : names) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

template <typename T>
void append_interleaved(std::string& bytes, std::span<const T> sample, const Shape& shape) {
  const auto pixels = index(shape.height * shape.width);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t c = 0; c < index(shape.channels); ++c) {
      bytes.append(reinterpret_cast<const char*>(&sample[c * pixels + pixel]), sizeof(T));
    }
  }
}

}  // namespace

FleetMember fleet_member(std::string name, Int8Model model, Samples samples, ScoreKind score) {
  FleetMember member{std::move(name), std::move(model), std::move(samples), {}, {}};
  member.accumulators = Interpreter(member.model).run(member.samples);
  member.policy = median_policy(member, score);
  return member;
}

std::vector<DeviceAnswer> expected_answers(const FleetMember& member) {
  std::vector<DeviceAnswer> answers;
  for (std::int64_t i = 0; i < member.samples.count(); ++i) {
    const auto sums = row(member, i);
    const Decision decision = decide(sums);
    const std::int64_t score = score_of(sums, member.policy.rule, *member.model.priority);
    answers.push_back({static_cast<std::int32_t>(decision.top),
                       static_cast<std::int32_t>(decision.margin),
                       score < member.policy.thresholds[index(decision.top)], score,
                       std::vector<std::int32_t>(sums.begin(), sums.end())});
  }
  return answers;
}

void write_fleet(const std::filesystem::path& folder, const std::vector<FleetMember>& fleet,
                 std::int64_t vectors) {
  std::map<std::string, std::string> files;
  std::string headers, list, sources;
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    const FleetMember& member = fleet[i];
    std::vector<std::int64_t> rows(index(std::min(vectors, member.samples.count())));
    std::iota(rows.begin(), rows.end(), 0);
    const std::size_t sums = rows.size() * member.model.classes.size();
    DeviceSource device = device_source(member.model, member.policy, select(member.samples, rows),
                                        std::span(member.accumulators).first(sums));
    for (const char* name : {"bl_model.h", "bl_model.c", "bl_selftest.c"}) {
      files[renamed(name, i)] = renamed(device.files.at(name), i);
      device.files.erase(name);
    }
    device.files.erase("CMakeLists.txt");
    device.files.erase("README.md");
    files.merge(device.files);
    headers += renamed("#include \"bl_model.h\"\n", i);
    list += " \\\n  X(" + renamed("bl_model, BL_MODEL)", i);
    sources += renamed("#include \"bl_model.c\"\n", i);
  }
  files["fleet.h"] = headers + "#define FLEET(X)" + list + "\n";
  files["networks.c"] = sources;
  write_files(folder, files);
}

void write_fleet_samples(const std::filesystem::path& file, const std::vector<FleetMember>& fleet,
                         std::int64_t count) {
  std::string bytes;
  for (const FleetMember& member : fleet) {
    const std::size_t size = index(member.samples.shape.count());
    for (std::size_t i = 0; i < index(count); ++i) {
      if (member.samples.type() == SampleType::u8) {
        append_interleaved(bytes, member.samples.bytes().subspan(i * size, size),
                           member.samples.shape);
      } else {
        append_interleaved(bytes, member.samples.floats().subspan(i * size, size),
                           member.samples.shape);
      }
    }
  }
  write_file(file, bytes);
}

std::int64_t count_differing(const std::vector<FleetMember>& fleet, std::int64_t count,
                             const std::string& output) {
  std::int64_t differing = 0;
  std::size_t at = 0;
  for (const FleetMember& member : fleet) {
    const std::vector<DeviceAnswer> expected = expected_answers(member);
    for (std::size_t i = 0; i < index(count); ++i) {
      const std::size_t sums = expected[i].accumulators.size() * sizeof(std::int32_t);
      const std::size_t size = 3 * sizeof(std::int32_t) + sizeof(std::int64_t) + sums;
      std::string record;
      const auto add = [&](const auto& value) {
        record.append(reinterpret_cast<const char*>(&value), sizeof value);
      };
      add(expected[i].class_index);
      add(expected[i].margin);
      add(std::int32_t{expected[i].escalate});
      add(expected[i].score);
      for (const std::int32_t sum : expected[i].accumulators) add(sum);
      differing += output.compare(std::min(at, output.size()), size, record) == 0 ? 0 : 1;
      at += size;
    }
  }
  return differing + (output.size() > at ? 1 : 0);
}

}  // namespace biglittle::testing
