import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import type { Random } from '../../src/init/index.ts';
import { add, exp, mul, neg, slice, wkv } from '../../src/ops/index.ts';
import {
  defineLayer,
  sizeOf,
  traceModel,
  type Shape,
  type Signal,
  type Trace,
} from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyOp } from '../contract/op.ts';

const C = 3;
const between = (low: number, high: number) => (shape: Shape, random: Random) =>
  Float64Array.from({ length: sizeOf(shape) }, () => random.uniform(low, high));
const build = (trace: Trace, { input, value }: Readonly<Record<string, Signal>>): Signal =>
  wkv({
    key: input!,
    value: value!,
    decay: neg(exp(trace.parameter('time_decay', [C], between(-4, 1)))),
    bonus: trace.parameter('time_first', [C]),
  });
const inputs = { input: [C], value: [C] };
const model = {
  name: 'wkv',
  inputs,
  build: (trace: Trace, signals: Readonly<Record<string, Signal>>) => ({ output: build(trace, signals) }),
};

verifyOp({ name: 'wkv', inputs, build });
verifyOp({
  name: 'wkv with keys that overflow as exponentials',
  inputs,
  build: (trace, { input, value }) => build(trace, { input: mul(input!, 400), value: value! }),
  withoutCpu: 'a key of a thousand is 1e-4 off in float32, and so is the logarithm of every weight',
});

/** The two sums written out, in float64. */
function byDefinition(k: Float64Array, v: Float64Array, w: number[], u: number[]): Float64Array {
  return k.map((key, at) => {
    const [t, c] = [Math.floor(at / C), at % C];
    let numerator = Math.exp(u[c]! + key) * v[at]!;
    let denominator = Math.exp(u[c]! + key);
    for (let s = 0; s < t; s++) {
      const weight = Math.exp(k[s * C + c]! + (t - 1 - s) * w[c]!);
      numerator += weight * v[s * C + c]!;
      denominator += weight;
    }
    return numerator / denominator;
  });
}

describe('wkv', () => {
  const timeDecay = [-3, -1, 0.5];
  const timeFirst = [0.3, -1, 2];
  const parameters = { time_decay: timeDecay, time_first: timeFirst };
  const wave = (seed: number): Float64Array =>
    Float64Array.from({ length: 40 * C }, (_, i) => 2 * Math.sin(seed + 1.7 * i));

  it('is the weighted mean of the paper, eq. 16', () => {
    const [k, v] = [wave(1), wave(2)];
    const expected = byDefinition(
      k,
      v,
      timeDecay.map((x) => -Math.exp(x)),
      timeFirst,
    );
    const y = evaluate(model, parameters, { input: k, value: v })['output']!;
    y.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 13));
  });

  it('takes any key: a mean stays within the values', () => {
    for (const offset of [-1e30, -1e4, 1e4, 1e30]) {
      const input = wave(1).map((key) => key + offset);
      const y = compile(model, parameters).push({ input, value: wave(2) });
      for (const value of y) expect(Math.abs(value)).toBeLessThanOrEqual(2 + 1e-6);
    }
  });

  it('a shift of all keys changes nothing', () => {
    const value = wave(2);
    const at = (offset: number): Float64Array =>
      evaluate(model, parameters, { input: wave(1).map((key) => key + offset), value })['output']!;
    const [low, high] = [at(-500), at(700)];
    low.forEach((y, i) => expect(y).toBeCloseTo(high[i]!, 10));
  });

  it('forgets at the pace of its decay, where float32 would keep the past for ever', () => {
    // One heavy frame, then light ones: its weight falls by e^-3e-6 a frame, and 80 − 3e-6 is 80 in float32.
    const w = 3e-6;
    const slow = { time_decay: new Array(C).fill(Math.log(w)), time_first: new Array(C).fill(0) };
    const t = 400_000;
    const heavy = 11;
    const stream = compile(model, slow);
    stream.push({ input: new Float32Array(C).fill(80), value: new Float32Array(C).fill(1) });
    const y = stream.push({
      input: new Float32Array(t * C).fill(80 - heavy),
      value: new Float32Array(t * C),
    });
    const past = Math.exp(heavy - (t - 1) * w);
    const light = (1 - Math.exp(-(t - 1) * w)) / (1 - Math.exp(-w)) + 1;
    const expected = past / (past + light);
    const kept = Math.exp(heavy) / (Math.exp(heavy) + t);
    expect(kept / expected).toBeGreaterThan(1.5);
    expect(Math.abs(y.at(-1)! / expected - 1)).toBeLessThan(1e-5);
  });

  it('refuses what does not fit', () => {
    const trace =
      (make: (t: Trace, x: Signal) => Signal): (() => unknown) =>
      () =>
        traceModel(defineLayer({ name: 'm', features: 4, apply: make }));
    const w = (t: Trace, n = 4): Signal => t.parameter('w', [n]);
    const u = (t: Trace): Signal => t.parameter('u', [4]);
    expect(trace((t, x) => wkv({ key: x, value: slice(x, 0, 2), decay: w(t), bonus: u(t) }))).toThrow(
      /value \(2\) must have the key's shape \(4\)/,
    );
    expect(trace((t, x) => wkv({ key: x, value: x, decay: w(t, 3), bonus: u(t) }))).toThrow(GraphError);
    expect(trace((t, x) => wkv({ key: x, value: x, decay: x, bonus: u(t) }))).toThrow(
      /the decay must be a constant/,
    );
    expect(trace((t, x) => wkv({ key: x, value: add(u(t), 1), decay: w(t), bonus: u(t) }))).toThrow(
      GraphError,
    );
  });
});
