// SPDX-License-Identifier: MIT
// Files of labelled images as records.h describes them, for programs that train.

import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';

const kClasses = 10;

/** Bytes with every value equally likely; the same ones every time (Marsaglia 2003, xorshift32). */
function randomBytes(count) {
  const words = new Uint32Array(Math.ceil(count / 4));
  let state = 2463534242;
  for (let i = 0; i < words.length; ++i) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, count);
}

/** Writes `count` random images of `pixels` bytes unless the file is there. */
export function writeRandomRecords(file, count, pixels) {
  const size = count * (1 + pixels);
  if (existsSync(file) && readFileSync(file).length === size) return;
  const records = randomBytes(size);
  for (let i = 0; i < count; ++i) records[i * (1 + pixels)] = i % kClasses;
  writeFileSync(file, records);
}

const kImageHeaderBytes = 16;
const kLabelHeaderBytes = 8;
const kFashionPixels = 28 * 28;

/** The first `count` images of the Debian package dataset-fashion-mnist; `part`: train or t10k. */
export function writeFashionRecords(file, part, count) {
  const folder = '/usr/share/datasets/fashion-mnist';
  const read = (kind) => gunzipSync(readFileSync(join(folder, `${part}-${kind}-ubyte.gz`)));
  const images = read('images-idx3').subarray(kImageHeaderBytes);
  const labels = read('labels-idx1').subarray(kLabelHeaderBytes);
  if (labels.length < count) throw new Error(`${part} has ${labels.length} images, not ${count}`);
  const records = Buffer.alloc(count * (1 + kFashionPixels));
  for (let i = 0; i < count; ++i) {
    const at = i * (1 + kFashionPixels);
    records[at] = labels[i];
    images.copy(records, at + 1, i * kFashionPixels, (i + 1) * kFashionPixels);
  }
  writeFileSync(file, records);
}
