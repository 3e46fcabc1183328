// SPDX-License-Identifier: MIT
// Times training by the product's engine beside the script that a PyTorch user writes; scripts/bench
// training builds what this needs and docs/performance.md says what is measured how.
//
// usage: node training.mjs --folder FOLDER --programs FOLDER [--parts a,b] [--networks a,b]
//        [--rounds N] [--seconds N] [--batch N] [--cores a,b] [--json FILE]

import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

import {chooseTwoCores, fastBf16, processorName} from './machine.mjs';
import {writeRandomRecords} from './record_files.mjs';
import {Peak, checkSame, inTurns, startOurs, startPeer} from './training_engines.mjs';
import {trainingReport} from './training_tables.mjs';
import {Worker, measure} from './workers.mjs';

/** Smallest permitted speed as a multiple of the script's, as written and tuned. */
const kNetworks = {
  'vgg-6': {usual: 8, tuned: 2.3},
  'resnet-20': {usual: 6.5},
  'wrn-10-4': {usual: 8},
  'airbench94': {share: 0.15},
};
const kLoadedBar = 0.40;
const kAvx2Bar = 1.2;
const kAugmentBarUs = 1.5;

const kImages = 20000;
const kPixels = 3 * 32 * 32;

const {values: given} = parseArgs({options: {
  folder: {type: 'string'},
  programs: {type: 'string'},
  parts: {type: 'string', default: 'throughput,load,avx2,augmentation'},
  networks: {type: 'string', default: Object.keys(kNetworks).join(',')},
  rounds: {type: 'string', default: '7'},
  seconds: {type: 'string', default: '4'},
  batch: {type: 'string', default: '256'},
  cores: {type: 'string'},
  json: {type: 'string'},
}});

/** Starts trainers one after the other, measures in rounds, and stops them whatever happens. */
async function withTrainers(network, starts, work) {
  const trainers = [];
  try {
    for (const start of starts) trainers.push(await start());
    checkSame(network, trainers);
    for (const trainer of trainers) await trainer.chooseCount();
    return await work(trainers);
  } finally {
    for (const trainer of trainers) trainer.stop();
  }
}

async function withPeak(options, work) {
  const peak = await Peak.start(options);
  try {
    return await work(peak);
  } finally {
    peak.stop();
  }
}

/** A figure and the bar it is held to; to miss one that was set for AMX is no fault without it. */
function judged(value, bar, needsAmx = true) {
  const verdict = bar === undefined ? '' : value >= bar ? 'ok' :
    needsAmx && fastBf16() !== 'AMX' ? 'needs AMX' : 'MISSED';
  return {value, bar, verdict};
}

async function measureNetwork(network, options) {
  const bars = kNetworks[network] ?? {};
  const starts = [
    () => startOurs(network, options),
    () => startPeer('usual', network, [], options),
    () => startPeer('threads', network, ['--threads', '2'], options),
    () => startPeer('tuned', network, ['--tuned'], options),
  ];
  return withPeak(options, (peak) => withTrainers(network, starts, async (trainers) => {
    const figures = await inTurns([...trainers, peak], options.rounds);
    const {operations, macs, parameters} = trainers[0].about;
    const rate = (name) => figures[name].rate;
    return {
      name: network,
      macs,
      parameters,
      figures,
      peak_form: peak.worker.about,
      tuned_precision: trainers.at(-1).about.precision,
      usual_threads: trainers[1].about.threads,
      over_usual: judged(rate('ours') / rate('usual'), bars.usual),
      over_threads: judged(rate('ours') / rate('threads')),
      over_tuned: judged(rate('ours') / rate('tuned'), bars.tuned),
      gflops: (rate('ours') * operations) / 1e9,
      share: judged((rate('ours') * operations) / rate('peak'), bars.share),
    };
  }));
}

