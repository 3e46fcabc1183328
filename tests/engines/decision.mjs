// SPDX-License-Identifier: MIT
// The escalation rule as policy.json states it, in integers of any size: a second reader of it beside
// the program's own.

/** A threshold that no score reaches (policy.json); a tie has the negative of it as score. */
const kAlwaysEscalate = 2n ** 53n - 1n;

/** Answer, score and escalation of one row of accumulators; `other` is an index or null. */
export function decide(row, policy, other) {
  const accumulators = Array.from(row, BigInt);
  const answer = accumulators.reduce((best, value, i) => (value > accumulators[best] ? i : best), 0);
  const rivals = accumulators.filter((_, i) => i !== answer);
  const margin = accumulators[answer] - rivals.reduce((a, b) => (b > a ? b : a));
  const score = margin === 0n ? -kAlwaysEscalate : scoreOf(accumulators, answer, margin, policy, other);
  return {answer, score, escalate: score < BigInt(policy.thresholds[answer])};
}

function scoreOf(accumulators, answer, margin, policy, other) {
  const rule = policy.score;
  let toOther = 0n;
  if (other !== null) toOther = answer === other ? margin : accumulators[answer] - accumulators[other];
  return BigInt(rule.margin_weight) * margin + BigInt(rule.other_weight) * toOther +
      BigInt(rule.offsets[answer]);
}

/** The decisions for accumulators [N, classes] as three lists of N integers. */
export function decideAll(accumulators, policy, other) {
  const classes = policy.thresholds.length;
  const decisions = {little_class: [], score: [], escalate: []};
  for (let begin = 0; begin < accumulators.length; begin += classes) {
    const {answer, score, escalate} =
        decide(accumulators.slice(begin, begin + classes), policy, other);
    decisions.little_class.push(BigInt(answer));
    decisions.score.push(score);
    decisions.escalate.push(escalate ? 1 : 0);
  }
  return decisions;
}
