// SPDX-License-Identifier: MIT
// certificate_soak [DRAWS]: how often each certificate is wrong in worlds of known truth, and how
// much it keeps on the device beside other rules. Prints two tables; exit code 1 where a figure is
// not what is promised.

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "calibrate/coverage.h"
#include "calibrate/trials.h"

namespace {

using namespace biglittle::testing;

/// Prints one row; true where the figures are as promised.
bool print_violations(const Trial& trial, std::int64_t n, std::int64_t draws) {
  const Violations found = simulate(trial, n, draws);
  const bool valid = found.certified <= highest_plausible(trial.options.delta, draws);
  const bool can_fail = found.naive > 0.2;
  fmt::print("{:<42} {:<13} {:>6} {:>6} {:>10.2f} {:>7.1f} {:>7.1f} {:>7.1f}{}{}\n", trial.name,
             name_of(trial.shape), n, draws, 100.0 * found.certified, 100.0 * found.naive,
             100.0 * found.given, 100.0 * found.local_share, valid ? "" : "  NOT VALID",
             can_fail ? "" : "  NAIVE HOLDS TOO");
  std::fflush(stdout);
  return valid && can_fail;
}

bool print_all_violations(std::int64_t draws) {
  fmt::print(
      "Draws that break a promise of at most 5 %, in %; draws with a certificate, in %; inputs\n"
      "that stay local, in % (mean over all draws).\n\n{:<42} {:<13} {:>6} {:>6} {:>10} {:>7} "
      "{:>7} {:>7}\n",
      "certificate", "world", "n", "draws", "certified", "naive", "given", "local");
  bool as_promised = true;
  for (const Trial& trial : certificate_trials()) {
    for (const std::int64_t n : kSampleSizes) as_promised &= print_violations(trial, n, draws);
  }
  return as_promised;
}

void print_coverage(const Trial& trial, std::int64_t n, std::int64_t draws) {
  const Coverage found = compare_coverage(trial, n, draws);
  fmt::print(
      "{:<20} {:<13} {:>6} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f}   {:.1f} / {:.1f} / {:.1f}\n",
      trial.name, name_of(trial.shape), n, 100.0 * found.certified.local_share,
      100.0 * found.bonferroni.local_share, 100.0 * found.sgr.local_share, 100.0 * found.oracle,
      100.0 * found.certified.violations, 100.0 * found.bonferroni.violations,
      100.0 * found.sgr.violations);
  std::fflush(stdout);
}

void print_all_coverage(std::int64_t draws) {
  fmt::print(
      "\nInputs that stay local under `selective`, in % (mean over {} draws), and how often each "
      "rule breaks its promise.\n\n{:<20} {:<13} {:>6} {:>10} {:>10} {:>10} {:>10}   {}\n",
      draws, "certificate", "world", "n", "certified", "Bonferroni", "SGR", "oracle", "broken, %");
  for (const std::int64_t starts : {1, 5}) {
    for (const Shape shape : {Shape::well_ordered, Shape::flat, Shape::confidently_wrong_at_top}) {
      for (const std::int64_t n : kSampleSizes) {
        print_coverage(selective_trial(shape, starts), n, draws);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t draws = 2000;
  if (argc > 2 ||
      (argc == 2 &&
       (std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), draws).ec != std::errc() ||
        draws < 1))) {
    std::fputs("usage: certificate_soak [DRAWS]\n", stderr);
    return 64;
  }
  const bool as_promised = print_all_violations(draws);
  print_all_coverage(draws);
  return as_promised ? 0 : 1;
}
