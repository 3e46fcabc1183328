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

const us = (value) => (value === undefined ? '-' : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0));
const ratio = (value) => value.toFixed(2);
const verdict = (value, bar) => (bar === undefined ? '' : value <= bar ? 'ok' : 'MISSED');

/** Ours against ONNX Runtime. */
export function engineTable(results) {
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
export function formTable(results, forms) {
  const rows = results.map((r) => [r.name, us(r.us.device), ...forms.map((form) => us(r.us[form]))]);
  return table(['network', 'device', ...forms], rows);
}

/** What portable C gains over naive loops. */
export function portableTable(results) {
  const header = ['network', 'portable', 'naive', 'ratio', 'bar', ''];
  const rows = results.map((r) => [
    r.name, us(r.us.portable), us(r.us.naive), ratio(r.portable_ratio),
    r.portable_bar === undefined ? '-' : ratio(r.portable_bar),
    verdict(r.portable_ratio, r.portable_bar),
  ]);
  return table(header, rows);
}

/** Other engines, all float. */
export function otherTable(results) {
  const header = ['network', 'device', 'OpenCV', 'LibTorch', 'device / OpenCV', 'device / LibTorch'];
  const quotient = (a, b) => (b === undefined ? '-' : ratio(a / b));
  const rows = results.map((r) => [
    r.name, us(r.us.device), us(r.us.opencv), us(r.us.libtorch), quotient(r.us.device, r.us.opencv),
    quotient(r.us.device, r.us.libtorch),
  ]);
  return table(header, rows);
}
