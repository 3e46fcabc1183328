// SPDX-License-Identifier: MIT
#pragma once

// What people see: results on standard output, progress and messages on standard error, and the
// signals with which they stop the work.

#include <memory>
#include <string_view>

#include "core/observer.h"

namespace biglittle {

/// Writes data to standard output; throws Error{io} when it cannot be written (a full disk).
void print(std::string_view text);

/// "biglittle: error: <message>" as one line on standard error, in red on a terminal unless
/// NO_COLOR is set (no-color.org).
void print_error(std::string_view message) noexcept;

enum class Verbosity { normal, quiet };

/// For a terminal on standard error a progress bar with the time left, otherwise one line an epoch;
/// quiet is silent. All of them report the stop signals of `watch_signals`.
std::unique_ptr<Observer> make_observer(Verbosity verbosity);

/// From now on the first SIGINT or SIGTERM asks running work to stop at its next safe point, and a
/// second one ends the process at once, with exit code 130 or 143.
void watch_signals();

/// Throws Interrupted when a watched signal arrived; for the safe points between steps.
void stop_if_asked(const Observer& observer);

}  // namespace biglittle
