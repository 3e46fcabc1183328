// SPDX-License-Identifier: MIT
// usage: node run_cases.mjs FOLDER
// FOLDER/cases.json lists {model, tensors, kind, levels}; each model is run in every engine at every
// level on the samples of its safetensors file. kind "int8": accumulators must be equal and logits
// within tolerance; "float": logits within tolerance. Exit 1 when a case fails, 69 when the
// engines are not installed.

import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {reportIntegers, reportLogits} from './compare.mjs';
import {cacheFolder, installed, loadEngines, open, run} from './engines.mjs';
import {readSafetensors} from './safetensors.mjs';

if (!installed()) {
  console.log(`no engines in ${cacheFolder()}; run tests/engines/install.sh`);
  process.exit(69);
}

const folder = process.argv[2];
const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'));
let failures = 0;
for (const [name, engine] of Object.entries(loadEngines())) {
  for (const {model, tensors, kind, levels} of cases) {
    const bytes = new Uint8Array(readFileSync(join(folder, model)));
    const expected = readSafetensors(join(folder, tensors));
    for (const level of levels) {
      const label = `${name} ${level} ${model}`;
      try {
        const session = await open(engine, bytes, level);
        const outputs = await run(engine, session, expected.samples);
        if (kind === 'int8') {
          const accumulators = expected.accumulators.values;
          failures += reportIntegers(label, outputs.accumulators.data, accumulators);
        }
        failures += reportLogits(label, outputs.logits.data, expected.logits.values);
        await session.release();
      } catch (error) {
        console.log(`FAILED ${label}: ${error}`);
        ++failures;
      }
    }
  }
}
console.log(`${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
