// SPDX-License-Identifier: MIT
// The figures of a comparison as text.

/** Columns are as wide as their widest cell; the first is aligned to the left. */
export function table(header, rows) {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) =>
      cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
          .join('  ').trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}

const us = (value) => (!Number.isFinite(value) ? '-' : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0));
const ratio = (value) => (Number.isFinite(value) ? value.toFixed(2) : '-');
const verdict = (value, bar) => (bar === undefined ? '' : value <= bar ? 'ok' : 'MISSED');

/** Ours against ONNX Runtime. */
function engineTable(results) {
  const header = ['network', 'MACs (M)', 'floor', 'device', '/floor', 'ORT float', 'ORT int8',
                  'ORT exact', 'call', 'best - call', 'ratio', 'bar', ''];
  const rows = results.map((r) => [
    r.name, (r.macs / 1e6).toFixed(2), us(r.floor_us), us(r.us.device), ratio(r.over_floor),
    us(r.us['ort-float']), us(r.us['ort-int8']), us(r.us['ort-exact']), us(r.us['ort-empty']),
    us(r.best_ort_us), ratio(r.ratio), ratio(r.bar), verdict(r.ratio, r.bar),
  ]);
  return table(header, rows);
}

/** The same code compiled for each of `forms`, the names of those below the best. */
function formTable(results, forms) {
  const rows = results.map((r) => [r.name, us(r.us.device), ...forms.map((form) => us(r.us[form]))]);
  return table(['network', 'device', ...forms], rows);
}

/** What portable C gains over naive loops. */
function portableTable(results) {
  const header = ['network', 'portable', 'naive', 'ratio', 'bar', ''];
  const rows = results.map((r) => [
    r.name, us(r.us.portable ?? r.us.device), us(r.us.naive), ratio(r.portable_ratio),
    ratio(r.portable_bar),
    verdict(r.portable_ratio, r.portable_bar),
  ]);
  return table(header, rows);
}

/** Other engines, all float. */
function otherTable(results) {
  const header = ['network', 'device', 'OpenCV', 'LibTorch', 'device / OpenCV', 'device / LibTorch'];
  const rows = results.map((r) => [
    r.name, us(r.us.device), us(r.us.opencv), us(r.us.libtorch), ratio(r.us.device / r.us.opencv),
    ratio(r.us.device / r.us.libtorch),
  ]);
  return table(header, rows);
}

/** Everything that was measured, as docs/performance.md shows it. */
export function report(about, results, cold) {
  return `${about.processor}, ${about.compiler}
generated C as ${about.form} (${about.flags.join(' ')})
batch 1, one thread on processor ${about.core}, microseconds of processor time an inference:
medians of ${about.rounds} rounds of ${about.milliseconds_a_round} ms, engines in turn
peak of the form's multiply instructions: ${about.peak_gmacs.toFixed(0)} int8 GMAC/s; floor = MACs / peak

${engineTable(results)}

float: float32; int8: the usual QDQ form (signed weights); exact: the bundle's model.int8.onnx;
call: an empty network through the same interface, subtracted from the best of the three

${portableTable(results)}

${otherTable(results)}

${formTable(results, about.other_forms)}

cold process to first int8 result, ${cold.name}: ${cold.median_ms.toFixed(2)} ms (median of ${
    cold.runs}; bar ${cold.bar_ms.toFixed(2)} ms)`;
}
