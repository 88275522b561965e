import { leakyMemory } from '../layers/index.ts';
import {
  abs,
  add,
  clamp,
  concat,
  div,
  everyFrame,
  mul,
  novelty,
  previous,
  recursiveLeastSquares,
  runningMean,
  select,
  sqrt,
  square,
  sub,
  type NoveltyOptions,
} from '../ops/index.ts';
import type { Model, Signal, Trace } from '../signal/index.ts';

/** Configuration of `anomalyDetector`; the defaults are those of the benchmark, for every series. */
export interface AnomalyDetectorOptions extends NoveltyOptions {
  /** Time constants of the memory that forecasts, frames; 2, 8, 32, 128. */
  readonly timeConstants?: readonly number[];
  /** λ of the forecast's least squares; 0.9995. */
  readonly forgetting?: number;
  /** Frames over which errors and movements are averaged; 12. */
  readonly fast?: number;
  /** Frames of the level that drifts are measured against; 144. */
  readonly slow?: number;
}

/** Deviations count up to this many standard deviations: one spike must not rule the forecast. */
const LARGEST = 5;

/**
 * A detector of the unexpected in one series, which learns online and is told nothing beforehand. Input: the readings
 * (1); output: a score (1) for each, 0 where all is as before.
 *
 * | what is watched | from |
 * | --- | --- |
 * | the reading | x |
 * | error of the forecast, averaged | least squares on a diagonal state space's memory of the past |
 * | drift | fast minus slow average |
 * | roughness | average movement from frame to frame |
 *
 * A score is by how much one of them leaves its range so far, as a share of that range (`novelty`); one event gives one
 * alarm. `noveltyProbability` says how unlikely a score is in noise; on the Numenta Anomaly Benchmark the best threshold
 * over all series is 0.02 to 0.06.
 *
 * On a stream: causal, no latency; everything it learned is state, so that snapshots hold it. Run it with
 * `precision: 'float64'`: readings may have any scale. Follows irregular time where memories are concerned; `novelty`
 * and the least squares count observations.
 *
 * @throws GraphError for options out of range.
 * @example
 * const stream = compile(anomalyDetector(), {}, { precision: 'float64' });
 * const scores = stream.push(readings);
 */
export function anomalyDetector(options: AnomalyDetectorOptions = {}): Model {
  const { timeConstants = [2, 8, 32, 128], forgetting = 0.9995, fast = 12, slow = 144, ...events } = options;
  const average = (trace: Trace, x: Signal, frames: number): Signal =>
    leakyMemory({ features: 1, timeConstants: [frames] }).apply(trace, x);
  return {
    name: 'anomaly-detector',
    inputs: { input: [1] },
    build(trace, { input }) {
      const x = input!;
      const mean = runningMean(x);
      const deviation = sub(x, mean);
      // Never 0, also on a series that has not moved yet.
      const floor = add(mul(square(mean), 1e-12), 1e-30);
      const scale = sqrt(add(runningMean(square(deviation)), floor));
      const u = clamp(div(deviation, scale), -LARGEST, LARGEST);

      const before = previous(u);
      const memory = leakyMemory({ features: 1, timeConstants }).apply(trace.scope('memory'), before);
      const features = concat([before, memory, everyFrame(x, trace.literal([1]))]);
      const forecast = select(recursiveLeastSquares(features, u, { forgetting, ridge: 0.01 }), 0, 0);
      const error = average(trace, mul(sub(u, forecast), scale), fast);
      const drift = sub(average(trace, u, fast), average(trace, u, slow));
      const roughness = average(trace, clamp(abs(sub(u, before)), 0, 1), fast);
      return { output: novelty(concat([x, error, drift, roughness]), events) };
    },
  };
}
