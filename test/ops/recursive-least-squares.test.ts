import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { matmul, solve, transpose } from '../../src/linalg/index.ts';
import { recursiveLeastSquares } from '../../src/ops/index.ts';
import { traceModel, type Model } from '../../src/signal/index.ts';
import { compile, snapshotNumbers } from '../../src/stream/index.ts';
import { gradient } from '../../src/train/index.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';

const model = (n: number, m: number, forgetting: number, ridge: number, weighted = false): Model => ({
  name: 'rls',
  inputs: { input: [n], target: [m] },
  build: (trace, { input, target }) => ({
    output: recursiveLeastSquares(input!, target!, {
      forgetting,
      ridge,
      ...(weighted ? { weight: trace.parameter('weight', [m, n]) } : {}),
    }),
  }),
});

/** W of Σ λ^{K−1−k} |d − W φ|² + λ^K r |W − W₀|², by the normal equations. */
function batch(
  phi: Float64Array,
  d: Float64Array,
  n: number,
  m: number,
  forgetting: number,
  ridge: number,
  initial = new Float64Array(m * n),
): Float64Array {
  const frames = phi.length / n;
  const weighted = phi.map((value, i) => value * forgetting ** (frames - 1 - Math.floor(i / n)));
  const R = matmul(transpose(weighted, frames, n), phi, n, frames, n);
  const p = matmul(transpose(weighted, frames, n), d, n, frames, m);
  const pull = ridge * forgetting ** frames;
  for (let i = 0; i < n; i++) {
    R[i * n + i]! += pull;
    for (let o = 0; o < m; o++) p[i * m + o]! += pull * initial[o * n + i]!;
  }
  return transpose(solve(R, p, n, m), n, m);
}

describe('recursive least squares', () => {
  const [n, m, frames] = [5, 2, 300];
  const source = random(2);
  const phi = Float64Array.from({ length: n * frames }, () => source.normal());
  const d = Float64Array.from({ length: m * frames }, () => source.normal());

  it.each([
    [1, 1e-6],
    [1, 1],
    [0.98, 1e-6],
  ])('is the weighted ridge regression of all it saw: λ %d, r %d', (forgetting, ridge) => {
    const initial = Float64Array.from({ length: m * n }, () => source.normal());
    const weighted = model(n, m, forgetting, ridge, true);
    const stream = compile(weighted, { weight: initial }, { precision: 'float64' });
    stream.push({ input: phi, target: d });
    const learned = snapshotNumbers(stream.snapshot()).get('rls:weights')!;
    const weights = learned.map((value, i) => value + initial[i]!);
    expect(relativeError(weights, batch(phi, d, n, m, forgetting, ridge, initial))).toBeLessThan(1e-9);
  });

  it('predicts with the weights of the frame before, and says how far off it will be', () => {
    const w = [1, -2, 0.5, 0, 3];
    const noise = 0.3;
    const count = 4000;
    const features = Float64Array.from({ length: n * count }, () => source.normal());
    const target = Float64Array.from({ length: count }, (_, k) =>
      w.reduce((sum, value, i) => sum + value * features[k * n + i]!, noise * source.normal()),
    );
    const stream = compile(model(n, 1, 1, 1e-6), {}, { precision: 'float64' });
    const y = stream.push({ input: features, target });
    expect(y[0]).toBe(0);
    // The first weight alone, after one frame: φ d / |φ|².
    const energy = features.subarray(0, n).reduce((sum, value) => sum + value * value, 0);
    const first = features.subarray(0, n).map((value) => (value * target[0]!) / energy);
    const second = first.reduce((sum, value, i) => sum + value * features[n + i]!, 0);
    expect(Math.abs(y[2]! - second)).toBeLessThan(1e-5 * Math.abs(second));
    // The declared deviation is that of the noise, and covers what a normal one does.
    expect(Math.abs(y.at(-1)! / noise - 1)).toBeLessThan(0.05);
    let inside = 0;
    for (let k = 100; k < count; k++) if (Math.abs(target[k]! - y[2 * k]!) < 1.96 * y[2 * k + 1]!) inside++;
    expect(Math.abs(inside / (count - 100) - 0.95)).toBeLessThan(0.015);
  });

  it('stays positive and bounded over 200,000 frames that excite next to nothing', () => {
    const count = 200_000;
    const wave = new Float64Array(3 * count);
    for (let k = 0; k < count; k++) {
      // Two features alike but for 1e-9, the third silent from a while on.
      wave[3 * k] = Math.sin(k / 50);
      wave[3 * k + 1] = Math.sin(k / 50) + 1e-9 * Math.cos(k);
      wave[3 * k + 2] = k < 1000 ? Math.cos(k / 9) : 0;
    }
    const target = Float64Array.from({ length: count }, (_, k) => 2 * wave[3 * k]! + wave[3 * k + 2]!);
    const stream = compile(model(3, 1, 0.99, 1e-6), {}, { precision: 'float64' });
    const y = stream.push({ input: wave, target });
    const sections = snapshotNumbers(stream.snapshot());
    for (const value of sections.get('rls:variances')!) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThanOrEqual(1e6);
    }
    expect([...sections.values()].every((values) => values.every(Number.isFinite))).toBe(true);
    expect(Math.abs(y.at(-2)! - target.at(-1)!)).toBeLessThan(1e-6);
  });

  verifyStream({ name: 'rls', model: model(3, 2, 0.99, 1e-2), parameters: {} });

  it('refuses a gradient, and options out of range', () => {
    expect(() =>
      gradient(model(n, m, 1, 1), {}, { input: phi, target: d }, ({ output }) => ({ output: output! })),
    ).toThrow(GraphError);
    expect(() => traceModel(model(2, 1, 1.5, 1))).toThrow(/forgetting is 1.5/);
    expect(() => traceModel(model(2, 1, 1, 0))).toThrow(/ridge is 0/);
  });
});
