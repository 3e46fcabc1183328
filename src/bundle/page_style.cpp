// SPDX-License-Identifier: MIT
// The style sheet of report.html. One accent a role: what the device does, what big does, what is
// dropped, what is wrong, the oracle; everything else is ink and paper.

#include "bundle/report_page.h"

namespace biglittle {

std::string_view page_style() {
  return R"css(
:root {
  --paper: #fcfcfa; --ink: #1c2227; --muted: #59646e; --rule: #dcdfe2; --track: #eceeef;
  --device: #0a7558; --big: #3a589c; --dropped: #96600b; --wrong: #b3362b; --oracle: #86397a;
  --other: #87919a; --band: rgba(28, 34, 39, 0.13);
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14181b; --ink: #e5e8ea; --muted: #9ba6af; --rule: #2d353b; --track: #242b30;
    --device: #4fc29f; --big: #93abe6; --dropped: #dba752; --wrong: #ee857a; --oracle: #d394c8;
    --other: #6b757d; --band: rgba(229, 232, 234, 0.17);
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.15; margin: 0 0 0.9rem; letter-spacing: -0.015em; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 0.6rem; letter-spacing: -0.005em; }
p { margin: 0 0 0.9rem; max-width: 44rem; }
ul { margin: 0; padding-left: 1.2rem; max-width: 44rem; }
li { margin-bottom: 0.35rem; }
a { color: inherit; text-decoration-color: var(--rule); text-underline-offset: 0.2em; }
code { font: 0.92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; word-break: break-all; }
section { margin-top: 3rem; padding-top: 1.4rem; border-top: 1px solid var(--rule); }
.kicker, .source, figcaption, caption, small { color: var(--muted); font-size: 0.82rem; }
.kicker { margin-bottom: 0.4rem; }
.source { margin: 0.8rem 0 0; }
.lead { font-size: 1.15rem; line-height: 1.5; }
.lead.long { font-size: 1rem; }
.verdict {
  display: inline-block; margin-bottom: 0.7rem; padding: 0.1rem 0.7rem; border-radius: 1rem;
  border: 1.5px solid currentColor; font-size: 0.9rem; font-weight: 600;
}
.verdict.yes { color: var(--device); }
.verdict.no { color: var(--wrong); }
.figures { margin-top: 2rem; }
.figures dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1.5rem; margin: 0; }
.figures dl > div { display: flex; flex-direction: column; }
.figures dt { order: 2; font-size: 0.88rem; line-height: 1.35; }
.figures dd { margin: 0; }
.figures .value { order: 1; font-size: 2rem; font-weight: 600; letter-spacing: -0.02em; line-height: 1.2; white-space: nowrap; }
.figures .interval { order: 3; color: var(--muted); font-size: 0.82rem; }
.figures .device .value { color: var(--device); }
.figures .big .value { color: var(--big); }
figure { margin: 0.5rem 0 1.2rem; }
figcaption { margin-top: 0.4rem; max-width: 44rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; column-gap: 2.5rem; }
.pair.uneven { grid-template-columns: 2fr 3fr; }
.pair > section { min-width: 0; }
.scroll { overflow-x: auto; margin: 0.6rem 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
caption { text-align: left; padding-bottom: 0.35rem; }
th, td { padding: 0.38rem 0.5rem; border-bottom: 1px solid var(--rule); vertical-align: middle; font-weight: 400; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: 0.82rem; vertical-align: bottom; line-height: 1.25; }
.text { text-align: left; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
.drawing { width: 38%; min-width: 6rem; }
tr.priority th { font-weight: 600; }
td small { display: block; line-height: 1.25; font-weight: 400; }
.tint {
  display: block; margin: -0.2rem -0.3rem; padding: 0.2rem 0.3rem; border-radius: 3px;
  print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
.tint.device { background: color-mix(in srgb, var(--device) calc(var(--share) * 38%), transparent); }
.tint.big { background: color-mix(in srgb, var(--big) calc(var(--share) * 38%), transparent); }
.tint.wrong { background: color-mix(in srgb, var(--wrong) calc(var(--share) * 90%), transparent); }
.dot {
  display: inline-block; width: 0.6rem; height: 0.6rem; margin-right: 0.35rem; border-radius: 50%;
  print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
.dot.device { background: var(--device); }
.dot.big { background: var(--big); }
.dot.dropped { background: var(--dropped); }
svg { display: block; }
.chart { width: 100%; height: auto; overflow: visible; }
.chart.small { max-width: 24rem; }
.only-narrow { display: none; }
.strip { width: 100%; height: 0.8rem; }
.strip + .strip { margin-top: 2px; }
.chart text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--ink); }
.chart .tick, .chart .axis-name, .chart .muted { fill: var(--muted); }
.chart .tick, .chart .axis-name { font-size: 12px; }
.chart .label { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.chart .strong, .chart .device-text, .chart .oracle { font-weight: 600; }
.chart .device-text { fill: var(--device); }
.chart .oracle { fill: var(--oracle); }
.grid { stroke: var(--rule); stroke-width: 1; }
.axis, .leader { stroke: var(--muted); stroke-width: 1; }
.band { fill: var(--band); }
.curve { fill: none; stroke: var(--ink); stroke-width: 2; stroke-linejoin: round; }
.reference { stroke: var(--muted); stroke-width: 1.3; stroke-dasharray: 5 4; }
.floor { stroke: var(--wrong); stroke-width: 1; stroke-dasharray: 2 3; }
.end { fill: var(--paper); stroke: var(--ink); stroke-width: 2; }
.chosen-point { fill: var(--device); stroke: var(--paper); stroke-width: 2; }
.oracle-point { fill: var(--paper); stroke: var(--oracle); stroke-width: 2.5; }
.bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.bar.device { fill: var(--device); }
.bar.big { fill: var(--big); }
.bar.dropped { fill: var(--dropped); }
.bar.wrong { fill: var(--wrong); }
.bar.count { fill: var(--other); }
.chart .bar.device, .strip.share .bar { fill-opacity: 0.7; }
.track { fill: var(--track); }
.confidence { stroke: var(--ink); stroke-width: 2; }
.whisker { stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; }
@media (max-width: 44rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.6rem; }
  section { margin-top: 2.2rem; }
  .figures dl { grid-template-columns: 1fr 1fr; }
  .figures .value { font-size: 1.6rem; }
  .pair, .pair.uneven { grid-template-columns: minmax(0, 1fr); }
  .minor, .only-wide { display: none; }
  .only-narrow { display: block; }
  table { font-size: 0.86rem; }
  th, td { padding: 0.35rem 0.35rem; }
  .drawing { width: 26%; min-width: 3.5rem; }
}
@media (max-width: 26rem) {
  table { font-size: 0.8rem; }
  thead th, td small { font-size: 0.74rem; }
  th, td { padding: 0.3rem 0.22rem; }
  .drawing { width: 16%; min-width: 2.2rem; }
}
@media print {
  :root { --paper: #fff; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  section { margin-top: 1.2rem; padding-top: 0.8rem; }
  h2 { break-after: avoid; }
  figure, .scroll, .figures { break-inside: avoid; }
  .scroll { overflow: visible; }
  th, td { padding-top: 0.15rem; padding-bottom: 0.15rem; }
  .chart.small { max-width: 16rem; }
  a { text-decoration: none; }
}
)css";
}

}  // namespace biglittle
