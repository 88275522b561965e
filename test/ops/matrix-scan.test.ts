import { describe, expect, it } from 'vitest';
import * as ops from '../../src/ops/index.ts';
import { defineLayer, traceModel, type Signal, type Trace } from '../../src/signal/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { matrixScanCases } from '../contract/matrix-scan-cases.ts';
import { verifyOp } from '../contract/op.ts';
import { relativeError } from '../contract/stream.ts';

const [H, K, V] = [4, 3, 2];
const qkv = { input: [H, K], k: [H, K], v: [H, V] } as const;
for (const test of matrixScanCases(H, K, V))
  verifyOp({ ...test, name: `matrix scan, ${test.name}`, frames: 400 });

describe('matrix scan', () => {
  it('is causal attention without the softmax', () => {
    const model = {
      name: 'm',
      inputs: qkv,
      build: (_t: Trace, { input, k, v }: Readonly<Record<string, Signal>>) => ({
        output: ops.matrixScan({ q: input!, k: k!, v: v! }),
      }),
    };
    const make = (width: number, seed: number): Float64Array =>
      Float64Array.from({ length: 6 * width }, (_, i) => Math.sin(seed + i * 1.7));
    const inputs = { input: make(H * K, 1), k: make(H * K, 2), v: make(H * V, 3) };
    const y = evaluate(model, {}, inputs)['output']!;
    for (let t = 0; t < 6; t++) {
      for (let h = 0; h < H; h++) {
        for (let j = 0; j < V; j++) {
          let sum = 0;
          for (let s = 0; s <= t; s++) {
            let score = 0;
            for (let i = 0; i < K; i++)
              score += inputs.input[(t * H + h) * K + i]! * inputs.k[(s * H + h) * K + i]!;
            sum += score * inputs.v[(s * H + h) * V + j]!;
          }
          expect(y[(t * H + h) * V + j]).toBeCloseTo(sum, 12);
        }
      }
    }
  });

  it('in chunks survives decays that vanish, where exponentials of sums would not', () => {
    const model = {
      name: 'm',
      inputs: { ...qkv, w: [H, 1] },
      build: (_t: Trace, { input, k, v, w }: Readonly<Record<string, Signal>>) => ({
        output: ops.matrixScan({ q: input!, k: k!, v: v!, decay: w }),
      }),
    };
    const frames = 200;
    const make = (width: number, seed: number): Float64Array =>
      Float64Array.from({ length: frames * width }, (_, i) => Math.sin(seed + i * 1.7));
    const decays = [1, 0, 1e-300, 0.999, Math.exp(-80), -0.5];
    const inputs = {
      input: make(H * K, 1),
      k: make(H * K, 2),
      v: make(H * V, 3),
      w: Float64Array.from({ length: frames * H }, (_, i) => decays[(i * 7) % decays.length]!),
    };
    const step = evaluate(model, {}, inputs)['output']!;
    const long = evaluate(model, {}, inputs, { form: 'long' })['output']!;
    expect(relativeError(long, step)).toBeLessThan(1e-14);
  });

  it('refuses what does not fit', () => {
    const build =
      (apply: (t: Trace, x: Signal) => Signal): (() => unknown) =>
      () =>
        traceModel(defineLayer({ name: 'm', features: 8, apply }));
    const heads = (x: Signal): Signal => ops.reshape(x, [4, 2]);
    expect(build((_t, x) => ops.matrixScan({ q: heads(x), k: ops.reshape(x, [2, 4]), v: heads(x) }))).toThrow(
      /k \(2 × 4\) must be \(4 × 2\), or with a divisor of 4 heads/,
    );
    expect(build((_t, x) => ops.matrixScan({ q: heads(x), k: heads(x), v: heads(x), a: heads(x) }))).toThrow(
      /needs both a and b/,
    );
  });
});
