// SPDX-License-Identifier: MIT
// The programs that train, loaded and waiting, and how long their steps take in turn.

import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

import {median} from './statistics.mjs';
import {Worker} from './workers.mjs';

const kSources = dirname(fileURLToPath(import.meta.url));

/** Batches that may lie ready when a round begins: two loader workers times two, and a few of ours. */
const kPrefetched = 4;

/** A program that trains one network and stands still between rounds. */
export class Trainer {
  static async start(name, command, lead, options, environment) {
    const worker = await Worker.start(name, command, options.cores, environment);
    return new Trainer(worker, lead, options);
  }

  constructor(worker, lead, options) {
    this.name = worker.name;
    this.worker = worker;
    this.lead = lead;
    this.batch = options.batch;
    this.seconds = options.seconds;
    this.about = JSON.parse(worker.about);
  }

  async #run(lead, count) {
    const [wall, busy] = (await this.worker.ask(`run ${lead} ${count}`)).split(' ').map(Number);
    return {wall: wall / 1e9, busy: busy / 1e9};
  }

  /** So many steps that a round takes about as long as it should. */
  async chooseCount() {
    const {wall} = await this.#run(Math.max(2, this.lead), 2);
    this.count = Math.max(2, Math.round((2 * this.seconds) / wall));
  }

  /** Images a second by the clock, and how many processors were at work meanwhile. */
  async round() {
    const {wall, busy} = await this.#run(this.lead, this.count);
    return {rate: (this.batch * this.count) / wall, processors: busy / wall};
  }

  stop() {
    this.worker.stop();
  }
}

export function startOurs(network, options, {precision = 'auto', environment} = {}) {
  const command = [join(options.programs, 'training_worker'), network, options.records,
                   String(options.batch), '2', precision];
  return Trainer.start('ours', command, kPrefetched, options, environment);
}

export function startPeer(name, network, flags, options, environment) {
  const command = [join(kSources, 'peer.py'), network, options.records, '--batch',
                   String(options.batch), ...flags];
  return Trainer.start(name, command, flags.includes('--tuned') ? kPrefetched : 0, options,
                       environment);
}

/** Throws unless all train a network of the same size. */
export function checkSame(network, trainers) {
  const [first, ...others] = trainers;
  for (const other of others) {
    if (other.about.parameters === first.about.parameters) continue;
    throw new Error(`${network}: ${first.name} has ${first.about.parameters} parameters and ` +
                    `${other.name} ${other.about.parameters}; comparing them would mean nothing`);
  }
}

/** About a tenth of a second of multiplications, or more with AMX. */
const kUnits = 50;

/** The multiply instructions of the processor, on as many threads as train. */
export class Peak {
  static async start(options) {
    const worker = await Worker.start('peak', [join(options.programs, 'training_peak'), '2'],
                                      options.cores);
    const [operations] = await worker.outputs();
    return new Peak(worker, operations);
  }

  constructor(worker, operations) {
    this.name = 'peak';
    this.worker = worker;
    this.operations = operations;
  }

  /** Operations a second of two processors: of one, by its processor time, twice. */
  async round() {
    return {rate: (2 * this.operations * kUnits) / ((await this.worker.run(kUnits)) / 1e9)};
  }

  /** What `work` gives, done while both processors are kept busy from here. */
  async during(work) {
    let wanted = true;
    const occupied = (async () => {
      while (wanted) await this.worker.run(kUnits);
    })();
    try {
      return await work();
    } finally {
      wanted = false;
      await occupied;
    }
  }

  stop() {
    this.worker.stop();
  }
}

/** By name, the medians of each figure over rounds in which all take turns. */
export async function inTurns(entrants, rounds) {
  const results = new Map(entrants.map(({name}) => [name, []]));
  for (let round = 0; round < rounds; ++round) {
    for (let i = 0; i < entrants.length; ++i) {
      const entrant = entrants[(round + i) % entrants.length];
      results.get(entrant.name).push(await entrant.round());
    }
  }
  return Object.fromEntries([...results].map(([name, rows]) => [
    name,
    Object.fromEntries(Object.keys(rows[0]).map((key) => [key, median(rows.map((row) => row[key]))])),
  ]));
}
