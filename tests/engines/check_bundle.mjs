// SPDX-License-Identifier: MIT
// usage: node tests/engines/check_bundle.mjs BUNDLE SAMPLES.safetensors
// Runs a bundle's ONNX files in ONNX Runtime, native and WebAssembly, and decides by policy.json. The
// file holds "samples" [N, C, H, W], and of the program's own networks "accumulators" (i32), "logits"
// (little, float) and "big_logits" (within 1e-4), and of its decisions "little_class", "score" (i64) and
// "escalate" (u8). Integers must be equal. Exit 1 when something differs, 69 when the engines
// are not installed.

import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {reportIntegers, reportLogits} from './compare.mjs';
import {decideAll} from './decision.mjs';
import {cacheFolder, installed, loadEngines, open, run} from './engines.mjs';
import {readSafetensors} from './safetensors.mjs';

if (process.argv.length !== 4) {
  console.error('usage: node tests/engines/check_bundle.mjs BUNDLE SAMPLES.safetensors');
  process.exit(64);
}
if (!installed()) {
  console.error(`no engines in ${cacheFolder()}; run tests/engines/install.sh`);
  process.exit(69);
}

const [bundle, samplesFile] = process.argv.slice(2);
const expected = readSafetensors(samplesFile);
const samples = expected.samples;
const sampleSize = samples.values.length / samples.shape[0];
const kBatch = 100;  // bounds the memory of the big network

/** Rows [begin, end) of the samples. */
function batch(begin, end) {
  return {
    dtype: samples.dtype,
    shape: [end - begin, ...samples.shape.slice(1)],
    values: samples.values.slice(begin * sampleSize, end * sampleSize),
  };
}

/** All rows of one output of one model. */
async function outputOf(engine, file, output) {
  const session = await open(engine, new Uint8Array(readFileSync(join(bundle, file))), 'all');
  const rows = [];
  for (let begin = 0; begin < samples.shape[0]; begin += kBatch) {
    const end = Math.min(begin + kBatch, samples.shape[0]);
    for (const value of (await run(engine, session, batch(begin, end)))[output].data) {
      rows.push(value);
    }
  }
  await session.release();
  return rows;
}

const policy = JSON.parse(readFileSync(join(bundle, 'policy.json'), 'utf8'));
const {other} = JSON.parse(readFileSync(join(bundle, 'classes.json'), 'utf8'));

/** Compares what follows from the accumulators that an engine gave; the number of differing lists. */
function reportDecisions(name, accumulators) {
  let failures = 0;
  for (const [what, values] of Object.entries(decideAll(accumulators, policy, other))) {
    failures += reportIntegers(`${name} ${what}`, values, expected[what].values);
  }
  return failures;
}

const checks = [
  ['little/model.int8.onnx', 'accumulators', 'accumulators', reportIntegers],
  ['little/model.onnx', 'logits', 'logits', reportLogits],
  ['big/model.onnx', 'logits', 'big_logits', reportLogits],
];
let failures = 0;
for (const [name, engine] of Object.entries(loadEngines())) {
  for (const [file, output, tensor, report] of checks) {
    const actual = await outputOf(engine, file, output);
    failures += report(`${name} ${file}`, actual, expected[tensor].values);
    if (tensor === 'accumulators') failures += reportDecisions(`${name} ${file}`, actual);
  }
}
process.exit(failures === 0 ? 0 : 1);
