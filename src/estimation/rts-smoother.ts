import { ArgumentError } from '../errors.ts';
import { matmul, solve, transpose } from '../linalg/index.ts';
import { flatten, kalmanStep, type KalmanStep, type KalmanSystem } from './kalman-system.ts';
import { correct, kalmanScratch, predict } from './kalman-update.ts';

export interface Readings {
  /** frames × p */
  readonly input: ArrayLike<number>;
  /** Seconds since the reading before, one a frame, or one for all; the first is ignored. */
  readonly dt: ArrayLike<number> | number;
  /** frames × m */
  readonly control?: ArrayLike<number>;
  /** frames × p: a reading counts where it is above 0; all by default. */
  readonly observed?: ArrayLike<number>;
}

export interface Smoothed {
  /** frames × n */
  readonly mean: Float64Array;
  /** frames × n × n */
  readonly covariance: Float64Array;
}

/**
 * What the state was at each reading, from all readings, those after it included: the filter forwards, then Rauch, Tung
 * and Striebel's recursion backwards ("Maximum Likelihood Estimates of Linear Dynamic Systems", AIAA Journal 3, 1965):
 *
 *     G[k] = P[k] Āᵀ P⁻[k+1]⁻¹
 *     x̂[k] = x[k] + G[k] (x̂[k+1] − x⁻[k+1]),   P̂[k] = P[k] + G[k] (P̂[k+1] − P⁻[k+1]) G[k]ᵀ
 *
 * Offline: memory grows with the series.
 *
 * @throws ArgumentError for lengths that do not fit.
 * @example
 * const { mean } = smoothKalman(system, { input: readings, dt: 0.1 });
 */
export function smoothKalman(system: KalmanSystem, readings: Readings): Smoothed {
  const flat = flatten(system);
  const { n, m, p } = flat;
  const frames = readings.input.length / p;
  for (const [name, size, width] of [
    ['input', readings.input.length, p],
    ['control', readings.control?.length ?? frames * m, m],
    ['observed', readings.observed?.length ?? frames * p, p],
    ['dt', typeof readings.dt === 'number' ? frames : readings.dt.length, 1],
  ] as const) {
    if (size !== frames * width || !Number.isInteger(frames))
      throw new ArgumentError(`smoothKalman: ${name} has ${size} numbers; give frames × ${width}`);
  }
  const scratch = kalmanScratch(n);
  const mean = new Float64Array(frames * n);
  const covariance = new Float64Array(frames * n * n);
  const predictedMean = new Float64Array(frames * n);
  const predictedCovariance = new Float64Array(frames * n * n);
  const steps: KalmanStep[] = [];
  const known = new Map<number, KalmanStep>();
  const belief = { x: flat.mean.slice(), P: flat.covariance.slice() };

  for (let k = 0; k < frames; k++) {
    const dt = typeof readings.dt === 'number' ? readings.dt : readings.dt[k]!;
    if (k > 0) {
      let step = known.get(dt);
      if (step === undefined) known.set(dt, (step = kalmanStep(flat, dt)));
      steps[k] = step;
      const control = readings.control && { data: readings.control, at: k * m };
      predict(flat, step, belief, scratch, control);
    }
    predictedMean.set(belief.x, k * n);
    predictedCovariance.set(belief.P, k * n * n);
    const observed = readings.observed && { data: readings.observed, at: k * p };
    correct(flat, belief, scratch, { data: readings.input, at: k * p }, observed);
    mean.set(belief.x, k * n);
    covariance.set(belief.P, k * n * n);
  }

  const part = (all: Float64Array, k: number, size: number): Float64Array =>
    all.subarray(k * size, (k + 1) * size);
  for (let k = frames - 2; k >= 0; k--) {
    const P = part(covariance, k, n * n);
    const before = part(predictedCovariance, k + 1, n * n);
    // Gᵀ = P⁻⁻¹ Ā P, as both covariances are symmetric.
    const G = transpose(solve(before, matmul(steps[k + 1]!.A, P, n, n, n), n, n), n, n);
    const [x, later] = [part(mean, k, n), part(mean, k + 1, n)];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) x[i]! += G[i * n + j]! * (later[j]! - predictedMean[(k + 1) * n + j]!);
    }
    const change = part(covariance, k + 1, n * n).map((value, i) => value - before[i]!);
    const gained = matmul(matmul(G, change, n, n, n), transpose(G, n, n), n, n, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const value = P[i * n + j]! + (gained[i * n + j]! + gained[j * n + i]!) / 2;
        P[i * n + j] = P[j * n + i] = value;
      }
    }
  }
  return { mean, covariance };
}
