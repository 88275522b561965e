import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { initialise, mamba3 } from '../../src/layers/index.ts';
import { heavyTail } from '../../src/layers/mamba3.ts';
import { trapezoidalScan } from '../../src/layers/trapezoidal-scan.ts';
import { modelFor } from '../../src/models/index.ts';
import { mamba3Model } from '../../src/models/mamba3.ts';
import { softplus } from '../../src/ops/index.ts';
import type { Model } from '../../src/signal/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { opModel, verifyAdjoint, verifyOp } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { verifyGolden } from '../support/verify-golden.ts';

const half = mamba3({ features: 4, states: 6, headWidth: 2, groups: 2 });
const full = mamba3({ features: 4, states: 5, headWidth: 4, rotary: 1, norm: true, decay: softplus });
const stack = mamba3Model({ features: 4, states: 4, headWidth: 4, layers: 2 });

verifyGolden('mamba3');
for (const [name, model] of Object.entries({ mamba3: half, 'mamba3 with a norm and full rotation': full })) {
  verifyStream({ name, model, parameters: initialise(model, 1) });
  verifyAdjoint({ name, model, parameters: initialise(model, 2) });
}
verifyStream({ name: 'mamba3 backbone', model: stack, parameters: initialise(stack, 3) });
verifyOp({
  name: 'heavyTail',
  inputs: { input: [4] },
  build: (_t, { input }) => heavyTail(input!),
  frames: 200,
});

const noise = (frames: number, width: number, seed = 5): Float64Array => {
  const source = random(seed);
  return Float64Array.from({ length: frames * width }, () => source.normal());
};

describe('heavyTail', () => {
  it('is 1 + x above 0 and 1 / (1 − x) below', () => {
    const model = opModel({ name: 'h', inputs: { input: [1] }, build: (_t, { input }) => heavyTail(input!) });
    const y = evaluate(model, {}, { input: Float64Array.of(-99, -1, 0, 3) })['output']!;
    expect([...y]).toEqual([0.01, 0.5, 1, 4]);
  });
});

/** One head, one pair of states, one value: what the recurrence is in complex numbers. */
const oscillator: Model = {
  name: 'oscillator',
  inputs: { v: [1, 1], dt: [1], logDecay: [1], current: [1], frequency: [1, 1] },
  build(trace, { v, dt, logDecay, current, frequency }) {
    const unit = trace.literal([1, 0], [1, 2]);
    const { y } = trapezoidalScan({
      q: unit,
      k: unit,
      v: v!,
      dt: dt!,
      logDecay: logDecay!,
      current: current!,
      frequency: frequency!,
    });
    return { output: y };
  },
};

