// SPDX-License-Identifier: MIT
#include "cli/profile_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/option_names.h"
#include "core/text.h"

namespace biglittle {
namespace {

double samples_per_second(const TrainingProfile& profile) {
  return static_cast<double>(profile.steps * profile.batch_size) / profile.seconds;
}

double gflops(const TrainingProfile& profile) {
  return static_cast<double>(profile.steps) * profile.step_operations / profile.seconds * 1e-9;
}

std::string place(const TrainingProfile& profile) {
  if (profile.device == Device::cuda) return "on a GPU";
  return fmt::format("{} {}", profile.threads, profile.threads == 1 ? "thread" : "threads");
}

}  // namespace

std::string profile_text(const TrainingProfile& profile) {
  std::vector<std::pair<std::string, double>> parts = profile.parts;
  std::ranges::stable_sort(parts, std::ranges::greater{}, &std::pair<std::string, double>::second);
  const double milliseconds_a_step = 1e3 / static_cast<double>(profile.steps * profile.threads);
  double all = 0.0;
  for (const auto& [name, seconds] : parts) all += seconds;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, seconds] : parts) {
    if (seconds > 0.0) {
      rows.push_back({name, fmt::format("{:.2f}", seconds * milliseconds_a_step),
                      fmt::format("{:.1f} %", 100.0 * seconds / all)});
    }
  }
  rows.push_back({"step", fmt::format("{:.2f}", all * milliseconds_a_step), "100.0 %"});
  std::string text = fmt::format("{} steps of {} samples, {}, {}\n\n", profile.steps,
                                 profile.batch_size, name_of(profile.precision), place(profile));
  text += format_table({"part of a step", "ms a thread", "share"}, rows);
  return text + fmt::format(
                    "\nthroughput   {} samples/s\n"
                    "arithmetic   {:.0f} GFLOP/s, {:.1f} % of the {:.0f} that a product of "
                    "1,024 x 1,024 matrices reached\n",
                    with_thousands(std::llround(samples_per_second(profile))), gflops(profile),
                    100.0 * gflops(profile) / profile.peak_gflops, profile.peak_gflops);
}

Json to_json(const TrainingProfile& profile) {
  Json parts = Json::object();
  for (const auto& [name, seconds] : profile.parts) parts[name] = seconds;
  return {{"steps", profile.steps},
          {"batch_size", profile.batch_size},
          {"device", name_of(profile.device)},
          {"threads", profile.threads},
          {"precision", name_of(profile.precision)},
          {"seconds", profile.seconds},
          {"samples_per_second", samples_per_second(profile)},
          {"gflops", gflops(profile)},
          {"peak_gflops", profile.peak_gflops},
          {"parts", std::move(parts)}};
}

}  // namespace biglittle
