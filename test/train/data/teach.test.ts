import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { peak } from '../../../src/audio/index.ts';
import { compile, evaluate, initialise, s4d } from '../../../src/index.ts';
import {
  drawsAt,
  guitarSignal,
  openSource,
  teach,
  type TeachOptions,
} from '../../../src/train/data/index.ts';
import { pluck } from '../../../src/train/data/teacher/karplus-strong.ts';
import { missingShared, shared } from '../../support/shared.ts';
import { loadModel } from '../../../src/models/load.ts';
import { collect, temporaryFolder } from './support.ts';

const root = temporaryFolder();
const RATE = 8000;
const teacher = s4d({ features: 1, states: 4 });
const weights = initialise(teacher, 1);
const options: TeachOptions = {
  sampleRate: RATE,
  pieces: 3,
  seconds: 0.5,
  seed: 2,
  cache: join(root, 'taught.pcm'),
};

const described = { kind: 'taught', cache: options.cache, frames: 1000, chunks: 2, batch: 3 } as const;

describe('teach', () => {
  it('keeps what the teacher answers to each piece from a fresh state', async () => {
    const pieces = await teach(teacher, weights, options);
    expect(pieces.list.map(({ frames }) => frames)).toEqual([4000, 4000, 4000]);
    const both = pieces.read(2, 0, 4000);
    const input = both.filter((_, i) => i % 2 === 0);
    expect(input).toEqual(guitarSignal(4000, RATE, drawsAt(2, 5, 2)));
    const output = compile(teacher, weights, { sampleRate: RATE }).push(input);
    expect(both.filter((_, i) => i % 2 === 1)).toEqual(output);
    const exact = evaluate(teacher, weights, { input }, { sampleRate: RATE })['output']!;
    exact.forEach((value, k) => expect(Math.abs(output[k]! - value)).toBeLessThan(1e-4));
    pieces.close();
  });

  it('asks the teacher once, and again when teacher or options are others', async () => {
    const made = (): number => statSync(options.cache).ino;
    const first = made();
    (await teach(teacher, weights, options)).close();
    expect(made()).toBe(first);
    (await teach(teacher, initialise(teacher, 2), options)).close();
    expect(made()).not.toBe(first);
    const bytes = readFileSync(options.cache);
    (await teach(teacher, weights, { ...options, seed: 3 })).close();
    expect(readFileSync(options.cache).equals(bytes)).toBe(false);
  });

  it('makes batches by description', async () => {
    (await teach(teacher, weights, options)).close();
    const source = await openSource(described);
    const batches = await collect(source);
    expect(source.targets).toEqual(['output']);
    expect(batches.map(({ items, carried }) => [items, carried])).toEqual([
      [3, false],
      [3, true],
      [3, false],
      [3, true],
    ]);
    await source.close();
  });

  it('takes answers earlier by the delay that a student need not learn', async () => {
    const pieces = await teach(teacher, weights, options);
    const source = await openSource({ ...described, ahead: 7, shuffle: false });
    const [first, second] = await collect(source);
    const both = pieces.read(0, 0, 2007);
    const heard = (from: number): Float32Array => both.filter((_, i) => i % 2 === 0).slice(from, from + 1000);
    const answered = (from: number): Float32Array =>
      both.filter((_, i) => i % 2 === 1).slice(from + 7, from + 1007);
    for (const [batch, from] of [
      [first!, 0],
      [second!, 1000],
    ] as const) {
      expect(batch.inputs['input']!.slice(0, 1000)).toEqual(heard(from));
      expect(batch.targets['output']!.slice(0, 1000)).toEqual(answered(from));
    }
    await source.close();
    pieces.close();
  });

  it('refuses a teacher of more channels', async () => {
    const wide = s4d({ features: 2, states: 4 });
    await expect(teach(wide, initialise(wide, 1), options)).rejects.toThrow(/takes 2 channels and gives 2/);
    await expect(teach(teacher, weights, { ...options, pieces: 0 })).rejects.toThrow(/0 pieces/);
  });
});

describe('guitarSignal', () => {
  it('is loud and faint and silent in turn, never beyond full scale', () => {
    const x = guitarSignal(30 * RATE, RATE, drawsAt(4));
    expect(peak(x)).toBeLessThan(0.95);
    expect(peak(x)).toBeGreaterThan(0.5);
    const levels = Array.from({ length: 60 }, (_, i) =>
      peak(x.subarray((i * RATE) / 2, ((i + 1) * RATE) / 2)),
    );
    expect(Math.min(...levels)).toBeLessThan(0.02);
    expect(x).toEqual(guitarSignal(30 * RATE, RATE, drawsAt(4)));
  });

  it('plucks strings in tune, that decay in the time that they should', () => {
    for (const pitch of [82.4, 220, 659.3]) {
      const rate = 48_000;
      const x = new Float32Array(rate);
      pluck(x, { pitch, at: 0, decay: 2, place: 0.2, brightness: 0.5, amplitude: 0.5 }, rate, drawsAt(1));
      // The fundamental over the second half, by a sum of products: largest at the pitch.
      const at = (hertz: number, from: number, length: number): number => {
        let [re, im] = [0, 0];
        for (let k = from; k < from + length; k++) {
          re += x[k]! * Math.cos((2 * Math.PI * hertz * k) / rate);
          im += x[k]! * Math.sin((2 * Math.PI * hertz * k) / rate);
        }
        return Math.hypot(re, im);
      };
      const here = at(pitch, rate / 2, rate / 2);
      expect(here).toBeGreaterThan(at(pitch * 1.006, rate / 2, rate / 2));
      expect(here).toBeGreaterThan(at(pitch / 1.006, rate / 2, rate / 2));
      const period = Math.round((rate / pitch) * 20);
      const fall = 20 * Math.log10(at(pitch, 0.75 * rate, period) / at(pitch, 0.25 * rate, period));
      // 60 dB in 2 s are 15 dB in half of one.
      expect(fall).toBeGreaterThan(-18);
      expect(fall).toBeLessThan(-12);
    }
  });
});

describe.skipIf(missingShared('peers', 'nam'))('a captured amplifier (needs ../shared)', () => {
  it('teaches', async () => {
    const { model, parameters } = loadModel(shared('peers', 'nam', 'wavenet_a1_standard.nam'));
    const pieces = await teach(model, parameters, {
      sampleRate: 48_000,
      pieces: 1,
      seconds: 0.1,
      cache: join(root, 'amp.pcm'),
    });
    expect(pieces.list[0]!.frames).toBe(4800);
    expect(pieces.read(0, 0, 4800).every(Number.isFinite)).toBe(true);
    pieces.close();
  });
});
