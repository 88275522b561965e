import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingBuffer, ringMemory } from '../../src/live/index.ts';
import { allocatedBy } from '../support/allocations.ts';

const ring = (frames: number, channels = 1): RingBuffer => new RingBuffer(ringMemory({ frames, channels }));
/** Frames numbered from `from`, no zero among them. */
const numbered = (from: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => from + i);

/** `frames` frames as the audio callback plays them. */
function played(from: RingBuffer, frames: number, planes = 1): number[][] {
  const out = Array.from({ length: planes }, () => new Float32Array(frames).fill(NaN));
  from.play(out, frames);
  return out.map((plane) => [...plane]);
}

describe('write and read', () => {
  it('pass every frame on, in order, however it is cut', () => {
    const cut = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }));
    fc.assert(
      fc.property(fc.array(cut, { maxLength: 60 }), (cuts) => {
        const between = ring(16, 2);
        expect(between.capacity).toBe(16);
        let sent = 0;
        let seen = 0;
        for (const [write, read] of cuts) {
          sent += between.write(numbered(2 * sent, 2 * write));
          const block = new Float32Array(2 * read);
          const count = between.read(block);
          expect([...block.subarray(0, 2 * count)]).toEqual([...numbered(2 * seen, 2 * count)]);
          seen += count;
          expect(between.available).toBe(sent - seen);
          expect(between.room).toBe(16 - (sent - seen));
        }
        expect(between.counts).toEqual({ written: sent, read: seen, dropped: 0, missing: 0 });
      }),
    );
  });

  it('go on where positions pass 2^31 and 2^32', () => {
    for (const start of [2 ** 31 - 5, -5]) {
      const memory = ringMemory({ frames: 16, channels: 1 });
      new Int32Array(memory.buffer).fill(start, 0, 2);
      const between = new RingBuffer(memory);
      for (let k = 0; k < 30; k += 3) {
        expect(between.write(numbered(k, 3))).toBe(3);
        const block = new Float32Array(3);
        expect(between.read(block)).toBe(3);
        expect([...block]).toEqual([k, k + 1, k + 2]);
      }
    }
  });
});

describe('capture', () => {
  it('counts what it drops, and puts as much silence in its place', () => {
    const between = ring(8);
    between.capture([numbered(1, 6)], 6);
    between.capture([numbered(7, 6)], 6); // 4 are lost
    const first = new Float32Array(8);
    between.read(first);
    expect([...first]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    between.capture([numbered(13, 4)], 4);
    const second = new Float32Array(8);
    expect(between.read(second)).toBe(8);
    expect([...second]).toEqual([0, 0, 0, 0, 13, 14, 15, 16]);
    expect(between.counts).toMatchObject({ written: 16, dropped: 4 });
  });

  it('keeps time through any stall: frame k is frame k or silence', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 24 }), { minLength: 30, maxLength: 60 }), (reads) => {
        const between = ring(16);
        let at = 0;
        let seen = 0;
        for (const wanted of reads) {
          between.capture([numbered(at + 1, 5)], 5);
          at += 5;
          const block = new Float32Array(wanted);
          const count = between.read(block);
          for (let i = 0; i < count; i++) expect([0, seen + i + 1]).toContain(block[i]);
          seen += count;
        }
        expect(between.counts.dropped).toBeGreaterThanOrEqual(at - seen - 16);
      }),
    );
  });

  it('takes a lone channel, or none, as silence elsewhere', () => {
    const between = ring(8, 2);
    between.capture([numbered(1, 2)], 2);
    between.capture([], 2);
    const block = new Float32Array(8);
    between.read(block);
    expect([...block]).toEqual([1, 0, 2, 0, 0, 0, 0, 0]);
  });
});

describe('play', () => {
  it('is silent where frames are late, counts them, and skips them when they come', () => {
    const between = ring(16);
    between.write(numbered(1, 3));
    expect(played(between, 5)).toEqual([[1, 2, 3, 0, 0]]);
    between.write(numbered(4, 6)); // 4 and 5 are too late
    expect(played(between, 4)).toEqual([[6, 7, 8, 9]]);
    expect(between.counts).toEqual({ written: 9, read: 9, dropped: 0, missing: 2 });
  });

  it('sends one channel to every plane, and counts nothing after the end', () => {
    const between = ring(16);
    between.write(numbered(1, 2));
    between.close();
    expect(played(between, 3, 2)).toEqual([
      [1, 2, 0],
      [1, 2, 0],
    ]);
    expect(between.counts.missing).toBe(0);
  });
});

it('carries a million frames between two threads', async () => {
  const memory = ringMemory({ frames: 1024, channels: 2 });
  const between = new RingBuffer(memory);
  const total = 1_000_000;
  const writer = new Worker(new URL('./support/writer.ts', import.meta.url), {
    workerData: { memory, total },
  });
  let seen = 0;
  const block = new Float32Array(2 * 100);
  while (!between.closed || between.available > 0) {
    if (!between.wait(1, 5000)) throw new Error(`nothing came after ${seen} frames`);
    const count = between.read(block);
    for (let i = 0; i < count; i++) {
      if (block[2 * i] !== seen + i || block[2 * i + 1] !== -(seen + i)) throw new Error(`frame ${seen + i}`);
    }
    seen += count;
  }
  expect(seen).toBe(total);
  await writer.terminate();
});

it('waits no longer than it is told', () => {
  const between = ring(8);
  between.write(numbered(1, 2));
  expect(between.wait(2, 0)).toBe(true);
  expect(between.wait(3, 1)).toBe(false);
  between.close();
  expect(between.wait(3, 1000)).toBe(true);
});

it('works within one thread without shared memory', () => {
  const memory = ringMemory({ frames: 4, channels: 1, shared: false });
  expect(memory.buffer).toBeInstanceOf(ArrayBuffer);
  const between = new RingBuffer(memory);
  between.write(numbered(1, 4));
  expect(played(new RingBuffer(memory), 4)).toEqual([[1, 2, 3, 4]]);
});

it('makes no garbage', () => {
  const between = ring(1024, 2);
  const planes = [new Float32Array(128), new Float32Array(128)];
  const inputs = [numbered(1, 128), numbered(2, 128)];
  expect(
    allocatedBy(8000, () => {
      between.capture(inputs, 128);
      between.play(planes, 128);
    }),
  ).toBeLessThan(16);
});

it('refuses sizes that are none', () => {
  expect(() => ringMemory({ frames: 0, channels: 1 })).toThrow(/0 frames/);
  expect(() => ringMemory({ frames: 8, channels: 1.5 })).toThrow(/1.5 channels/);
  expect(() => new RingBuffer({ buffer: new ArrayBuffer(44), channels: 1 })).toThrow(/ringMemory/);
});
