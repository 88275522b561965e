import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { carried, clips, memoryRecordings, openSource } from '../../../src/train/data/index.ts';
import { augment } from '../../../src/train/data/augment.ts';
import { drawsAt } from '../../../src/train/data/draws.ts';
import type { Ports } from '../../../src/train/data/index.ts';
import { collect, itemsOf, temporaryFolder, writeWav } from './support.ts';

/** Recordings whose numbers tell which they are and where: 1000·i + frame; channel 1 is the negative of channel 0. */
const recordings = (lengths: readonly number[]) =>
  memoryRecordings(
    lengths.map((length, i) =>
      Float32Array.from({ length: 2 * length }, (_, k) => (k % 2 === 0 ? 1 : -1) * (1000 * i + (k >> 1))),
    ),
    { sampleRate: 100, channels: 2 },
  );
const ports: Ports = { inputs: { input: [0] }, targets: { output: { channels: [1] } } };
const run = (from: number, length: number): number[] => Array.from({ length }, (_, k) => from + k);

describe('clips', () => {
  it('crops at random, as many of a recording as fit into it, elsewhere in every epoch', async () => {
    const source = clips(recordings([100, 25, 7]), { frames: 10, batch: 4, seed: 1, ports });
    const starts = async (epoch: number): Promise<number[]> =>
      (await collect(source, epoch)).flatMap((batch) =>
        itemsOf(batch).map((item) => {
          expect(item).toEqual(run(item[0]!, item.length));
          return item[0]!;
        }),
      );
    const first = (await starts(0)).sort((a, b) => a - b);
    expect(first.filter((s) => s < 1000).length).toBe(10);
    expect(first.filter((s) => s >= 1000 && s < 2000).length).toBe(2);
    // A recording that is too short comes whole, and its length is told.
    expect(first.filter((s) => s >= 2000)).toEqual([2000]);
    expect((await starts(1)).sort((a, b) => a - b)).not.toEqual(first);
    expect((await starts(0)).sort((a, b) => a - b)).toEqual(first);
    const one = clips(recordings([100, 25, 7]), { frames: 10, batch: 3, by: 'recording', ports });
    expect((await collect(one)).flatMap(({ lengths }) => lengths).sort()).toEqual([10, 10, 7]);
  });

  it('takes windows on a grid, with targets ahead', async () => {
    const ahead: Ports = { ...ports, targets: { output: { channels: [1], ahead: 3 } } };
    const source = clips(recordings([26]), {
      frames: 8,
      starts: 5,
      batch: 8,
      shuffle: false,
      ports: ahead,
    });
    const [batch] = await collect(source);
    // The last one that has its target: 15 + 8 + 3 = 26.
    expect(itemsOf(batch!)).toEqual([0, 5, 10, 15].map((start) => run(start, 8)));
    expect([...batch!.targets['output']!.subarray(24, 32)]).toEqual(run(18, 8).map((x) => -x));
  });

  it('takes whole recordings with their classes, changed at random but by the seed alone', async () => {
    const plain = clips(recordings([12, 30]), { batch: 2, labels: [3, 5], shuffle: false, buckets: [32] });
    const [batch] = await collect(plain);
    expect(batch!.frames).toBe(32);
    expect([...batch!.targets['labels']!]).toEqual([3, 5]);
    expect(batch!.lengths).toEqual([12, 30]);
    const augmented = clips(recordings([12, 30]), {
      batch: 2,
      labels: [3, 5],
      buckets: 1,
      augmentation: { gain: [-6, 6], speeds: [0.5, 2], delay: 4, noise: [20, 30] },
    });
    const [a] = await collect(augmented, 1);
    expect(await collect(augmented, 1)).toEqual([a]);
    expect(await collect(augmented, 2)).not.toEqual([a]);
    a!.lengths.forEach((length, i) => {
      const was = a!.targets['labels']![i] === 3 ? 12 : 30;
      expect([was / 2, was * 2].some((speed) => length >= speed && length <= speed + 4)).toBe(true);
    });
    expect(() => clips(recordings([5]), { batch: 1, ports, augmentation: { gain: [0, 0] } })).toThrow(
      /augmentation/,
    );
  });

  it('takes recordings through lines of a narrower band', async () => {
    const tone = (turn: number): Float32Array =>
      Float32Array.from({ length: 2000 }, (_, k) => Math.sin(turn * k));
    const energy = (x: Float32Array): number =>
      x.subarray(500, 1500).reduce((sum, value) => sum + value * value, 0);
    const [low, high] = [tone(0.4 * Math.PI), tone(0.6 * Math.PI)];
    const draws = drawsAt(1, 0, 0);
    const kept = augment(low.slice(), 1, { bands: [0.5] }, draws);
    const lost = augment(high.slice(), 1, { bands: [0.5] }, draws);
    expect([kept.length, lost.length]).toEqual([2000, 2000]);
    expect(kept.subarray(500, 1500).every((value, k) => Math.abs(value - low[500 + k]!) < 0.01)).toBe(true);
    expect(energy(lost)).toBeLessThan(1e-5 * energy(high));
    expect(augment(high.slice(), 1, { bands: [1] }, draws)).toEqual(high);
    expect(() => augment(low, 1, { bands: [1.5] }, draws)).toThrow(/bands: 1.5; give shares/);
  });

  it('refuses what does not fit', () => {
    const wrong: Ports = { inputs: { input: [2] }, targets: {} };
    expect(() => clips(recordings([5]), { batch: 1, ports: wrong })).toThrow(
      /"input" wants channel 2, .* have 2/,
    );
    expect(() => clips(recordings([5]), { batch: 1, labels: [1, 2] })).toThrow(/labels: 2 for 1/);
    expect(() => clips(recordings([5]), { batch: 1, frames: 0 })).toThrow(/frames: 0/);
    const far: Ports = { ...ports, targets: { output: { channels: [1], ahead: 5 } } };
    expect(() => clips(recordings([5]), { batch: 1, ports: far })).toThrow(
      /5 frames, too few for a target 5 frames ahead/,
    );
  });
});

