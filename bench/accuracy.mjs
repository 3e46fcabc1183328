// SPDX-License-Identifier: MIT
// Whether training by the product's engine ends where plain PyTorch ends: the same network, data,
// recipe and number of epochs, several seeds each; scripts/bench accuracy builds what this needs.
//
// usage: node accuracy.mjs --folder FOLDER --programs FOLDER [--seeds N] [--epochs N] [--images N]
//        [--json FILE]

import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

import {fastBf16, processorName} from './machine.mjs';
import {writeFashionRecords} from './record_files.mjs';
import {summary} from './statistics.mjs';
import {table} from './tables.mjs';

const kSources = dirname(fileURLToPath(import.meta.url));
const kNetwork = 'fashion-vgg';
const kTestImages = 10000;

/** Student's t with 1 % outside on both sides, by the seeds of each: 2 (seeds - 1) degrees of freedom. */
const kStudent = {3: 4.604, 4: 3.707, 5: 3.355, 6: 3.169, 7: 3.055, 8: 2.977, 9: 2.921, 10: 2.878};

const {values: given} = parseArgs({options: {
  folder: {type: 'string'},
  programs: {type: 'string'},
  seeds: {type: 'string', default: '3'},
  epochs: {type: 'string', default: '5'},
  images: {type: 'string', default: '12000'},
  json: {type: 'string'},
}});

/** The programs, each a command from a seed to the accuracy it prints. */
function programs(train, test) {
  const ours = (precision) => (seed) => [
    join(given.programs, 'fit_once'), kNetwork, train, test, given.epochs, seed, precision,
  ];
  const peer = (...flags) => (seed) => [
    join(kSources, 'peer.py'), kNetwork, train, '--fit', test, '--epochs', given.epochs, '--seed',
    seed, '--threads', '1', ...flags,
  ];
  const pairs = [{name: 'float32', ours: ours('fp32'), peer: peer()}];
  if (fastBf16()) pairs.push({name: 'bf16', ours: ours('bf16'), peer: peer('--tuned')});
  return pairs;
}

function accuracies(name, command) {
  return Array.from({length: Number(given.seeds)}, (_, i) => {
    const [program, ...rest] = command(String(i + 1));
    const accuracy = Number(execFileSync(program, rest, {encoding: 'utf8'}));
    process.stderr.write(`${name}, seed ${i + 1}: ${accuracy}\n`);
    return accuracy;
  });
}

/** Welch 1947: the difference of two means beside its own standard error. */
function comparePair({name, ours, peer}) {
  const a = summary(accuracies(`ours, ${name}`, ours));
  const b = summary(accuracies(`PyTorch, ${name}`, peer));
  const error = Math.sqrt((a.deviation ** 2 + b.deviation ** 2) / a.values.length);
  const permitted = kStudent[given.seeds] * error;
  const difference = a.mean - b.mean;
  return {name, ours: a, peer: b, difference, permitted,
          verdict: Math.abs(difference) <= permitted ? 'ok' : 'MISSED'};
}

function report(results) {
  const percent = (value) => (100 * value).toFixed(2);
  const header = ['', 'ours', 'sd', 'PyTorch', 'sd', 'difference', 'permitted', ''];
  const rows = results.map((r) => [
    r.name, percent(r.ours.mean), percent(r.ours.deviation), percent(r.peer.mean),
    percent(r.peer.deviation), percent(r.difference), percent(r.permitted), r.verdict,
  ]);
  return `${processorName()}
${kNetwork}, ${given.images} images of Fashion-MNIST, ${given.epochs} epochs, batch 128, ${given.seeds} seeds:
accuracy in percent on the ${kTestImages} test images after the last epoch

${table(header, rows)}

sd: standard deviation over seeds; permitted: what Welch's t-test allows at 1 %`;
}

/** True when no difference is more than seeds explain. */
function compare() {
  if (!kStudent[given.seeds]) throw new Error(`--seeds ${given.seeds}: 3 to 10 are possible`);
  mkdirSync(given.folder, {recursive: true});
  const train = join(given.folder, 'fashion-train.records');
  const test = join(given.folder, 'fashion-test.records');
  writeFashionRecords(train, 'train', Number(given.images));
  writeFashionRecords(test, 't10k', kTestImages);
  const results = programs(train, test).map(comparePair);
  console.log(report(results));
  if (given.json) writeFileSync(given.json, `${JSON.stringify(results, null, 1)}\n`);
  return !results.some(({verdict}) => verdict === 'MISSED');
}

try {
  process.exit(compare() ? 0 : 1);
} catch (error) {
  console.error(`bench/accuracy.mjs: ${error.message}`);
  process.exit(70);
}
