// SPDX-License-Identifier: MIT
// Programs that hold one engine each and answer line by line (worker.h).

import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';

import {median} from './statistics.mjs';

export class Worker {
  /**
   * Starts `command` (a program and its arguments) on processors `cores` ("1", "0,1"), with
   * `environment` added to this process's.
   */
  static async start(name, command, cores, environment = {}) {
    const worker = new Worker(name, command, cores, environment);
    const ready = await worker.#answer();
    if (!ready.startsWith('ready ')) throw new Error(`${name} said: ${ready}`);
    worker.about = ready.slice('ready '.length);
    return worker;
  }

  #lines = [];
  #waiting = [];
  #messages = '';

  constructor(name, command, cores, environment) {
    this.name = name;
    this.process = spawn('taskset', ['-c', String(cores), ...command],
                         {env: {...process.env, ...environment}});
    this.process.stdin.on('error', () => {});
    this.process.stderr.on('data', (text) => (this.#messages += text));
    const reader = createInterface({input: this.process.stdout});
    reader.on('line', (line) => {
      const waiting = this.#waiting.shift();
      waiting ? waiting.resolve(line) : this.#lines.push(line);
    });
    this.process.on('error', (error) => this.#fail(error.message));
    this.process.on('close', () => this.#fail(this.#messages.trim() || 'ended'));
  }

  #fail(reason) {
    this.ended = reason;
    for (const {reject} of this.#waiting.splice(0)) reject(new Error(`${this.name}: ${reason}`));
  }

  #answer() {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift());
    if (this.ended) return Promise.reject(new Error(`${this.name}: ${this.ended}`));
    return new Promise((resolve, reject) => this.#waiting.push({resolve, reject}));
  }

  /** Sends a command and gives the line it is answered with. */
  async ask(line) {
    this.process.stdin.write(`${line}\n`);
    return this.#answer();
  }

  /** The outputs of all samples, one after the other. */
  async outputs() {
    return (await this.ask('check')).trim().split(/\s+/).map(Number);
  }

  /** Nanoseconds of processor time of `count` inferences. */
  async run(count) {
    return Number(await this.ask(`run ${count}`));
  }

  stop() {
    this.process.stdin.end();
  }
}

/** Long enough for JavaScript to be compiled and for caches to fill. */
const kWarmUpNanoseconds = 300e6;

/** So many inferences that a round takes `milliseconds`; also warms the worker up. */
async function chooseCount(worker, milliseconds) {
  let total = 0;
  for (let count = 1; ; count *= 2) {
    const nanoseconds = await worker.run(count);
    total += nanoseconds;
    if (total >= kWarmUpNanoseconds) {
      return Math.max(1, Math.ceil((count * milliseconds * 1e6) / nanoseconds));
    }
  }
}

/**
 * Microseconds of processor time of one inference, by worker name: the medians over rounds in which
 * all workers take turns, each round beginning with another one.
 */
export async function measure(workers, rounds, milliseconds) {
  const times = new Map(workers.map((worker) => [worker, []]));
  const counts = new Map();
  for (const worker of workers) counts.set(worker, await chooseCount(worker, milliseconds));
  for (let round = 0; round < rounds; ++round) {
    for (let i = 0; i < workers.length; ++i) {
      const worker = workers[(round + i) % workers.length];
      const count = counts.get(worker);
      times.get(worker).push((await worker.run(count)) / count / 1000);
    }
  }
  return Object.fromEntries(workers.map((worker) => [worker.name, median(times.get(worker))]));
}
