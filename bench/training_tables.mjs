// SPDX-License-Identifier: MIT
// The figures of training as text.

import {table} from './tables.mjs';

const rate = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const ratio = (value) => (Number.isFinite(value) ? value.toFixed(2) : '-');
const percent = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : '-');
const bar = ({bar: limit}, format = ratio) => (limit === undefined ? '' : format(limit));

const kProgramNames = {ours: 'ours', usual: 'script', threads: '2 threads', tuned: 'tuned'};

/** Images a second, and ours as multiples of the script's. */
function throughputTable(results) {
  const header = ['network', 'MACs (M)', ...Object.values(kProgramNames), '/ script', 'bar', '',
                  '/ 2 threads', '/ tuned', 'bar', ''];
  const rows = results.map((r) => [
    r.name, (r.macs / 1e6).toFixed(1),
    ...Object.keys(kProgramNames).map((name) => rate(r.figures[name].rate)),
    ratio(r.over_usual.value), bar(r.over_usual), r.over_usual.verdict,
    ratio(r.over_threads.value),
    ratio(r.over_tuned.value), bar(r.over_tuned), r.over_tuned.verdict,
  ]);
  return table(header, rows);
}

/** What the multiply instructions could do, and how much of it training does. */
function peakTable(results) {
  const header = ['network', 'GFLOP/s', 'peak', 'share', 'bar', '', ...Object.values(kProgramNames)];
  const rows = results.map((r) => [
    r.name, rate(r.gflops), rate(r.figures.peak.rate / 1e9), percent(r.share.value),
    bar(r.share, percent), r.share.verdict,
    ...Object.keys(kProgramNames).map((name) => ratio(r.figures[name].processors)),
  ]);
  return table(header, rows);
}

function throughputText(results) {
  const [{usual_threads: threads, tuned_precision: precision, peak_form: form}] = results;
  return `${throughputTable(results)}

images a second. script: PyTorch as a user writes it, float32, ${threads} thread(s) by default;
2 threads: the same with two; tuned: channels-last, two threads, two loader workers, ${precision}

${peakTable(results)}

peak: ${form} on two processors; right: processors at work on average (2 on a quiet machine for ours;
loader workers do not count)`;
}

function loadText(rows) {
  const header = ['vgg-6', 'quiet', 'loaded', 'share', 'bar', ''];
  return `${table(header, rows.map((row) => [
    kProgramNames[row.name], rate(row.quiet), rate(row.loaded), percent(row.share.value),
    bar(row.share, percent), row.share.verdict,
  ]))}

images a second alone and while another program has two threads at work all the time`;
}

function avx2Text({network, ours, threads, ratio: over}) {
  const row = [network, rate(ours.rate), rate(threads.rate), ratio(over.value), bar(over),
               over.verdict];
  return `${table([network, 'ours', '2 threads', 'ratio', 'bar', ''], [row])}

images a second in float32 under ONEDNN_MAX_CPU_ISA=AVX2, as without AVX-512 and AMX`;
}

function augmentationText({us}) {
  return `augmentation: ${ratio(us.value)} us an image of 3x32x32 on one core (bar ${ratio(us.bar)})  ` +
         us.verdict;
}

const kTexts = {
  throughput: throughputText,
  load: loadText,
  avx2: avx2Text,
  augmentation: augmentationText,
};

/** Everything that was measured, as docs/performance.md shows it. */
export function trainingReport(about, results) {
  const parts = Object.entries(results).map(([part, result]) => kTexts[part](result));
  return [`${about.processor}, bf16 by ${about.bf16 ?? 'none of its instructions'}
batch ${about.batch}, processors ${about.cores}: medians of ${about.rounds} rounds of about ` +
          `${about.seconds} s, programs in turn`, ...parts].join('\n\n');
}
