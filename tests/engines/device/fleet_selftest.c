/* SPDX-License-Identifier: MIT */
/* Runs the self-test of every network of fleet.h: "NETWORK FAILED" a line, FAILED the number of the
 * first vector that differs, counted from 1, or 0. */
#include <stdio.h>

#include "fleet.h"

#define FLEET_SELFTEST(name, NAME) {#name, name##_selftest},

int main(void) {
  static const struct {
    const char* name;
    int (*run)(void);
  } tests[] = {FLEET(FLEET_SELFTEST)};
  int failures = 0;
  for (unsigned i = 0; i < sizeof tests / sizeof tests[0]; ++i) {
    const int failed = tests[i].run();
    failures += failed != 0;
    printf("%s %d\n", tests[i].name, failed);
  }
  return failures == 0 ? 0 : 1;
}
