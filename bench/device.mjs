// SPDX-License-Identifier: MIT
// Times the exported code of the benchmark networks beside other engines; scripts/bench device
// builds what this needs and docs/performance.md says what is measured how.
//
// usage: node device.mjs --folder NETWORKS --programs FOLDER [--networks a,b] [--rounds N]
//        [--milliseconds N] [--core N] [--form NAME] [--json FILE]

import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

import {coldStarts, readNetwork, startEngines} from './device_networks.mjs';
import {chooseCore, compilerVersion, forms, processorName} from './machine.mjs';
import {median} from './statistics.mjs';
import {report} from './tables.mjs';
import {measure} from './workers.mjs';

/** Largest permitted share of the better ONNX Runtime's time. */
const kBars = {
  'resnet-8': 0.40,
  'ds-cnn': 0.40,
  'mobilenet-0.25': 0.40,
  'lenet-5': 0.25,
  'resnet-8-w40': 0.75,
};
const kOtherBar = 1.0;
const kPortableBar = 0.35;
const kColdBarMs = 2.0;
const kColdRuns = 50;

const {values: given} = parseArgs({options: {
  folder: {type: 'string'},
  programs: {type: 'string'},
  networks: {type: 'string'},
  rounds: {type: 'string', default: '15'},
  milliseconds: {type: 'string', default: '50'},
  core: {type: 'string'},
  form: {type: 'string'},
  json: {type: 'string'},
}});

/** The forms to measure: all this processor has, from `name` on. */
function chooseForms(name) {
  const available = forms();
  const first = name ? available.findIndex((form) => form.name === name) : 0;
  if (first >= 0) return available.slice(first);
  throw new Error(`this processor has no form ${name}; it has ` +
                  available.map((form) => form.name).join(', '));
}

/** The order of the bars, then whatever else there is. */
function networkNames() {
  if (given.networks) return given.networks.split(',');
  const found = readdirSync(given.folder);
  const known = Object.keys(kBars);
  return [...known.filter((name) => found.includes(name)),
          ...found.filter((name) => !known.includes(name)).sort()];
}

/** The figures that follow from the medians. */
function judge(network, us, peakMacs) {
  const macsPerMicrosecond = peakMacs / us.peak;
  const floor = macsPerMicrosecond > 0 ? network.macs / macsPerMicrosecond : NaN;
  const call = us['ort-empty'];
  const best = Math.min(...['ort-float', 'ort-int8', 'ort-exact'].map((name) => us[name])) - call;
  const hasConvolutions = network.name !== 'mlp';
  return {
    name: network.name,
    macs: network.macs,
    us,
    peak_gmacs: macsPerMicrosecond / 1000,
    floor_us: floor,
    over_floor: us.device / floor,
    best_ort_us: best,
    ratio: us.device / best,
    bar: kBars[network.name] ?? kOtherBar,
    portable_ratio: (us.portable ?? us.device) / us.naive,
    portable_bar: hasConvolutions ? kPortableBar : undefined,
  };
}

async function measureNetwork(name, options) {
  const folder = join(given.folder, name);
  const network = readNetwork(folder);
  const {workers, peakMacs} = await startEngines(network, {...options, folder});
  const us = await measure(workers, Number(given.rounds), Number(given.milliseconds));
  for (const worker of workers) worker.stop();
  return judge(network, us, peakMacs);
}

function measureColdStart(options) {
  const name = networkNames().includes('resnet-8') ? 'resnet-8' : networkNames()[0];
  const folder = join(given.folder, name);
  const starts = coldStarts(folder, readNetwork(folder), options, kColdRuns);
  return {name, median_ms: median(starts), bar_ms: kColdBarMs, runs: starts.length};
}

/** What figures depend on. */
function describe(options, results) {
  return {
    processor: processorName(),
    compiler: compilerVersion(options.compiler),
    form: options.forms[0].name,
    flags: options.forms[0].flags,
    other_forms: options.forms.slice(1).map((form) => form.name),
    core: options.core,
    rounds: Number(given.rounds),
    milliseconds_a_round: Number(given.milliseconds),
    peak_gmacs: median(results.map((result) => result.peak_gmacs)),
  };
}

function misses(result) {
  return !(result.ratio <= result.bar) ||
         !(result.portable_ratio <= (result.portable_bar ?? Infinity));
}

/** Measures everything; true when every bar is met. */
async function compare() {
  const options = {
    programs: given.programs,
    compiler: process.env.CC || 'gcc',
    forms: chooseForms(given.form),
    core: given.core ? Number(given.core) : chooseCore(),
  };
  const results = [];
  for (const name of networkNames()) {
    process.stderr.write(`${name}\n`);
    results.push(await measureNetwork(name, options));
  }
  const cold = measureColdStart(options);
  const about = describe(options, results);
  console.log(report(about, results, cold));
  if (given.json) {
    writeFileSync(given.json, `${JSON.stringify({about, results, cold}, null, 1)}\n`);
  }
  return !results.some(misses) && cold.median_ms <= cold.bar_ms;
}

try {
  process.exit((await compare()) ? 0 : 1);
} catch (error) {
  console.error(`bench/device.mjs: ${error.message}`);
  process.exit(70);
}
