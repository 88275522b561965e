/**
 * A linear system from what went in and what came out, noise and all, by predictor-based subspace identification
 * (A. Chiuso, "The role of vector autoregressive modeling in predictor-based subspace identification", Automatica 43,
 * 2007; G. van der Veen et al., "Closed-loop subspace identification methods: an overview", IET Control Theory &
 * Applications 7, 2013, §5): a long regression on past inputs and outputs by least squares; the states that it passes
 * through, by its singular vectors; and the matrices by least squares on those states.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | u, y | input, output | (m), (p) |
 * | w_i = (u, y) i frames ago, z = (w_1 … w_q) | the past | (m + p), (q (m + p)) |
 * | θ_i | weights of w_i in the prediction of y; θ_0 of u now | (p × (m + p)), (p × m) |
 * | G | what the past says of the next f outputs: block (j, i) is θ_{i+j}, 0 beyond q | (f p × q (m + p)) |
 * | x = T z | states | (n) |
 */
import { ArgumentError } from '../errors.ts';
import { eigenvalues } from '../filters/eigenvalues.ts';
import { lti } from '../layers/index.ts';
import { eigHermitian, matmul, solve, transpose } from '../linalg/index.ts';
import { concat, delay, recursiveLeastSquares } from '../ops/index.ts';
import type { Model } from '../signal/index.ts';
import { compile, snapshotNumbers } from '../stream/index.ts';
import type { StateSpace } from '../discretize/index.ts';

export interface IdentifyOptions {
  /** n: states of the system; `singularValues` of a first run show how many stand out. */
  readonly order: number;
  /** q: past frames in the regression; max(40, 4 n). More where the system and its noise have a longer memory. */
  readonly past?: number;
  /** m: numbers in a frame of the input; 1. */
  readonly inputs?: number;
  /** p: numbers in a frame of the output; 1. */
  readonly outputs?: number;
}

export interface Identified {
  /** y[k] = C x[k] + D u[k], x[k+1] = A x[k] + B u[k]: goes into `lti`. */
  readonly system: StateSpace;
  /** K (n × p) of the innovations form x[k+1] = A x[k] + B u[k] + K (y[k] − ŷ[k]): what the noise does. */
  readonly gain: Float64Array;
  /** Poles: eigenvalues of A. */
  readonly poles: readonly { readonly re: number; readonly im: number }[];
  /** Of G weighted by the past, descending: those of the system stand above those of the noise. */
  readonly singularValues: Float64Array;
  /** How much of the output the system explains without seeing it: 100 (1 − |y − ŷ| / |y − mean|) percent, the worst output's. */
  readonly fit: number;
}

/** Least squares on the last q frames of both, by the op that streams it. */
function regress(u: ArrayLike<number>, y: ArrayLike<number>, m: number, p: number, q: number): Float64Array {
  const model: Model = {
    name: 'identify',
    inputs: { input: [m], target: [p] },
    build(_trace, { input, target }) {
      const past = Array.from({ length: q }, (_, i) => [delay(input!, i + 1), delay(target!, i + 1)]).flat();
      return { output: recursiveLeastSquares(concat([input!, ...past]), target!, { ridge: 1e-9 }) };
    },
  };
  const stream = compile(model, {}, { precision: 'float64' });
  stream.push({ input: Float64Array.from(u), target: Float64Array.from(y) });
  return snapshotNumbers(stream.snapshot()).get('rls:weights')!;
}

/** A recording, and the past of any of its frames. */
interface Recording {
  readonly u: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly m: number;
  readonly p: number;
  readonly q: number;
  readonly frames: number;
}

/** z at frame k, q or later, into `z`. */
function past({ u, y, m, p, q }: Recording, k: number, z: Float64Array): void {
  let at = 0;
  for (let i = 1; i <= q; i++) {
    for (let c = 0; c < m; c++) z[at++] = u[(k - i) * m + c]!;
    for (let c = 0; c < p; c++) z[at++] = y[(k - i) * p + c]!;
  }
}

