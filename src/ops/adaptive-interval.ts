import type { Signal } from '../signal/index.ts';
import { defineOp, sizeOf } from '../signal/index.ts';
import { refuseAdjoint } from './refuse-adjoint.ts';

/**
 * Bounds for what comes that hold as often as they say, whatever the distribution and however it changes: the quantiles
 * of the standardised error are followed up when it lies outside and down when inside (I. Gibbs, E. Candès, "Adaptive
 * Conformal Inference Under Distribution Shift", NeurIPS 2021; A. Angelopoulos et al., "Conformal PID Control for Time
 * Series Prediction", NeurIPS 2023, eq. 4).
 *
 *     low = ŷ + l σ,   high = ŷ + h σ
 *     h ← h + γ (1[d > high] − α/2),   l ← l − γ (1[d < low] − α/2)
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | ŷ, σ | forecast and its deviation | (2 × m) |
 * | d | what came | (m) |
 * | l, h | bounds of (d − ŷ)/σ; they begin at ∓1.6449 | (m) |
 * | α | share that may lie outside | |
 * | γ | pace | |
 *
 * Over T frames the share outside a bound differs from α/2 by at most (range of its values + γ) / (γ T).
 */
interface IntervalAttributes {
  readonly coverage: number;
  readonly pace: number;
}

/** Where 90 % of a Gaussian lie: as good a start as any. */
const START = 1.6449;

const intervalOp = defineOp<IntervalAttributes>({
  name: 'adaptive-interval',
  shape({ coverage, pace }, [forecast, target], reject) {
    if (!(coverage > 0 && coverage < 1)) reject(`coverage is ${coverage}; give more than 0, less than 1`);
    if (!(pace > 0 && pace < Infinity)) reject(`pace is ${pace}; give a positive number`);
    const m = sizeOf(target!.shape);
    if (sizeOf(forecast!.shape) !== 2 * m) reject(`the forecast must be (2 × ${m}): means, then deviations`);
    return [2, m];
  },
  // It counts observations.
  time: () => 'free',
  state: (_attributes, [, target]) => ({
    bounds: { shape: [2, sizeOf(target!.shape)], type: 'float64', initial: START },
  }),
  step({ attributes: { coverage, pace }, types, inputs, output, state }) {
    const [forecast, target] = [inputs[0]!, inputs[1]!];
    // Both as distances outwards.
    const bounds = state['bounds']!;
    const m = sizeOf(types[1]!.shape);
    const outside = (1 - coverage) / 2;
    for (let i = 0; i < m; i++) {
      const mean = forecast.data[forecast.at + i]!;
      const deviation = forecast.data[forecast.at + m + i]!;
      const low = mean - bounds[i]! * deviation;
      const high = mean + bounds[m + i]! * deviation;
      output.data[output.at + i] = low;
      output.data[output.at + m + i] = high;
      const d = target.data[target.at + i]!;
      bounds[i]! += pace * ((d < low ? 1 : 0) - outside);
      bounds[m + i]! += pace * ((d > high ? 1 : 0) - outside);
    }
  },
  adjoint: () => refuseAdjoint('adaptive-interval'),
});

export interface AdaptiveIntervalOptions {
  /** 1 − α: share of frames that shall lie inside; 0.9. */
  readonly coverage?: number;
  /** γ, in deviations a frame: the faster, the sooner it follows a change, and the more it wavers; 0.05. */
  readonly pace?: number;
}

/**
 * Bounds (2 × m: low, high) of `target` (m), made before it is seen, from a forecast and its deviation (2 × m), such as
 * `recursiveLeastSquares` gives. Learns from every frame; streams alone.
 *
 * @throws GraphError where shapes do not fit, coverage or pace are out of range, or a gradient is asked for.
 * @example
 * const bounds = adaptiveInterval(recursiveLeastSquares(features, x), x, { coverage: 0.95 });
 */
export const adaptiveInterval = (
  forecast: Signal,
  target: Signal,
  { coverage = 0.9, pace = 0.05 }: AdaptiveIntervalOptions = {},
): Signal => forecast.trace.apply(intervalOp, { coverage, pace }, [forecast, target], 'interval');
