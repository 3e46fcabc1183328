// SPDX-License-Identifier: MIT
// How an engine's outputs differ from the expected ones.

export const kLogitTolerance = 1e-4;

/** How many elements differ; all of them when the lengths do. */
export function countUnequal(actual, expected) {
  if (actual.length !== expected.length) return expected.length;
  let unequal = 0;
  for (let i = 0; i < expected.length; ++i) {
    if (actual[i] !== expected[i]) ++unequal;
  }
  return unequal;
}

/** The largest |difference|; NaN or a wrong length is infinite. */
export function largestDifference(actual, expected) {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < expected.length; ++i) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/** True when something failed; says what, or that all is equal. */
export function reportIntegers(name, actual, expected) {
  const unequal = countUnequal(actual, expected);
  console.log(`${unequal === 0 ? 'ok' : 'FAILED'} ${name}: ${unequal} of ${expected.length} differ`);
  return unequal !== 0;
}

export function reportLogits(name, actual, expected) {
  const difference = largestDifference(actual, expected);
  const failed = !(difference <= kLogitTolerance);
  console.log(`${failed ? 'FAILED' : 'ok'} ${name}: largest difference ${difference.toExponential(2)}`);
  return failed;
}