/** T (n × q (m + p)) and the singular values: the n directions of the past that say most of the future. */
function stateMap(
  recording: Recording,
  theta: Float64Array,
  n: number,
): { readonly T: Float64Array; readonly singularValues: Float64Array } {
  const { m, p, q, frames } = recording;
  const width = m + p;
  const W = q * width;
  const columns = m + W;
  const future = Math.min(q, Math.max(10, 2 * n));
  const R = future * p;
  const G = new Float64Array(R * W);
  for (let j = 0; j < future; j++) {
    for (let r = 0; r < p; r++) {
      for (let i = 0; i < (q - j) * width; i++)
        G[(j * p + r) * W + i] = theta[r * columns + m + j * width + i]!;
    }
  }
  // The covariance of G z, and from it U Σ² Uᵀ: small, and the noise is far above what squaring loses.
  const gram = new Float64Array(R * R);
  const z = new Float64Array(W);
  const seen = new Float64Array(R);
  for (let k = q; k < frames; k++) {
    past(recording, k, z);
    for (let r = 0; r < R; r++) {
      let sum = 0;
      for (let i = 0; i < W; i++) sum += G[r * W + i]! * z[i]!;
      seen[r] = sum;
    }
    for (let r = 0; r < R; r++)
      for (let c = 0; c <= r; c++) gram[r * R + c]! += (seen[r]! * seen[c]!) / (frames - q);
  }
  for (let r = 0; r < R; r++) for (let c = 0; c < r; c++) gram[c * R + r] = gram[r * R + c]!;
  const { values, vectors } = eigHermitian({ re: gram, im: new Float64Array(R * R) }, R);
  const singularValues = Float64Array.from(values, (value) => Math.sqrt(Math.max(0, value))).reverse();
  if (!(singularValues[n - 1]! > 1e-7 * singularValues[0]!)) {
    throw new ArgumentError(
      `identify: order ${n} is more than the data show: singular value ${n} is ${singularValues[n - 1]}, the first ` +
        `${singularValues[0]}; give a lower order, or an input that excites more`,
    );
  }
  // Σ^{-1/2} Uᵀ (n × R), so that each state has a variance of its singular value.
  const rows = new Float64Array(n * R);
  for (let j = 0; j < n; j++)
    for (let i = 0; i < R; i++)
      rows[j * R + i] = vectors.re[i * R + (R - 1 - j)]! / Math.sqrt(singularValues[j]!);
  return { T: matmul(rows, G, n, R, W), singularValues };
}

/** M (rows × columns) of target ≈ M features, by the normal equations: a handful of well-scaled columns. */
function leastSquares(
  features: Float64Array,
  target: Float64Array,
  columns: number,
  rows: number,
): Float64Array {
  const frames = features.length / columns;
  const F = transpose(features, frames, columns);
  const right = matmul(F, target, columns, frames, rows);
  return transpose(solve(matmul(F, features, columns, frames, columns), right, columns, rows), columns, rows);
}

/** Columns `from` to `from + count` of a matrix (rows × columns). */
const columnsOf = (M: Float64Array, columns: number, from: number, count: number): Float64Array =>
  Float64Array.from(
    { length: (M.length / columns) * count },
    (_, i) => M[Math.floor(i / count) * columns + from + (i % count)]!,
  );

