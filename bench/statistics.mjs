// SPDX-License-Identifier: MIT
// What is said about several measurements of one thing.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Mean and standard deviation of a sample, beside its values. */
export function summary(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {values, mean, deviation: Math.sqrt(squares / (values.length - 1))};
}
