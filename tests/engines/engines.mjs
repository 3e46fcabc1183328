// SPDX-License-Identifier: MIT
// ONNX Runtime in its two builds for Node.js, from the folder that install.sh fills.

import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {homedir} from 'node:os';
import {join} from 'node:path';

export function cacheFolder() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return process.env.BIGLITTLE_ENGINES || join(cache, 'biglittle', 'engines');
}

export function installed() {
  return existsSync(join(cacheFolder(), 'installed.json'));
}

function load(name) {
  return createRequire(join(cacheFolder(), 'package.json'))(name);
}

/** ONNX Runtime's own library: {ort, provider}. */
export function loadNative() {
  return {ort: load('onnxruntime-node'), provider: 'cpu'};
}

/** The engines by name. */
export function loadEngines() {
  const native = loadNative();
  const web = load('onnxruntime-web');
  web.env.wasm.numThreads = 1;
  return {
    native,
    wasm: {ort: web, provider: 'wasm'},
  };
}

/** Opens a model, given as bytes, at an optimization level: disabled, basic, extended or all. */
export function open(engine, bytes, level) {
  return engine.ort.InferenceSession.create(bytes, {
    executionProviders: [engine.provider],
    graphOptimizationLevel: level,
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
}

/** Activations of so many samples at once fit WebAssembly's memory. */
const kBatch = 200;

function joined(pieces) {
  const data = new pieces[0].constructor(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return data;
}

/** Runs `samples` ({dtype, shape, values}) and gives the outputs, {data}, by name. */
export async function run(engine, session, samples) {
  const type = samples.dtype === 'U8' ? 'uint8' : 'float32';
  const [count, ...shape] = samples.shape;
  const size = shape.reduce((product, extent) => product * extent, 1);
  const pieces = {};
  for (let first = 0; first < count; first += kBatch) {
    const last = Math.min(first + kBatch, count);
    const values = samples.values.slice(first * size, last * size);
    const input = new engine.ort.Tensor(type, values, [last - first, ...shape]);
    for (const [name, output] of Object.entries(await session.run({input}))) {
      (pieces[name] ??= []).push(output.data.slice());
    }
  }
  return Object.fromEntries(
      Object.entries(pieces).map(([name, parts]) => [name, {data: joined(parts)}]));
}
