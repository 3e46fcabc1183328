// SPDX-License-Identifier: MIT
#include "cli/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"
#include "core/text.h"
#include "train/engine.h"

namespace biglittle {
namespace {

using Clock = std::chrono::steady_clock;

// A signal handler can reach nothing but a global.
volatile std::sig_atomic_t stop_signal = 0;

extern "C" void note_stop_signal(int signal) {
  if (stop_signal != 0) ::_exit(128 + signal);
  stop_signal = signal;
}

bool colors_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDERR_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
}

void write_message(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// "0:07", "12:30", "1:02:03".
std::string format_duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::max(0.0, std::round(seconds)));
  const std::int64_t minutes = whole / 60;
  if (minutes < 60) return fmt::format("{}:{:02}", minutes, whole % 60);
  return fmt::format("{}:{:02}:{:02}", minutes / 60, minutes % 60, whole % 60);
}

/// "tune accuracy 93.51 %", "loss 0.412".
std::string format_metric(const Metric& metric) {
  std::string name = metric.first;
  std::replace(name.begin(), name.end(), '_', ' ');
  const bool is_rate = name.ends_with("accuracy") || name.ends_with("agreement");
  return is_rate ? fmt::format("{} {}", name, format_percent(metric.second))
                 : fmt::format("{} {:.4g}", name, metric.second);
}

std::string format_metrics(const std::vector<Metric>& metrics) {
  std::string text;
  for (const Metric& metric : metrics) text += "  " + format_metric(metric);
  return text;
}

class SilentObserver : public Observer {
 public:
  int stop_requested() const override { return stop_signal == 0 ? 0 : 128 + stop_signal; }
};

/// For logs: a line when something happened, nothing that is redrawn.
class LineObserver : public SilentObserver {
 public:
  void begin_stage(std::string_view stage, std::string_view detail) override {
    write_message(fmt::format("{}: {}\n", stage, detail));
  }
  void epoch(std::int64_t epoch, std::int64_t epochs, const std::vector<Metric>& metrics) override {
    write_message(fmt::format("  epoch {}/{}{}\n", epoch, epochs, format_metrics(metrics)));
  }
  void note(std::string_view message) override { write_message(fmt::format("{}\n", message)); }
  void end_stage(std::string_view stage, double seconds) override {
    write_message(fmt::format("{}: done in {}\n", stage, format_duration(seconds)));
  }
};

/// For terminals: one line that is redrawn, with a bar and the time left.
class TerminalObserver : public LineObserver {
 public:
  explicit TerminalObserver(bool colors) : colors_(colors) {}
  ~TerminalObserver() override { clear(); }

  void begin_stage(std::string_view stage, std::string_view detail) override {
    clear();
    LineObserver::begin_stage(stage, detail);
    start_ = Clock::now();
    status_.clear();
  }

  void progress(std::int64_t done, std::int64_t total) override {
    // A terminal is read by eyes: ten pictures a second are enough.
    const bool last = done >= total;
    if (!last && drawn_ && seconds_since(last_drawn_) < 0.1) return;
    draw(done, std::max<std::int64_t>(total, 1));
  }

  void epoch(std::int64_t epoch, std::int64_t epochs, const std::vector<Metric>& metrics) override {
    status_ = fmt::format("  epoch {}/{}{}", epoch, epochs, format_metrics(metrics));
  }

  void note(std::string_view message) override {
    clear();
    LineObserver::note(message);
  }

  void end_stage(std::string_view stage, double seconds) override {
    clear();
    if (!status_.empty()) write_message(status_ + "\n");
    LineObserver::end_stage(stage, seconds);
    status_.clear();
  }

 private:
  void draw(std::int64_t done, std::int64_t total) {
    constexpr std::int64_t kBarCells = 24;
    const double share =
        std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
    const auto filled = static_cast<std::int64_t>(share * static_cast<double>(kBarCells));
    const double elapsed = seconds_since(start_);
    const std::string left =
        share > 0.0 ? format_duration(elapsed / share - elapsed) : std::string("-:--");
    std::string bar;
    for (std::int64_t cell = 0; cell < kBarCells; ++cell) bar += cell < filled ? "█" : "░";
    const std::string text = fmt::format(" {:3.0f} %  {} left{}", 100.0 * share, left, status_);
    // Cut to the line, or redrawing would scroll. Text is ASCII; the bar is kBarCells wide.
    const std::size_t room = columns() > kBarCells + 3 ? columns() - kBarCells - 3 : 0;
    write_message(fmt::format("\r\x1b[K  {}{}{}{}", colors_ ? "\x1b[32m" : "", bar,
                              colors_ ? "\x1b[0m" : "", text.substr(0, room)));
    drawn_ = true;
    last_drawn_ = Clock::now();
  }

  void clear() {
    if (drawn_) write_message("\r\x1b[K");
    drawn_ = false;
  }

  static std::size_t columns() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
  }

  bool colors_;
  bool drawn_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_ = Clock::now();
  std::string status_;
};

}  // namespace

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error(ErrorKind::io, "standard output cannot be written");
  }
}

void print_error(std::string_view message) noexcept {
  const bool colors = colors_wanted();
  std::fprintf(stderr, "biglittle: %serror:%s %.*s\n", colors ? "\x1b[31m" : "",
               colors ? "\x1b[0m" : "", static_cast<int>(message.size()), message.data());
}

std::unique_ptr<Observer> make_observer(Verbosity verbosity) {
  if (verbosity == Verbosity::quiet) return std::make_unique<SilentObserver>();
  if (::isatty(STDERR_FILENO) == 0) return std::make_unique<LineObserver>();
  return std::make_unique<TerminalObserver>(colors_wanted());
}

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = note_stop_signal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

void stop_if_asked(const Observer& observer) {
  const int code = observer.stop_requested();
  if (code != 0) throw Interrupted(code);
}

}  // namespace biglittle
