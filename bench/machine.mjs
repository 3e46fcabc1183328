// SPDX-License-Identifier: MIT
// What the machine offers: the best form of the kernels, and how the compiler is asked for it.

import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {arch} from 'node:os';

const kX86Forms = [
  {
    name: 'avx512-vnni',
    needs: ['avx512f', 'avx512bw', 'avx512vl', 'avx512_vnni', 'avx512vbmi'],
    flags: ['-mavx512f', '-mavx512bw', '-mavx512vl', '-mavx512vnni', '-mavx512vbmi'],
  },
  {name: 'avx-vnni', needs: ['avx2', 'avx_vnni'], flags: ['-mavx2', '-mavxvnni']},
  {name: 'avx2', needs: ['avx2'], flags: ['-mavx2']},
];
const kArmForms = [
  {name: 'neon-dot', needs: ['asimddp'], flags: ['-march=armv8.2-a+dotprod']},
  {name: 'neon', needs: ['asimd'], flags: []},
];
export const kPortable = {name: 'portable', needs: [], flags: ['-DBL_FORM=BL_FORM_PORTABLE']};

function processorFlags() {
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(text);
  return new Set(line ? line[1].trim().split(/\s+/) : []);
}

/** The forms this processor runs, best first; the portable one is last. */
export function forms() {
  const flags = processorFlags();
  const known = {x64: kX86Forms, arm64: kArmForms}[arch()] ?? [];
  return [...known.filter(({needs}) => needs.every((flag) => flags.has(flag))), kPortable];
}

export function processorName() {
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const line = /^model name\s*:(.*)$/m.exec(text);
  return line ? line[1].trim() : arch();
}

/** The instructions that train faster in bf16 than in float32: AMX, or AVX-512's on AMD's processors. */
export function fastBf16() {
  const flags = processorFlags();
  if (flags.has('amx_bf16')) return 'AMX';
  const byAmd = /^vendor_id\s*:\s*AuthenticAMD$/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  return byAmd && flags.has('avx512_bf16') ? 'AVX-512' : undefined;
}

/** The processors this process may run on. */
function allowedCores() {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({length: last - first + 1}, (_, i) => first + i);
  });
}

/** The last one: the first is where interrupts go. */
export function chooseCore() {
  return allowedCores().at(-1);
}

/** The last two. */
export function chooseTwoCores() {
  const cores = allowedCores().slice(-2);
  if (cores.length === 2) return cores.join(',');
  throw new Error('training is measured on two processors; this process may use one');
}

export function compilerVersion(compiler) {
  return execFileSync(compiler, ['--version'], {encoding: 'utf8'}).split('\n')[0];
}
