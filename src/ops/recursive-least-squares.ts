/**
 * A linear read-out that is fitted while it runs: recursive least squares with forgetting.
 *
 *     ŷ[k] = W φ[k],   W minimises Σ_{j<k} λ^{k−1−j} (d[j] − W φ[j])² + λ^k r (W − W₀)²
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | φ | features | (n) |
 * | d | target, seen after the prediction is made | (m) |
 * | W | weights; kept as the distance to W₀, so that a fresh stream begins at W₀ | (m × n) |
 * | P = U D Uᵀ | inverse of the weighted correlation; U unit upper triangular, D > 0 | (n × n), (n) |
 * | λ | forgetting, 0 … 1: a memory of 1 / (1 − λ) frames | |
 * | r | ridge; 1/r is D at the start and its bound for good | |
 * | σ² | variance of the error, over that memory | (m) |
 *
 * U and D are updated by themselves (G. J. Bierman, "Factorization Methods for Discrete Sequential Estimation", 1977,
 * §V.3), so that P stays symmetric and positive whatever is rounded, where the textbook form P − k φᵀ P loses both.
 * Without excitation forgetting would let P grow without end ("wind-up"): D stops at 1/r, which is to say that where
 * nothing is seen the ridge is not forgotten.
 */
import type { Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';
import { refuseAdjoint } from './refuse-adjoint.ts';

interface RlsAttributes {
  readonly forgetting: number;
  readonly ridge: number;
  readonly hasWeight: boolean;
  readonly hasLearn: boolean;
}

const U = (i: number, j: number): number => (j * (j - 1)) / 2 + i;

const rlsOp = defineOp<RlsAttributes, { readonly f: Float64Array; readonly g: Float64Array }>({
  name: 'recursive-least-squares',
  shape({ forgetting, ridge, hasWeight, hasLearn }, types, reject) {
    if (!(forgetting > 0 && forgetting <= 1))
      reject(`forgetting is ${forgetting}; give more than 0, at most 1`);
    if (!(ridge > 0 && ridge < Infinity)) reject(`ridge is ${ridge}; give a positive number`);
    const [features, target] = types;
    if (isConstant(features!) || isConstant(target!)) reject('features and target must be signals');
    const [n, m] = [sizeOf(features!.shape), sizeOf(target!.shape)];
    if (hasWeight) {
      const { shape } = types[2]!;
      if (!isConstant(types[2]!) || shape.length !== 2 || shape[0] !== m || shape[1] !== n) {
        reject(`weight ${formatShape(shape)} must be a constant (${m} × ${n})`);
      }
    }
    if (hasLearn && sizeOf(types.at(-1)!.shape) !== 1) reject(`learn must be one number a frame`);
    return [2, m];
  },
  // What it learns from are pairs of numbers; when they came does not matter to it.
  time: () => 'free',
  state: ({ ridge }, [features, target]) => {
    const [n, m] = [sizeOf(features!.shape), sizeOf(target!.shape)];
    return {
      weights: { shape: [m, n], type: 'float64' },
      factor: { shape: [(n * (n - 1)) / 2], type: 'float64' },
      variances: { shape: [n], type: 'float64', initial: 1 / ridge },
      // Σ of squared errors and Σ of their weights.
      errors: { shape: [m + 1], type: 'float64' },
    };
  },
  prepare: ({ types }) => {
    const n = sizeOf(types[0]!.shape);
    return { f: new Float64Array(n), g: new Float64Array(n) };
  },
  step({ attributes: { forgetting, ridge, hasWeight, hasLearn }, types, inputs, output, state, prepared }) {
    const [phi, d] = [inputs[0]!, inputs[1]!];
    const initial = hasWeight ? inputs[2]! : undefined;
    const learn = hasLearn ? inputs.at(-1)! : undefined;
    const [n, m] = [sizeOf(types[0]!.shape), sizeOf(types[1]!.shape)];
    const weights = state['weights']!;
    const factor = state['factor']!;
    const variances = state['variances']!;
    const errors = state['errors']!;
    const { f, g } = prepared;

    // f = Uᵀ φ, g = D f: φᵀ P φ = fᵀ g.
    let spread = 0;
    for (let j = 0; j < n; j++) {
      let sum = phi.data[phi.at + j]!;
      for (let i = 0; i < j; i++) sum += factor[U(i, j)]! * phi.data[phi.at + i]!;
      f[j] = sum;
      g[j] = variances[j]! * sum;
      spread += sum * g[j]!;
    }
    for (let o = 0; o < m; o++) {
      let y = 0;
      for (let i = 0; i < n; i++) {
        const w = weights[o * n + i]! + (initial ? initial.data[initial.at + o * n + i]! : 0);
        y += w * phi.data[phi.at + i]!;
      }
      output.data[output.at + o] = y;
      output.data[output.at + m + o] =
        errors[m] === 0 ? 0 : Math.sqrt((errors[o]! / errors[m]!) * (1 + spread));
    }
    if (learn && !(learn.data[learn.at]! > 0)) return;

    // Bierman's update; afterwards g is the gain times `alpha`.
    let alpha = forgetting;
    for (let j = 0; j < n; j++) {
      const before = alpha;
      alpha += f[j]! * g[j]!;
      variances[j] = Math.min((variances[j]! * before) / (alpha * forgetting), 1 / ridge);
      const step = -f[j]! / before;
      for (let i = 0; i < j; i++) {
        const u = factor[U(i, j)]!;
        factor[U(i, j)] = u + step * g[i]!;
        g[i]! += g[j]! * u;
      }
    }
    errors[m] = forgetting * errors[m]! + 1;
    for (let o = 0; o < m; o++) {
      const error = d.data[d.at + o]! - output.data[output.at + o]!;
      // The error times the one that is left after the update: what least squares counts.
      errors[o] = forgetting * errors[o]! + (error * error * forgetting) / alpha;
      for (let i = 0; i < n; i++) weights[o * n + i]! += (g[i]! / alpha) * error;
    }
  },
  adjoint: () => refuseAdjoint('recursive-least-squares'),
});

export interface RecursiveLeastSquaresOptions {
  /** λ, more than 0, at most 1; 1 by default: nothing is forgotten. */
  readonly forgetting?: number;
  /** r, what keeps the weights near `weight` while little has been seen; 1e-3. */
  readonly ridge?: number;
  /** W₀ (m × n), constant; zeros where absent. */
  readonly weight?: Signal | undefined;
  /** (1): learns from a frame where this is above 0; from every frame where absent. */
  readonly learn?: Signal | undefined;
}

/**
 * The prediction of `target` (m) from `features` (n) by what was learned up to the frame before, and the standard
 * deviation of its error: (2 × m). Learns from the frame afterwards. Streams alone: gradients are refused.
 *
 * State: n (n + 1)/2 + m (n + 1) + 1 doubles, in the sections `weights`, `factor`, `variances` and `errors`.
 *
 * @throws GraphError where shapes do not fit, forgetting or ridge are out of range, or a gradient is asked for.
 * @example
 * const forecast = recursiveLeastSquares(concat([previous(x), memory]), x, { forgetting: 0.999 });
 */
export function recursiveLeastSquares(
  features: Signal,
  target: Signal,
  { forgetting = 1, ridge = 1e-3, weight, learn }: RecursiveLeastSquaresOptions = {},
): Signal {
  const inputs = [features, target, ...(weight ? [weight] : []), ...(learn ? [learn] : [])];
  return features.trace.apply(
    rlsOp,
    { forgetting, ridge, hasWeight: weight !== undefined, hasLearn: learn !== undefined },
    inputs,
    'rls',
  );
}