describe('carried', () => {
  const options = { frames: 10, batch: 2, chunks: 3, seed: 2, ports };

  it('goes on in every lane where the batch before ended, and over everything once', async () => {
    const source = carried(recordings([60, 47, 95, 8]), options);
    const batches = await collect(source, 1);
    expect(batches.length).toBe(source.batchesPerEpoch);
    const seen: number[] = [];
    let ends: number[] = [];
    for (const batch of batches) {
      const items = itemsOf(batch);
      items.forEach((item, i) => {
        seen.push(...item);
        if (batch.carried === true) expect(item[0]).toBe(ends[i]! + 1);
        else expect((item[0]! % 1000) % 30).toBe(0);
      });
      if (batch.carried === true) expect(items.length).toBe(ends.length);
      ends = items.map((item) => item.at(-1)!);
    }
    expect(batches[0]!.carried).toBe(false);
    expect(batches.some((batch) => batch.items === 2 && batch.carried === true)).toBe(true);
    expect(seen.sort((a, b) => a - b)).toEqual([
      ...run(0, 60),
      ...run(1000, 47),
      ...run(2000, 95),
      ...run(3000, 8),
    ]);
  });

  it('resumes at any batch', async () => {
    const whole = await collect(carried(recordings([60, 47, 95, 8]), options), 4);
    for (let from = 0; from <= whole.length; from++) {
      expect(await collect(carried(recordings([60, 47, 95, 8]), options), 4, from)).toEqual(
        whole.slice(from),
      );
    }
  });

  it('never cuts a recording with chunks: Infinity', async () => {
    const batches = await collect(carried(recordings([95, 95]), { ...options, chunks: Infinity }));
    expect(batches.map((batch) => batch.carried)).toEqual([false, ...Array<boolean>(9).fill(true)]);
    expect(batches.at(-1)!.lengths).toEqual([5, 5]);
  });
});

describe('openSource', () => {
  const root = temporaryFolder();

  it('opens folders of pairs, and finds misspelt options', async () => {
    const x = Float32Array.from({ length: 40 }, (_, k) => k / 64);
    const [inputs, outputs] = [join(root, 'in'), join(root, 'out')];
    mkdirSync(inputs);
    mkdirSync(outputs);
    await writeWav(join(inputs, 'a.wav'), x);
    await writeWav(
      join(outputs, 'a.wav'),
      x.map((value) => -value),
    );
    const description = {
      kind: 'clips',
      files: inputs,
      outputs,
      sampleRate: 16_000,
      frames: 20,
      starts: 20,
      batch: 2,
      shuffle: false,
    } as const;
    const source = await openSource(description);
    const [batch] = await collect(source);
    expect(source.targets).toEqual(['output']);
    expect([...batch!.targets['output']!].map((value) => 0 - value)).toEqual([...x]);
    expect([...batch!.inputs['input']!]).toEqual([...x]);
    await expect(openSource({ ...description, batchs: 2 })).rejects.toThrow(
      /clips has no option "batchs"; it has files/,
    );
    await expect(openSource({ kind: 'clip' })).rejects.toThrow(/kind 'clip' is none of clips, carried/);
    const carriedToo = await openSource({
      kind: 'carried',
      files: inputs,
      sampleRate: 16_000,
      frames: 8,
      batch: 3,
    });
    expect((await collect(carriedToo)).map((b) => b.carried)).toEqual([false, true, true, true, true]);
  });
});