describe('mamba3', () => {
  it('is a complex system by the trapezoidal rule: second order in the step', () => {
    // x' = (−a + iω) x + v(t) from rest; y = Re x, its frame turned back by the query.
    const [a, omega, seconds] = [0.5, 2, 6];
    const v = (t: number): number => Math.sin(t) ** 2;
    const exact = (t: number): number => {
      let sum = 0;
      const steps = 40_000;
      for (let i = 0; i <= steps; i++) {
        const s = (t * i) / steps;
        const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
        sum += weight * Math.exp(-a * (t - s)) * Math.cos(omega * (t - s)) * v(s);
      }
      return (sum * t) / steps / 3;
    };
    const error = (frames: number): number => {
      const dt = seconds / frames;
      const constant = (value: number): Float64Array => new Float64Array(frames).fill(value);
      const y = evaluate(
        oscillator,
        {},
        {
          v: Float64Array.from({ length: frames }, (_, k) => v((k + 1) * dt)),
          dt: constant(dt),
          logDecay: constant(-a * dt),
          current: constant(0.5),
          frequency: constant(omega),
        },
      )['output']!;
      return Math.abs(y.at(-1)! - exact(seconds));
    };
    const [coarse, fine] = [error(200), error(400)];
    expect(coarse).toBeLessThan(1e-3);
    expect(coarse / fine).toBeGreaterThan(3.8);
    expect(coarse / fine).toBeLessThan(4.2);
  });

  it('with λ = 1 and no rotation it is Mamba-2’s recurrence', () => {
    const frames = 50;
    const values = noise(frames, 1);
    const y = evaluate(
      oscillator,
      {},
      {
        v: values,
        dt: new Float64Array(frames).fill(0.3),
        logDecay: new Float64Array(frames).fill(-0.2),
        current: new Float64Array(frames).fill(1),
        frequency: new Float64Array(frames),
      },
    )['output']!;
    let state = 0;
    const expected = values.map((x) => (state = Math.exp(-0.2) * state + 0.3 * x));
    expect(relativeError(y, expected)).toBeLessThan(1e-14);
  });

  it('gives neighbouring heads one B and C: the second group does not reach the heads of the first', () => {
    const parameters = initialise(half, 6);
    const [inner, states, features] = [8, 6, 4];
    const row = 2 * inner + states;
    const changed = new Map(parameters).set(
      'in_proj.weight',
      parameters.get('in_proj.weight')!.map((w, i) => {
        const at = Math.floor(i / features);
        return at >= row && at < row + states ? -w : w;
      }),
    );
    const input = noise(30, 4);
    const only = (first: boolean): number => {
      const weight = parameters.get('out_proj.weight')!.map((w, i) => (i % inner < 4 === first ? w : 0));
      const [a, b] = [parameters, changed].map(
        (all) => evaluate(half, new Map(all).set('out_proj.weight', weight), { input })['output']!,
      );
      return relativeError(a!, b!);
    };
    expect(only(true)).toBe(0);
    expect(only(false)).toBeGreaterThan(1e-3);
  });

  it('follows another rate: half of it, every second output', () => {
    const model = mamba3({ features: 4, states: 6, headWidth: 2, sampleRate: 16_000 });
    const parameters = initialise(model, 7);
    const slow = (count: number, period: number): Float64Array =>
      Float64Array.from({ length: 4 * count }, (_, i) =>
        Math.cos((Math.floor(i / 4) + 1) * period + (i % 4)),
      );
    const y = (rate: number): Float64Array =>
      evaluate(model, parameters, { input: slow(rate / 20, 40 / rate) }, { sampleRate: rate })['output']!;
    const against = (low: number, high: number): number =>
      relativeError(
        y(low).subarray(4 * 50),
        y(high)
          .filter((_, i) => Math.floor(i / 4) % (high / low) === high / low - 1)
          .subarray(4 * 50),
      );
    expect(against(8000, 16_000)).toBeLessThan(0.02);
    // A layer that counted frames would be off by much.
    const counted = { ...model, sampleRate: 8000 };
    const atOwn = evaluate(counted, parameters, { input: slow(400, 40 / 8000) })['output']!;
    expect(relativeError(atOwn, y(8000))).toBeGreaterThan(0.1);
  });

  it('starts as published', () => {
    const parameters = initialise(mamba3({ features: 64, states: 4, headWidth: 1 }), 9);
    const dt = parameters.get('dt_bias')!.map((b) => Math.log1p(Math.exp(b)));
    expect(Math.min(...dt)).toBeGreaterThan(0.000_999);
    expect(Math.max(...dt)).toBeLessThan(0.100_001);
    for (const name of ['D', 'B_bias', 'C_bias', 'B_norm.weight', 'C_norm.weight'])
      expect(parameters.get(name)!.every((value) => value === 1)).toBe(true);
  });

  it('refuses what cannot be built, by name', () => {
    expect(() => mamba3({ features: 4, headWidth: 3 })).toThrow(ArgumentError);
    expect(() => mamba3({ features: 4, headWidth: 4, groups: 3 })).toThrow(
      /2 heads can't share B and C in 3 groups/,
    );
    expect(() => mamba3({ features: 4, headWidth: 4, states: 2, rotary: 0.5 })).toThrow(/makes no pair/);
    expect(() => modelFor('mamba3', { d_model: 8, headdim: 4, is_mimo: true })).toThrow(
      /"is_mimo" is true; only false/,
    );
    expect(() => modelFor('mamba3', { d_model: 8, headdim: 4, A_activation: 'exp' })).toThrow(
      /heavy_tail, softplus/,
    );
  });
});
