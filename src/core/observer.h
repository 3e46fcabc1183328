// SPDX-License-Identifier: MIT
#pragma once

// What long work tells the outside while it runs. Libraries never print: they call an Observer, and
// the command line has one for terminals, one for logs and one that is silent.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace biglittle {

/// A named number of one epoch or stage, e.g. {"tune_accuracy", 0.93}. Rates are in [0, 1].
using Metric = std::pair<std::string, double>;

/// Receives progress. Every method has an empty default, so that an observer states only what it
/// cares about. Calls come from one thread.
class Observer {
 public:
  virtual ~Observer() = default;

  /// A stage begins: "train", "derive-little", "export" ...; `detail` is one line for people.
  virtual void begin_stage(std::string_view stage, std::string_view detail) {
    (void)stage;
    (void)detail;
  }

  /// `done` of `total` steps of the current stage are finished, 0 <= done <= total.
  virtual void progress(std::int64_t done, std::int64_t total) {
    (void)done;
    (void)total;
  }

  /// An epoch (counted from 1) is finished.
  virtual void epoch(std::int64_t epoch, std::int64_t epochs, const std::vector<Metric>& metrics) {
    (void)epoch;
    (void)epochs;
    (void)metrics;
  }

  /// One line that a person should read once; not an error.
  virtual void note(std::string_view message) { (void)message; }

  /// The stage ended after `seconds`.
  virtual void end_stage(std::string_view stage, double seconds) {
    (void)stage;
    (void)seconds;
  }

  /// True when work should stop at the next safe point (SIGINT, SIGTERM); the code is 130 or 143.
  virtual int stop_requested() const { return 0; }
};

}  // namespace biglittle
