import { describe, expect, it } from 'vitest';
import { bilinear } from '../../src/discretize/index.ts';
import type { Random } from '../../src/init/index.ts';
import { complexMatmul, complexSolve, complexZeros } from '../../src/linalg/index.ts';
import { DplrStep, dplrCoefficients, dplrSystem } from '../../src/ops/dplr-discretise.ts';
import { dplrScan, diagonalScan, mul, select, sigmoid } from '../../src/ops/index.ts';
import { random } from '../../src/init/index.ts';
import { sizeOf, type Model, type Shape, type Signal, type Trace } from '../../src/signal/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { drawParameters, verifyOp } from '../contract/op.ts';
import { relativeError } from '../contract/stream.ts';

const H = 2;
const N = 3;
const stable = (shape: Shape, source: Random): Float64Array =>
  Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
    i % 2 === 0 ? source.uniform(-2, -0.2) : source.uniform(-4, 4),
  );
const between = (low: number, high: number) => (shape: Shape, source: Random) =>
  Float64Array.from({ length: sizeOf(shape) }, () => source.uniform(low, high));

const scan = (t: Trace, u: Signal, rank: number, dt?: Signal): Signal =>
  dplrScan(u, {
    lambda: t.parameter('lambda', [H, N, 2], stable),
    p: t.parameter('p', [rank, H, N, 2], between(-0.8, 0.8)),
    b: t.parameter('b', [H, N, 2]),
    c: t.parameter('c', [H, N, 2]),
    dt: dt ?? t.parameter('dt', [H], between(0.05, 0.4)),
  });

for (const rank of [1, 2, 3]) {
  verifyOp({
    name: `diagonal plus rank ${rank} scan`,
    inputs: { input: [H] },
    build: (t, { input }) => scan(t, input!, rank),
    frames: 300,
  });
}
verifyOp({
  name: 'diagonal plus rank 2 scan, dt by frame',
  inputs: { input: [H], delta: [1] },
  build: (t, { input, delta }) =>
    scan(t, input!, 2, mul(sigmoid(delta!), t.parameter('dt', [H], between(0.05, 0.4)))),
  frames: 300,
});
verifyOp({
  name: 'diagonal plus rank 1 scan in float32',
  inputs: { input: [H] },
  build: (t, { input }) => scan(t, input!, 1),
  options: { precision: 'float32' },
  frames: 300,
});

describe('the diagonal plus low rank step', () => {
  it('is the bilinear rule on the matrix that it never forms', () => {
    const source = random(4);
    const [states, rank, dt] = [4, 2, 0.3];
    const system = dplrSystem(states, rank);
    system.lambda.set(stable([2 * states], source));
    for (const part of [system.P, system.B]) part.set(part.map(() => source.normal()));
    const at = dplrCoefficients(states, rank);
    new DplrStep(states, rank).forward(system, dt, at);

    // Both of each pair: state n + states is the conjugate of state n.
    const n = 2 * states;
    const full = (values: Float64Array, row: number, i: number): [number, number] => {
      const j = 2 * (row * states + (i % states));
      return [values[j]!, i < states ? values[j + 1]! : -values[j + 1]!];
    };
    const [minus, plus, B] = [complexZeros(n * n), complexZeros(n * n), complexZeros(n)];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let [re, im] = i === j ? full(system.lambda, 0, i) : [0, 0];
        for (let r = 0; r < rank; r++) {
          const [p, q] = [full(system.P, r, i), full(system.P, r, j)];
          re -= p[0] * q[0] + p[1] * q[1];
          im -= p[1] * q[0] - p[0] * q[1];
        }
        plus.re[i * n + j] = (i === j ? 1 : 0) + (dt / 2) * re;
        minus.re[i * n + j] = (i === j ? 1 : 0) - (dt / 2) * re;
        plus.im[i * n + j] = (dt / 2) * im;
        minus.im[i * n + j] = (-dt / 2) * im;
      }
      const [re, im] = full(system.B, 0, i);
      B.re[i] = dt * re;
      B.im[i] = dt * im;
    }
    const aBar = complexSolve(minus, plus, n, n);
    const bBar = complexSolve(minus, B, n, 1);
    for (let i = 0; i < n; i++) {
      const b = full(at.b, 0, i);
      expect(Math.hypot(b[0] - bBar.re[i]!, b[1] - bBar.im[i]!)).toBeLessThan(1e-14);
      for (let j = 0; j < n; j++) {
        let [re, im] = i === j ? full(at.a, 0, i) : [0, 0];
        for (let r = 0; r < rank; r++) {
          const [f, g] = [full(at.F, r, i), full(at.G, r, j)];
          re -= f[0] * g[0] - f[1] * g[1];
          im -= f[0] * g[1] + f[1] * g[0];
        }
        expect(Math.hypot(re - aBar.re[i * n + j]!, im - aBar.im[i * n + j]!)).toBeLessThan(1e-14);
      }
    }
    // Ā and (I − A dt/2)⁻¹ commute: a check of the oracle itself.
    const both = complexMatmul(minus, aBar, n, n, n);
    expect(relativeError(both.re, plus.re)).toBeLessThan(1e-14);
  });

  it('is the diagonal scan where P is 0', () => {
    const model = (build: (t: Trace, u: Signal) => Signal): Model => ({
      name: 'm',
      inputs: { input: [H] },
      build: (t, { input }) => ({ output: build(t, input!) }),
    });
    const low = model((t, u) => scan(t, u, 1));
    const parameters = drawParameters(low, 5).set('p', new Float64Array(2 * H * N));
    const diagonal = model((t, u) => {
      const pair = (name: string): { re: Signal; im: Signal } => {
        const x = t.parameter(name, [H, N, 2]);
        return { re: select(x, 0), im: select(x, 1) };
      };
      return diagonalScan(u, {
        a: pair('lambda'),
        b: pair('b'),
        c: pair('c'),
        dt: t.parameter('dt', [H]),
        method: bilinear.diagonal,
      });
    });
    const same = new Map([...parameters].filter(([name]) => name !== 'p'));
    const input = Float64Array.from({ length: 200 }, (_, i) => Math.sin(i));
    const [ours, theirs] = [evaluate(low, parameters, { input }), evaluate(diagonal, same, { input })];
    expect(relativeError(ours['output']!, theirs['output']!)).toBeLessThan(1e-13);
  });
});
