// SPDX-License-Identifier: MIT
// Reads a safetensors file into {name: {dtype, shape, values}}.

import {readFileSync} from 'node:fs';

const arrays = {
  U8: Uint8Array,
  I8: Int8Array,
  I32: Int32Array,
  I64: BigInt64Array,
  F32: Float32Array,
  F64: Float64Array,
};

export function readSafetensors(file) {
  const bytes = readFileSync(file);
  const headerSize = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerSize).toString('utf8'));
  const tensors = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = entry.data_offsets.map((offset) => 8 + headerSize + offset);
    // A copy of its own, because typed arrays must start at a multiple of their element size.
    const own = bytes.buffer.slice(bytes.byteOffset + begin, bytes.byteOffset + end);
    tensors[name] = {dtype: entry.dtype, shape: entry.shape, values: new arrays[entry.dtype](own)};
  }
  return tensors;
}