/** Speed while another program has two threads at work, as a share of the quiet machine's. */
async function measureLoaded(options) {
  const network = 'vgg-6';
  const starts = [
    () => startOurs(network, options),
    () => startPeer('threads', network, ['--threads', '2'], options),
    () => startPeer('tuned', network, ['--tuned'], options),
  ];
  return withPeak(options, (peak) => withTrainers(network, starts, async (trainers) => {
    // What takes twenty times as long with company must not take twenty times a round.
    for (const trainer of trainers) trainer.count = Math.max(1, Math.round(trainer.count / 4));
    const entrants = trainers.flatMap((trainer) => [
      trainer,
      {name: `${trainer.name} loaded`, round: () => peak.during(() => trainer.round())},
    ]);
    const figures = await inTurns(entrants, options.rounds);
    return trainers.map(({name}) => ({
      name,
      quiet: figures[name].rate,
      loaded: figures[`${name} loaded`].rate,
      share: judged(figures[`${name} loaded`].rate / figures[name].rate,
                    name === 'ours' ? kLoadedBar : undefined, false),
    }));
  }));
}

/** As on a processor without bf16: both programs compute in float32 with AVX2. */
async function measureAvx2(options) {
  const network = 'vgg-6';
  const environment = {ONEDNN_MAX_CPU_ISA: 'AVX2'};
  const starts = [
    () => startOurs(network, options, {precision: 'fp32', environment}),
    () => startPeer('threads', network, ['--threads', '2'], options, environment),
  ];
  return withTrainers(network, starts, async (trainers) => {
    const {ours, threads} = await inTurns(trainers, options.rounds);
    return {network, ours, threads, ratio: judged(ours.rate / threads.rate, kAvx2Bar, false)};
  });
}

/** Microseconds of one core's time for an image of a training batch. */
async function measureAugmentation(options) {
  const command = [join(options.programs, 'augment_worker'), options.records];
  const worker = await Worker.start('augmentation', command, options.cores.split(',').at(-1));
  const [images] = await worker.outputs();
  const us = await measure([worker], options.rounds, 200);
  worker.stop();
  const value = us.augmentation / images;
  return {us: {value, bar: kAugmentBarUs, verdict: value <= kAugmentBarUs ? 'ok' : 'MISSED'}};
}

const kParts = {
  throughput: async (options) => {
    const results = [];
    for (const network of given.networks.split(',')) {
      process.stderr.write(`${network}\n`);
      results.push(await measureNetwork(network, options));
    }
    return results;
  },
  load: measureLoaded,
  avx2: measureAvx2,
  augmentation: measureAugmentation,
};

function verdicts(value) {
  if (value === null || typeof value !== 'object') return [];
  return value.verdict !== undefined ? [value.verdict] : Object.values(value).flatMap(verdicts);
}

/** Measures everything; true when every bar that can be judged is met. */
async function compare() {
  const options = {
    programs: given.programs,
    cores: given.cores ?? chooseTwoCores(),
    records: join(given.folder, 'random.records'),
    batch: Number(given.batch),
    rounds: Number(given.rounds),
    seconds: Number(given.seconds),
  };
  mkdirSync(given.folder, {recursive: true});
  writeRandomRecords(options.records, kImages, kPixels);
  const about = {processor: processorName(), bf16: fastBf16(), ...options};
  const results = {};
  for (const part of given.parts.split(',')) {
    if (!kParts[part]) throw new Error(`there is no part ${part}; there are ${Object.keys(kParts)}`);
    process.stderr.write(`${part}\n`);
    results[part] = await kParts[part](options);
  }
  console.log(trainingReport(about, results));
  if (given.json) writeFileSync(given.json, `${JSON.stringify({about, results}, null, 1)}\n`);
  return !verdicts(results).includes('MISSED');
}

try {
  process.exit((await compare()) ? 0 : 1);
} catch (error) {
  console.error(`bench/training.mjs: ${error.message}`);
  process.exit(70);
}
