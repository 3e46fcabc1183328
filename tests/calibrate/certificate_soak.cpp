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

/// Shares of inputs that differ by less, after rounding, are the same.
constexpr double kEqual = 5e-4;

/// Prints one row; true where the figures are as promised.
bool print_violations(const Trial& trial, std::int64_t n, std::int64_t draws) {
  const Violations found = simulate(trial, n, draws);
  const bool valid = found.certified <= highest_plausible(trial.options.delta, draws);
  const bool can_fail = found.naive > 0.2;
  fmt::print("{:<44} {:<13} {:>6} {:>6} {:>10.2f} {:>7.1f} {:>7.1f} {:>7.1f}{}{}\n", trial.name,
             name_of(trial.shape), n, draws, 100.0 * found.certified, 100.0 * found.naive,
             100.0 * found.given, 100.0 * found.local_share, valid ? "" : "  NOT VALID",
             can_fail ? "" : "  NAIVE HOLDS TOO");
  std::fflush(stdout);
  return valid && can_fail;
}

bool print_all_violations(std::int64_t draws) {
  fmt::print(
      "Draws that break a promise of at most 5 %, in %; draws with a certificate, in %; inputs\n"
      "that stay local, in % (mean over all draws).\n\n{:<44} {:<13} {:>6} {:>6} {:>10} {:>7} "
      "{:>7} {:>7}\n",
      "certificate", "world", "n", "draws", "certified", "naive", "given", "local");
  bool as_promised = true;
  for (const Trial& trial : certificate_trials()) {
    for (const std::int64_t n : kSampleSizes) as_promised &= print_violations(trial, n, draws);
  }
  return as_promised;
}

bool print_coverage(Shape shape, std::int64_t n, std::int64_t draws) {
  const Coverage found = compare_coverage(coverage_trial(shape), n, draws);
  fmt::print("{:<13} {:>6}", name_of(shape), n);
  for (const RuleCoverage& rule : {found.certified, found.bonferroni, found.sgr}) {
    fmt::print("  {:>5.1f} ({:.1f})", 100.0 * rule.local_share, 100.0 * rule.violations);
  }
  const bool enough = found.certified.local_share >= found.bonferroni.local_share - kEqual &&
                      found.certified.local_share >= found.sgr.local_share - kEqual;
  fmt::print("  {:>6.1f}{}\n", 100.0 * found.oracle, enough ? "" : "  LESS");
  std::fflush(stdout);
  return enough;
}

bool print_all_coverage(std::int64_t draws) {
  fmt::print(
      "\nInputs that stay local under `selective`, in % (mean over {} draws); in brackets the "
      "draws "
      "that break the promise, in %.\n\n{:<13} {:>6}  {:>11}  {:>11}  {:>11}  {:>6}\n",
      draws, "world", "n", "certified", "Bonferroni", "SGR", "oracle");
  bool enough = true;
  for (const Shape shape : {Shape::well_ordered, Shape::flat, Shape::confidently_wrong_at_top}) {
    for (const std::int64_t n : kSampleSizes) enough &= print_coverage(shape, n, draws);
  }
  return enough;
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
  const bool valid = print_all_violations(draws);
  const bool enough = print_all_coverage(draws);
  return valid && enough ? 0 : 1;
}
