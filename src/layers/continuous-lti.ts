import type { StateSpace } from '../discretize/index.ts';
import { ArgumentError } from '../errors.ts';
import { concat, irregularStateSpace, slice } from '../ops/index.ts';
import { defineLayer, type ControlSpec, type Layer, type Signal } from '../signal/index.ts';
import { byName, continuousStateSpace, remember, type ControlledSystem, type LtiSystem } from './lti.ts';

export interface ContinuousLtiOptions {
  /** Copies of a system of one input and one output, each with a state of its own, for signals of so many channels. */
  readonly channels?: number;
  /** Of a system that is a function of them: numbers that may be moved while a stream runs (`Stream.set`). */
  readonly controls?: Readonly<Record<string, ControlSpec>>;
}

/**
 * A linear system in continuous time, for series without a clock: each frame comes with the time since the last one,
 * over which its input is held, and the system is stepped exactly, however long the gap.
 *
 *     x[k] = e^{A dt[k]} x[k−1] + ∫₀^{dt[k]} e^{A s} ds B u[k],   y[k] = C x[k] + D u[k]
 *
 * Its own step is one second: compiled with `irregular: true` the port `dt` takes seconds, compiled with a `sampleRate`
 * it runs at that. The output sees the current input, as in the layers; `lti` follows scipy's `dlsim` instead, whose
 * output lags by one update. No parameters: the numbers are the configuration. In float64 whatever the signals are.
 *
 * Given as a function of `controls` it may be moved while it runs, as `lti`.
 *
 * On a stream: causal, no latency, n numbers of state; follows another rate and irregular time. A step that has not come
 * up lately costs a matrix exponential.
 *
 * @throws ArgumentError for matrices that do not fit, an improper transfer function, digital sections.
 * @example
 * // A sensor's first-order smoothing over 30 s, whenever it reports.
 * const smooth = continuousLti({ b: [1], a: [30, 1] });
 * const stream = compile(smooth, {}, { irregular: true });
 * stream.push({ input: Float32Array.of(21.5), dt: Float32Array.of(4.2) });
 */
export function continuousLti(
  system: LtiSystem | ControlledSystem,
  { channels, controls = {} }: ContinuousLtiOptions = {},
): Layer {
  const follows = typeof system === 'function';
  const at = remember((values) =>
    continuousStateSpace(typeof system === 'function' ? system(byName(controls, values)) : system),
  );
  const first = at(
    Object.values(controls).map(({ value }) => Float64Array.from([value].flat())),
    Number.NaN,
  );
  const { n, inputs, outputs } = first;
  if (channels !== undefined && (inputs !== 1 || outputs !== 1)) {
    throw new ArgumentError(
      `continuousLti: channels is ${channels}, but the system has ${inputs} inputs and ${outputs} outputs; ` +
        'channels copies a system of one input and one output',
    );
  }
  return defineLayer({
    name: 'continuous-lti',
    features: channels ?? inputs,
    sampleRate: 1,
    apply(trace, u) {
      const declared = follows
        ? Object.entries(controls).map(([name, spec]) => trace.control(name, spec))
        : [];
      const matrix = (name: 'A' | 'B' | 'C' | 'D', shape: readonly [number, number]): Signal =>
        follows
          ? trace.fromControls(shape, declared, (values) => sameStates(at(values, Number.NaN), n)[name], name)
          : trace.literal(first[name], shape);
      const operands = {
        A: matrix('A', [n, n]),
        B: matrix('B', [n, inputs]),
        C: matrix('C', [outputs, n]),
        D: matrix('D', [outputs, inputs]),
        dt: trace.timeScale(),
      };
      const run = (x: Signal): Signal => irregularStateSpace(x, operands);
      if (channels === undefined) return run(u);
      const each = Array.from({ length: channels }, (_, c) => run(slice(u, c, 1)));
      return concat(each as [Signal, ...Signal[]]);
    },
  });
}

function sameStates(system: StateSpace, n: number): StateSpace {
  if (system.n === n) return system;
  throw new ArgumentError(
    `continuousLti: the system has ${system.n} states now and had ${n} at first; one that follows controls keeps its states`,
  );
}
