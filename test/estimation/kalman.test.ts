import { describe, expect, it } from 'vitest';
import { ArgumentError, GraphError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { matmul, solve, transpose } from '../../src/linalg/index.ts';
import { kalmanFilter, smoothKalman, type KalmanSystem } from '../../src/estimation/index.ts';
import { flatten, kalmanStep } from '../../src/estimation/kalman-system.ts';
import { compile, snapshotNumbers } from '../../src/stream/index.ts';
import { gradient } from '../../src/train/index.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';

const position = (q: number, r: number): KalmanSystem => ({
  A: [
    [0, 1],
    [0, 0],
  ],
  C: [[1, 0]],
  noise: {
    kind: 'white',
    density: [
      [0, 0],
      [0, q],
    ],
  },
  R: [r],
  covariance: [
    [100, 0],
    [0, 100],
  ],
});

/** Covariance after so many readings at a fixed step: it does not depend on what they say. */
function settled(system: KalmanSystem, dt: number, frames = 2000): Float64Array {
  const stream = compile(kalmanFilter(system), {}, { irregular: true, precision: 'float64' });
  const p = system.C.length;
  stream.push({ input: new Float64Array(frames * p), dt: new Float64Array(frames).fill(dt) });
  return snapshotNumbers(stream.snapshot()).get('kalman:P')!;
}

describe('the Kalman filter against textbook figures', () => {
  it('a random walk read with as much noise: the gain is 1/φ, the golden ratio’s', () => {
    const walk: KalmanSystem = {
      A: [[0]],
      C: [[1]],
      noise: { kind: 'white', density: [[1]] },
      R: [1],
      covariance: [[10]],
    };
    // P = K r, and K solves K² + K = 1.
    expect(settled(walk, 1)[0]).toBeCloseTo((Math.sqrt(5) - 1) / 2, 12);
  });

  it.each([
    [1, 1, 1],
    [0.3, 2, 0.5],
    [0.01, 5, 2],
  ])('constant speed under held accelerations: Kalata’s α and β (σ_a %d, σ_r %d, T %d)', (a, r, T) => {
    // P. R. Kalata, "The Tracking Index", IEEE Trans. AES 20 (1984): Λ = σ_a T² / σ_r.
    const index = (a * T * T) / r;
    const root = (4 + index - Math.sqrt(8 * index + index * index)) / 4;
    const alpha = 1 - root * root;
    const beta = 2 * (2 - alpha) - 4 * Math.sqrt(1 - alpha);
    const P = settled(
      {
        ...position(0, r * r),
        noise: { kind: 'held', through: [[0], [1]], covariance: [[a * a]] },
      },
      T,
    );
    // K = P Cᵀ R⁻¹ = (α, β / T).
    expect(Math.abs(P[0]! / (r * r) / alpha - 1)).toBeLessThan(1e-9);
    expect(Math.abs((P[2]! / (r * r)) * (T / beta) - 1)).toBeLessThan(1e-9);
  });

  it('constant speed under white acceleration: the Riccati equation holds where it settles', () => {
    const [q, r, T] = [0.2, 3, 0.7];
    const system = position(q, r);
    const { A, Q } = kalmanStep(flatten(system), T);
    // Y. Bar-Shalom et al., "Estimation with Applications to Tracking and Navigation" (2001), eq. 6.2.2-12.
    const textbook = [(q * T ** 3) / 3, (q * T ** 2) / 2, (q * T ** 2) / 2, q * T];
    expect(relativeError(Q, textbook)).toBeLessThan(1e-14);
    const P = settled(system, T);
    const M = matmul(matmul(A, P, 2, 2, 2), transpose(A, 2, 2), 2, 2, 2).map((value, i) => value + Q[i]!);
    const s = M[0]! + r;
    const next = [0, 1, 2, 3].map((i) => M[i]! - (M[2 * Math.floor(i / 2)]! * M[i % 2]!) / s);
    expect(relativeError(P, next)).toBeLessThan(1e-12);
  });

  it('an Ornstein-Uhlenbeck process forgets over any gap: its variance is q / 2a, never NaN', () => {
    const system: KalmanSystem = {
      A: [[-2]],
      C: [[1]],
      noise: { kind: 'white', density: [[3]] },
      R: [1],
      covariance: [[1]],
    };
    for (const dt of [1e-6, 0.1, 1, 1e3, 1e9]) {
      const { Q } = kalmanStep(flatten(system), dt);
      expect(Math.abs(Q[0]! / ((3 / 4) * -Math.expm1(-4 * dt)) - 1)).toBeLessThan(1e-12);
    }
  });
});

describe('the Kalman filter', () => {
  const system = position(0.5, 2);
  const source = random(3);
  const frames = 40;
  const dt = Float64Array.from({ length: frames }, () => source.uniform(0.1, 3));
  const input = Float64Array.from({ length: frames }, (_, k) => k + 2 * source.normal());

  verifyStream({
    name: 'kalman',
    model: kalmanFilter(system),
    parameters: {},
    options: { irregular: true },
    input: (port, count, width) =>
      Float32Array.from({ length: count * width }, (_, k) =>
        port === 'dt' ? 0.5 + (k % 3) / 2 : Math.sin(k / 30) + ((k * 7919) % 13) / 13,
      ),
  });

  it('says the same however a gap without readings is cut', () => {
    const model = kalmanFilter(system, { gated: true });
    const run = (cuts: number): Float64Array => {
      const stream = compile(model, {}, { irregular: true, precision: 'float64' });
      stream.push({ input: Float64Array.of(3), observed: Float64Array.of(1), dt: Float64Array.of(1) });
      const parts = new Float64Array(cuts).fill(7 / cuts);
      const y = stream.push({ input: new Float64Array(cuts), observed: new Float64Array(cuts), dt: parts });
      return Float64Array.from(y.slice(-4));
    };
    for (const cuts of [2, 10, 1000]) expect(relativeError(run(cuts), run(1))).toBeLessThan(1e-9);
  });

  it('runs at a rate as in irregular time with that step', () => {
    const fixed = compile(kalmanFilter(system, { sampleRate: 4 }), {}, { precision: 'float64' });
    const irregular = compile(kalmanFilter(system), {}, { precision: 'float64', irregular: true });
    expect(fixed.push(input)).toEqual(irregular.push({ input, dt: new Float64Array(frames).fill(0.25) }));
  });

  it('follows a control that it is told of', () => {
    const driven = {
      ...system,
      B: [[0], [1]],
      mean: [0, 0],
      covariance: [
        [0, 0],
        [0, 0],
      ],
    };
    const stream = compile(
      kalmanFilter({ ...driven, noise: position(0, 1).noise }),
      {},
      { precision: 'float64', irregular: true },
    );
    const y = stream.push({
      input: new Float64Array(5),
      control: new Float64Array(5).fill(2),
      dt: new Float64Array(5).fill(1),
    });
    // Certain from the start and undisturbed: ½ a t², whatever the readings say.
    expect(y.at(-4)).toBeCloseTo(0.5 * 2 * 16, 12);
    expect(y.at(-2)).toBe(0);
  });

  it('smooths to what least squares over the whole series says', () => {
    // The most likely trajectory: Σ over all steps, solved at once (Bryson & Frazier, 1963).
    const { n, A: _A, C, covariance } = flatten(system);
    void _A;
    const size = frames * n;
    const H = new Float64Array(size * size);
    const b = new Float64Array(size);
    const addBlock = (r: number, c: number, block: Float64Array): void => {
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) H[(r * n + i) * size + c * n + j]! += block[i * n + j]!;
    };
    const eye = Float64Array.of(1, 0, 0, 1);
    addBlock(0, 0, solve(covariance, eye, n, n));
    for (let k = 0; k < frames; k++) {
      for (let i = 0; i < n; i++) {
        b[k * n + i]! += (C[i]! * input[k]!) / system.R[0]!;
        for (let j = 0; j < n; j++) H[(k * n + i) * size + k * n + j]! += (C[i]! * C[j]!) / system.R[0]!;
      }
      if (k === 0) continue;
      const { A, Q } = kalmanStep(flatten(system), dt[k]!);
      const W = solve(Q, eye, n, n);
      const WA = matmul(W, A, n, n, n);
      addBlock(k, k, W);
      addBlock(
        k,
        k - 1,
        WA.map((value) => -value),
      );
      addBlock(
        k - 1,
        k,
        transpose(WA, n, n).map((value) => -value),
      );
      addBlock(k - 1, k - 1, matmul(transpose(A, n, n), WA, n, n, n));
    }
    const { mean, covariance: spread } = smoothKalman(system, { input, dt });
    expect(relativeError(mean, solve(H, b, size, 1))).toBeLessThan(1e-9);
    const identity = new Float64Array(size * size);
    for (let i = 0; i < size; i++) identity[i * size + i] = 1;
    const inverse = solve(H, identity, size, size);
    for (const k of [0, 17, frames - 1]) {
      const block = [0, 1, 2, 3].map((i) => inverse[(k * n + Math.floor(i / 2)) * size + k * n + (i % 2)]!);
      expect(relativeError(spread.subarray(k * 4, k * 4 + 4), block)).toBeLessThan(1e-8);
    }
  });

  it('smooths from the filter’s last belief backwards, and knows more than the filter', () => {
    const stream = compile(kalmanFilter(system), {}, { irregular: true, precision: 'float64' });
    const filtered = stream.push({ input, dt });
    const { mean, covariance } = smoothKalman(system, { input, dt });
    expect(relativeError(mean.slice(-2), filtered.slice(-4, -2))).toBeLessThan(1e-12);
    for (let k = 0; k < frames - 1; k++) {
      expect(Math.sqrt(covariance[k * 4]!)).toBeLessThan(filtered[k * 4 + 2]!);
    }
  });

  it('refuses what is no covariance, and gradients', () => {
    expect(() => kalmanFilter({ ...system, R: [0] })).toThrow(ArgumentError);
    expect(() =>
      kalmanFilter({
        ...system,
        covariance: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toThrow(/not symmetric/);
    expect(() => kalmanFilter({ ...system, C: [[1]] })).toThrow(/must be \(1 × 2\)/);
    expect(() =>
      gradient(kalmanFilter(system), {}, { input }, ({ output }) => ({ output: output! })),
    ).toThrow(GraphError);
  });
});
