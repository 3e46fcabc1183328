// SPDX-License-Identifier: MIT
// ONNX Runtime on one exported network as a worker (worker.h says how it talks).
// usage: node onnxruntime_worker.mjs FOLDER MODEL, where MODEL is float, int8, usual or empty

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

import {loadNative, open} from '../tests/engines/engines.mjs';

const [folder, model] = process.argv.slice(2);
const network = JSON.parse(readFileSync(join(folder, 'network.json'), 'utf8'));
const engine = loadNative();

/** What the model reads: one tensor a sample, made beforehand. */
function inputs() {
  // A copy of the bytes: Node.js reads small files into a shared buffer.
  const read = (name) => Uint8Array.from(readFileSync(join(folder, name))).buffer;
  const {Tensor} = engine.ort;
  const size = network.shape.reduce((a, b) => a * b);
  if (model === 'empty') {
    const shape = [1, network.classes];
    return [{input: new Tensor('float32', new Float32Array(network.classes), shape)}];
  }
  const all = model === 'float' ? new Float32Array(read('samples.f32'))
                                : new Uint8Array(read('samples.chw.u8'));
  const type = model === 'float' ? 'float32' : 'uint8';
  return Array.from({length: network.samples}, (_, i) => ({
    input: new Tensor(type, all.slice(i * size, (i + 1) * size), [1, ...network.shape]),
  }));
}

const session = await open(engine, new Uint8Array(readFileSync(join(folder, `${model}.onnx`))), 'all');
const samples = inputs();
// The exact network also gives its accumulators; asking for one output costs less than for two.
const wanted = model === 'int8' ? ['accumulators'] : ['logits'];

async function check() {
  const outputs = [];
  for (const sample of samples) {
    outputs.push(...(await session.run(sample, wanted))[wanted[0]].data);
  }
  return outputs.join(' ');
}

/** Nanoseconds of processor time, of all threads. */
async function timed(count) {
  const start = process.cpuUsage();
  for (let i = 0; i < count; ++i) await session.run(samples[i % samples.length], wanted);
  const {user, system} = process.cpuUsage(start);
  return (user + system) * 1000;
}

console.log(`ready onnxruntime ${model}`);
for await (const line of createInterface({input: process.stdin})) {
  const [command, count] = line.split(' ');
  console.log(String(command === 'check' ? await check() : await timed(Number(count))));
}
