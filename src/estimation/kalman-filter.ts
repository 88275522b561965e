import { refuseAdjoint } from '../ops/refuse-adjoint.ts';
import { StepCache } from '../ops/step-cache.ts';
import { defineOp, isConstant, sizeOf, type Model } from '../signal/index.ts';
import {
  flatten,
  kalmanStep,
  type FlatKalmanSystem,
  type KalmanStep,
  type KalmanSystem,
} from './kalman-system.ts';
import { correct, kalmanScratch, predict, type Belief, type KalmanScratch } from './kalman-update.ts';

interface KalmanAttributes {
  readonly system: KalmanSystem;
  /** Seconds that a time scale of 1 stands for. */
  readonly period: number;
  readonly hasControl: boolean;
  readonly hasObserved: boolean;
}

interface Prepared {
  readonly flat: FlatKalmanSystem;
  readonly steps: StepCache<{ step: KalmanStep }>;
  readonly scratch: KalmanScratch;
  /** The state of whichever stream runs. */
  readonly belief: { -readonly [K in keyof Belief]: Belief[K] };
}

const [Y, DT] = [0, 1] as const;

const kalmanOp = defineOp<KalmanAttributes, Prepared>({
  name: 'kalman-filter',
  shape({ system, hasControl, hasObserved }, types, reject) {
    const { n, m, p } = flatten(system);
    const expect = (name: string, size: number, type: (typeof types)[number]): void => {
      if (sizeOf(type.shape) !== size)
        reject(`${name} has ${sizeOf(type.shape)} numbers; it must have ${size}`);
    };
    if (isConstant(types[Y]!)) reject('the readings are constant; give a signal');
    expect('the reading', p, types[Y]!);
    expect('dt', 1, types[DT]!);
    if (hasControl) expect('control', m, types[2]!);
    if (hasObserved) expect('observed', p, types.at(-1)!);
    return [2, n];
  },
  time: () => [DT],
  state({ system }) {
    const n = system.A.length;
    return {
      x: { shape: [n], type: 'float64' },
      P: { shape: [n, n], type: 'float64' },
      begun: { shape: [1], type: 'float64' },
    };
  },
  prepare({ attributes }) {
    const flat = flatten(attributes.system);
    const nothing = { A: new Float64Array(0), B: new Float64Array(0), Q: new Float64Array(0) };
    return {
      flat,
      steps: new StepCache(1, () => ({ step: nothing })),
      scratch: kalmanScratch(flat.n),
      belief: { x: flat.mean, P: flat.covariance },
    };
  },
  step({ attributes: { period, hasControl, hasObserved }, inputs, output, state, prepared }) {
    const { flat, steps, scratch, belief } = prepared;
    const x = state['x']!;
    const P = state['P']!;
    const begun = state['begun']!;
    belief.x = x;
    belief.P = P;
    if (begun[0] === 0) {
      begun[0] = 1;
      x.set(flat.mean);
      P.set(flat.covariance);
    } else {
      const dt = inputs[DT]!;
      let found = steps.find(dt.data, dt.at);
      if (found === undefined) {
        // First, since it throws on a step that is negative or not finite.
        const step = kalmanStep(flat, dt.data[dt.at]! * period);
        found = steps.claim(dt.data, dt.at);
        found.step = step;
      }
      predict(flat, found.step, belief, scratch, hasControl ? inputs[2] : undefined);
    }
    correct(flat, belief, scratch, inputs[Y]!, hasObserved ? inputs.at(-1) : undefined);
    for (let i = 0; i < flat.n; i++) {
      output.data[output.at + i] = x[i]!;
      output.data[output.at + flat.n + i] = Math.sqrt(P[i * flat.n + i]!);
    }
  },
  adjoint: () => refuseAdjoint('kalman-filter'),
});

export interface KalmanFilterOptions {
  /** Hz of the readings, at a fixed rate; without it a frame lasts a second, and `irregular: true` takes seconds. */
  readonly sampleRate?: number;
  /** A port `observed` (p): a reading counts where it is above 0, and is missing elsewhere. */
  readonly gated?: boolean;
}

/**
 * The Kalman filter of a system in continuous time: what its state is by now, from noisy readings, and how sure that is.
 * Ports: `input` (p), the readings; `control` (m) where the system has a B; `observed` (p) where `gated`. Output (2 × n):
 * the mean, then the standard deviation, of each state.
 *
 * Steps are exact for any time between readings: compiled with `irregular: true` the port `dt` takes seconds, and a gap
 * is one step however long. The belief that the system begins with is that at the first reading, whose `dt` is ignored.
 * A control is held over the step that ends at its frame.
 *
 * On a stream: causal, no latency, n + n² numbers of state in float64; follows another rate and irregular time. A step
 * that has not come up lately costs a matrix exponential. `smoothKalman` looks back as well, offline.
 *
 * @throws ArgumentError for matrices that do not fit, are not symmetric or not finite; GraphError for a gradient.
 * @example
 * // Position and speed from noisy positions: x = (position, speed).
 * const filter = kalmanFilter({
 *   A: [[0, 1], [0, 0]],
 *   C: [[1, 0]],
 *   noise: { kind: 'white', density: [[0, 0], [0, 0.1]] },
 *   R: [4],
 *   covariance: [[100, 0], [0, 10]],
 * });
 * const stream = compile(filter, {}, { irregular: true, precision: 'float64' });
 * const [position, speed] = stream.push({ input: Float64Array.of(12.1), dt: Float64Array.of(0.4) });
 */
export function kalmanFilter(system: KalmanSystem, options: KalmanFilterOptions = {}): Model {
  const { sampleRate = 1, gated = false } = options;
  const { m, p } = flatten(system);
  return {
    name: 'kalman-filter',
    inputs: { input: [p], ...(m > 0 ? { control: [m] } : {}), ...(gated ? { observed: [p] } : {}) },
    sampleRate,
    build(trace, { input, control, observed }) {
      const inputs = [
        input!,
        trace.timeScale(),
        ...(control ? [control] : []),
        ...(observed ? [observed] : []),
      ];
      const attributes = {
        system,
        period: 1 / sampleRate,
        hasControl: m > 0,
        hasObserved: gated,
      };
      return { output: trace.apply(kalmanOp, attributes, inputs, 'kalman') };
    },
  };
}
