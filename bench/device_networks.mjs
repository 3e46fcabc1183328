// SPDX-License-Identifier: MIT
// Builds and starts every engine for one exported network, and refuses those that compute something
// else.

import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

import {Worker} from './workers.mjs';

const kSources = dirname(fileURLToPath(import.meta.url));

/** Sums of floats differ in their order; a wrong layer differs by much more. */
const kFloatTolerance = 1e-3;
/** The usual int8 network rounds averages and sums its own way: half a step here and there. */
const kUsualTolerance = 0.1;

function compile(compiler, flags, sources, includes, program) {
  execFileSync(compiler, [
    '-std=c99', '-O3', '-ffp-contract=off', ...flags, ...includes.map((folder) => `-I${folder}`),
    ...sources, '-o', program,
  ], {stdio: ['ignore', 'inherit', 'inherit']});
}

/** The generated code of a network in one form; returns the program. */
function compileDevice(compiler, form, folder) {
  const device = join(folder, 'device');
  const sources = [join(device, 'bl_model.c'), join(device, 'bl_runtime.c'),
                   join(kSources, 'worker.c'), join(kSources, 'device_worker.c')];
  const program = join(folder, `device_worker_${form.name}`);
  compile(compiler, form.flags, sources, [device, dirname(kSources)], program);
  return program;
}

function compilePeak(compiler, form, folder) {
  const sources = [join(kSources, 'peak_worker.c'), join(kSources, 'worker.c')];
  const program = join(folder, `peak_worker_${form.name}`);
  compile(compiler, form.flags, sources, [join(folder, 'device'), dirname(kSources)], program);
  return program;
}

export function readNetwork(folder) {
  return JSON.parse(readFileSync(join(folder, 'network.json'), 'utf8'));
}

/** Engines that are left out, with a word, where they are not built. */
const kOptional = ['opencv', 'libtorch'];

/** How engines are started: {name, kind, command, about}. `options.forms` are best first. */
function commands(network, options) {
  const {folder, programs, compiler, forms} = options;
  const samples = [join(folder, 'samples.u8'), String(network.samples)];
  const onnx = (model) => [process.execPath, join(kSources, 'onnxruntime_worker.mjs'), folder, model];
  const shape = [network.classes, network.samples, ...network.shape].map(String);
  const ours = forms.map((form, i) => ({
    name: i === 0 ? 'device' : form.name,
    kind: 'exact',
    command: [compileDevice(compiler, form, folder), ...samples],
    about: form.name,
  }));
  const all = [
    ...ours,
    {name: 'naive', kind: 'exact', command: [join(programs, 'naive_worker'), network.name]},
    {name: 'peak', kind: 'peak', command: [compilePeak(compiler, forms[0], folder)]},
    {name: 'ort-empty', kind: 'empty', command: onnx('empty')},
    {name: 'ort-float', kind: 'float', command: onnx('float')},
    {name: 'ort-exact', kind: 'exact', command: onnx('int8')},
    {name: 'ort-int8', kind: 'usual', command: onnx('usual')},
    {
      name: 'opencv',
      kind: 'float',
      command: [join(programs, 'opencv_worker'), folder, ...shape],
    },
    {name: 'libtorch', kind: 'float', command: [join(programs, 'libtorch_worker'), network.name]},
  ];
  return all.filter(({name, command}) => !kOptional.includes(name) || existsSync(command[0]));
}

function differences(actual, expected, tolerance) {
  if (actual.length !== expected.length) return expected.length;
  const largest = Math.max(...expected.map(Math.abs));
  return actual.filter((value, i) => !(Math.abs(value - expected[i]) <= tolerance * largest)).length;
}

/** Throws unless the worker computes what the network is. Returns the outputs. */
async function check(worker, kind, network) {
  const outputs = await worker.outputs();
  if (kind === 'peak' || kind === 'empty') return outputs;
  const logits = network.accumulators.map((sum) => sum * network.logit_scale);
  const wrong = {
    exact: () => differences(outputs, network.accumulators, 0),
    float: () => differences(outputs, network.logits, kFloatTolerance),
    usual: () => differences(outputs, logits, kUsualTolerance),
  }[kind]();
  if (wrong === 0) return outputs;
  throw new Error(`${network.name}: ${worker.name} gives ${wrong} of ${network.accumulators.length} ` +
                  'outputs that the network does not; its time would mean nothing');
}

/** All engines of a network, loaded and checked; `peakMacs` is what one inference of peak does. */
export async function startEngines(network, options) {
  const workers = [];
  let peakMacs = 0;
  for (const {name, kind, command, about} of commands(network, options)) {
    const worker = await Worker.start(name, command, options.core);
    workers.push(worker);
    const outputs = await check(worker, kind, network);
    if (name === 'peak') peakMacs = outputs[0];
    if (about && worker.about !== about) {
      throw new Error(`${name} was compiled as ${worker.about}, not ${about}`);
    }
  }
  return {workers, peakMacs};
}

/** Milliseconds from before a fork until the first result was read, each of `runs` starts. */
export function coldStarts(folder, network, options, runs) {
  const program = join(folder, `device_worker_${options.forms[0].name}`);
  const starter = join(folder, 'cold_start');
  compile(options.compiler, [], [join(kSources, 'cold_start.c')], [], starter);
  const lines = execFileSync('taskset', [
    '-c', String(options.core), starter, String(runs), program, join(folder, 'sample.u8'), '0',
  ], {encoding: 'utf8'}).trim().split('\n');
  const result = Number(lines.pop());
  if (result !== network.accumulators[0]) {
    throw new Error(`a cold ${program} answered ${result}, not ${network.accumulators[0]}`);
  }
  return lines.map((nanoseconds) => Number(nanoseconds) / 1e6);
}
