// SPDX-License-Identifier: MIT
// What it costs in accuracy to ask the teacher once per sample and flip instead of for every random
// crop anew: the little network of a config distilled both ways with several seeds from one big
// network; scripts/bench teacher-logits builds what this needs.
//
// usage: node teacher_logits.mjs --program BIGLITTLE --folder FOLDER [--seeds N] [--set A.B=C]...
//        [--json FILE]

import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

import {processorName} from './machine.mjs';
import {summary} from './statistics.mjs';
import {table} from './tables.mjs';

const kConfig = join(dirname(fileURLToPath(import.meta.url)), '../configs/fashion-mnist.toml');
const kWays = ['fresh', 'cached'];

const {values: given} = parseArgs({options: {
  program: {type: 'string'},
  folder: {type: 'string'},
  seeds: {type: 'string', default: '3'},
  set: {type: 'string', multiple: true, default: []},
  json: {type: 'string'},
}});

/** Runs one stage with settings over the config's and those given; what it prints as JSON. */
function runStage(stage, settings) {
  const all = [`runs=${join(resolve(given.folder), 'runs')}`,
               `data.file=${join(resolve(given.folder), 'fashion-mnist.h5')}`,
               ...given.set, ...settings];
  const command = [stage, kConfig, '--quiet', '--json', ...all.flatMap((set) => ['--set', set])];
  return JSON.parse(execFileSync(given.program, command,
                                 {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']}));
}

/** Accuracy on tune of the little network before quantization. */
function derive(way, seed) {
  const settings = [`seed=${seed}`, `little.teacher_logits="${way}"`, 'quantize.max_drop=1.0'];
  const {networks} = runStage('derive-little', settings);
  const accuracy = networks.find(({network}) => network === 'little, float32').accuracy;
  process.stderr.write(`${way}, seed ${seed}: ${accuracy}\n`);
  return accuracy;
}

function report(results) {
  const percent = (value) => (100 * value).toFixed(2);
  const seeds = results[0].values.map((_, i) => `seed ${i + 1}`);
  const rows = results.map((r) => [
    r.way, ...r.values.map(percent), percent(r.mean), percent(r.deviation),
  ]);
  return `${processorName()}
configs/fashion-mnist.toml${given.set.map((set) => ` --set ${set}`).join('')}
accuracy of the little network on tune in percent, by how the teacher's logits are made

${table(['teacher', ...seeds, 'mean', 'sd'], rows)}

cached minus fresh: ${percent(results[1].mean - results[0].mean)} points`;
}

try {
  mkdirSync(given.folder, {recursive: true});
  runStage('train', []);
  const seeds = Array.from({length: Number(given.seeds)}, (_, i) => i + 1);
  const results = kWays.map((way) => ({way, ...summary(seeds.map((seed) => derive(way, seed)))}));
  console.log(report(results));
  if (given.json) writeFileSync(given.json, `${JSON.stringify(results, null, 1)}\n`);
} catch (error) {
  console.error(`bench/teacher_logits.mjs: ${error.message}`);
  process.exit(70);
}