/** The matrices from the states: y = C x + D u + e, then x[k+1] = A x + B u + K e. */
function matrices(recording: Recording, T: Float64Array, n: number): Pick<Identified, 'system' | 'gain'> {
  const { u, y, m, p, q, frames } = recording;
  const W = q * (m + p);
  const z = new Float64Array(W);
  const count = frames - q;
  const states = new Float64Array(count * n);
  for (let k = q; k < frames; k++) {
    past(recording, k, z);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < W; j++) sum += T[i * W + j]! * z[j]!;
      states[(k - q) * n + i] = sum;
    }
  }
  const known = new Float64Array(count * (n + m));
  const outputs = new Float64Array(count * p);
  for (let k = 0; k < count; k++) {
    known.set(states.subarray(k * n, (k + 1) * n), k * (n + m));
    for (let c = 0; c < m; c++) known[k * (n + m) + n + c] = u[(q + k) * m + c]!;
    for (let c = 0; c < p; c++) outputs[k * p + c] = y[(q + k) * p + c]!;
  }
  const CD = leastSquares(known, outputs, n + m, p);
  const size = n + m + p;
  const driven = new Float64Array((count - 1) * size);
  for (let k = 0; k + 1 < count; k++) {
    driven.set(known.subarray(k * (n + m), (k + 1) * (n + m)), k * size);
    for (let r = 0; r < p; r++) {
      let predicted = 0;
      for (let i = 0; i < n + m; i++) predicted += CD[r * (n + m) + i]! * known[k * (n + m) + i]!;
      driven[k * size + n + m + r] = outputs[k * p + r]! - predicted;
    }
  }
  // Without noise there is no innovation to regress on.
  const spread = columnsOf(driven, size, n + m, p).reduce((sum, e) => sum + e * e, 0);
  const power = outputs.reduce((sum, value) => sum + value * value, 0);
  const noisy = spread > 1e-18 * power;
  const used = noisy ? size : n + m;
  const ABK = leastSquares(noisy ? driven : columnsOf(driven, size, 0, used), states.slice(n), used, n);
  return {
    system: {
      n,
      inputs: m,
      outputs: p,
      A: columnsOf(ABK, used, 0, n),
      B: columnsOf(ABK, used, n, m),
      C: columnsOf(CD, n + m, 0, n),
      D: columnsOf(CD, n + m, n, m),
    },
    gain: noisy ? columnsOf(ABK, used, n + m, p) : new Float64Array(n * p),
  };
}

/**
 * Fits a discrete linear system of a given order to a recording of its input and output. The noise may be any that a
 * Kalman filter of q frames can predict: on the output, or inside the system.
 *
 * Offline; some (q (m + p))² operations a frame. Sums and means are not modelled: take a constant offset out first.
 *
 * @param input frames × m; it must excite what is to be found (noise, steps, a sweep).
 * @param output frames × p
 * @throws ArgumentError for lengths that do not fit, too few frames, or an order that the data do not show.
 * @example
 * const { system, poles, fit } = identify(u, y, { order: 2 });
 * const simulated = compile(lti(system), {});
 */
export function identify(
  input: ArrayLike<number>,
  output: ArrayLike<number>,
  options: IdentifyOptions,
): Identified {
  const { order: n, inputs: m = 1, outputs: p = 1 } = options;
  const q = options.past ?? Math.max(40, 4 * n);
  for (const [name, value] of Object.entries({ order: n, past: q, inputs: m, outputs: p }))
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new ArgumentError(`identify: ${name} is ${value}; give a whole number of at least 1`);
  const frames = input.length / m;
  if (!Number.isInteger(frames) || output.length !== frames * p) {
    throw new ArgumentError(
      `identify: ${input.length} numbers of input and ${output.length} of output are no frames of ${m} and ${p}`,
    );
  }
  const width = m + p;
  const unknown = m + q * width;
  if (frames < 2 * unknown + q) {
    throw new ArgumentError(
      `identify: ${frames} frames for ${unknown} unknowns; give ${2 * unknown + q} or more, or fewer past frames`,
    );
  }
  if (n > q * p)
    throw new ArgumentError(`identify: order ${n} does not follow from ${q} past frames; give more`);
  const recording: Recording = { u: input, y: output, m, p, q, frames };
  const theta = regress(input, output, m, p, q);
  const { T, singularValues } = stateMap(recording, theta, n);
  const { system, gain } = matrices(recording, T, n);
  const square = Array.from({ length: n }, (_, i) => [...system.A.subarray(i * n, (i + 1) * n)]);
  return { system, gain, poles: eigenvalues(square), singularValues, fit: fitOf(system, input, output) };
}

function fitOf(system: StateSpace, input: ArrayLike<number>, output: ArrayLike<number>): number {
  const p = system.outputs;
  const frames = output.length / p;
  const simulated = compile(lti(system), {}, { precision: 'float64' }).push(Float64Array.from(input));
  let worst = 100;
  for (let o = 0; o < p; o++) {
    let mean = 0;
    for (let k = 0; k < frames; k++) mean += output[k * p + o]! / frames;
    let [off, spread] = [0, 0];
    for (let k = 0; k < frames; k++) {
      off += (output[k * p + o]! - simulated[k * p + o]!) ** 2;
      spread += (output[k * p + o]! - mean) ** 2;
    }
    worst = Math.min(worst, 100 * (1 - Math.sqrt(off / spread)));
  }
  return worst;
}
