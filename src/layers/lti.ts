import { checkStateSpace, zoh, type Discretization, type StateSpace } from '../discretize/index.ts';
import { ArgumentError } from '../errors.ts';
import {
  conditioning,
  requireSections,
  sectionToSs,
  ssToSos,
  ssToTf,
  tfToSos,
  tfToZpk,
  zpkToSos,
  zpkToSs,
  type Section,
  type SisoStateSpace,
  type TransferFunction,
  type ZerosPolesGain,
} from '../filters/index.ts';
import { concat, slice, stateSpace } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../signal/index.ts';

/** A linear time-invariant system in any of its usual forms. */
export type LtiSystem =
  | TransferFunction
  | ZerosPolesGain
  | { readonly sections: readonly Section[] }
  | StateSpace
  | {
      readonly A: readonly number[][];
      readonly B: readonly number[][];
      readonly C: readonly number[][];
      readonly D: readonly number[][];
    };

export interface LtiOptions {
  /** `discrete` (default): the system is the recurrence. `continuous`: in s and seconds, discretised at the stream's rate. */
  readonly domain?: 'discrete' | 'continuous';
  /** Of a continuous system; `zoh` by default. */
  readonly discretization?: Discretization;
  /** Hz that a discrete system is for; a stream at another rate is refused. */
  readonly sampleRate?: number;
  /** Copies of a system of one input and one output, each with a state of its own, for signals of so many channels. */
  readonly channels?: number;
  /** `float64` (default), or as the signals are: then state and coefficients round to float32 on a float32 stream. */
  readonly arithmetic?: 'float64' | 'signal';
}

/**
 * A linear time-invariant system by the convention of control and scipy's `dlsim`:
 * `y[k] = C x[k] + D u[k]`, then `x[k+1] = A x[k] + B u[k]`. No parameters: the numbers are the configuration.
 *
 * Transfer functions, zeros and poles, and second-order sections run as a chain of two-state sections (transposed
 * direct form II). A, B, C, D run as they are, in float64; with `arithmetic: 'signal'` a system of one input and
 * one output is factored into sections first, and refused where its coefficients no longer say which system it is.
 * A continuous system is discretised at the stream's rate, and so needs one.
 *
 * On a stream: causal, no latency, n numbers of state; follows another rate when continuous.
 *
 * @throws ArgumentError for matrices that do not fit, an improper or ill-conditioned transfer function.
 * @example
 * // A first-order low-pass of 10 ms.
 * const smooth = lti({ b: [1], a: [0.01, 1] }, { domain: 'continuous' });
 * const stream = compile(smooth, {}, { sampleRate: 1000 });
 */
export function lti(system: LtiSystem, options: LtiOptions = {}): Layer {
  const { domain = 'discrete', channels, arithmetic = 'float64', sampleRate, discretization = zoh } = options;
  const chain =
    domain === 'continuous'
      ? discretised(continuousStateSpace(system), discretization)
      : fixed(discreteSystems(system, arithmetic));
  const inputs = chain.shapes[0]!.inputs;
  if (channels !== undefined && (inputs !== 1 || chain.shapes.at(-1)!.outputs !== 1)) {
    throw new ArgumentError(
      `lti: channels is ${channels}, but the system has ${inputs} inputs and ${chain.shapes.at(-1)!.outputs} outputs; ` +
        'channels copies a system of one input and one output',
    );
  }
  return defineLayer({
    name: 'lti',
    features: channels ?? inputs,
    sampleRate: domain === 'continuous' ? undefined : sampleRate,
    apply: (trace, u) => runChain(trace, u, chain, { channels: channels ?? 1, arithmetic }),
  });
}

type Sizes = Pick<StateSpace, 'n' | 'inputs' | 'outputs'>;

/** Discrete systems one behind the other. */
export interface Chain {
  readonly shapes: readonly Sizes[];
  /** The systems at a sample period in seconds, or the same at any. */
  readonly systems: readonly StateSpace[] | ((period: number) => readonly StateSpace[]);
}

const fixed = (systems: readonly StateSpace[]): Chain => ({ shapes: systems, systems });

function discretised(system: StateSpace, method: Discretization): Chain {
  return {
    shapes: [system],
    systems: (period) => {
      if (Number.isNaN(period)) {
        throw new ArgumentError(
          'lti: a continuous system needs to know how long a frame lasts; compile it with a sampleRate (Hz)',
        );
      }
      return [method.dense(system, period)];
    },
  };
}

/** A chain on a signal; with several channels, each through a chain of its own. */
export function runChain(
  trace: Trace,
  u: Signal,
  { shapes, systems }: Chain,
  { channels, arithmetic }: { channels: number; arithmetic: 'float64' | 'signal' },
): Signal {
  const links = shapes.map(({ n, inputs, outputs }, i) => {
    const matrix = (name: 'A' | 'B' | 'C' | 'D', shape: readonly [number, number]): Signal =>
      typeof systems === 'function'
        ? trace.fromPeriod(shape, (period) => systems(period)[i]![name], `${i}.${name}`)
        : trace.literal(systems[i]![name], shape);
    return {
      A: matrix('A', [n, n]),
      B: matrix('B', [n, inputs]),
      C: matrix('C', [outputs, n]),
      D: matrix('D', [outputs, inputs]),
    };
  });
  const run = (x: Signal): Signal => links.reduce((y, matrices) => stateSpace(y, matrices, arithmetic), x);
  if (channels === 1) return run(u);
  return concat(Array.from({ length: channels }, (_, c) => run(slice(u, c, 1))) as [Signal, ...Signal[]]);
}

/** A chain of two-state systems, as transposed direct form II has them. */
export const sectionChain = (sections: readonly Section[]): StateSpace[] =>
  sections.map((section) => fromSiso(sectionToSs(section)));

function discreteSystems(system: LtiSystem, arithmetic: 'float64' | 'signal'): StateSpace[] {
  if ('sections' in system) {
    requireSections(system.sections, 'lti');
    return sectionChain(system.sections);
  }
  if ('zeros' in system) return sectionChain(zpkToSos(system));
  if ('b' in system) {
    const verdict = conditioning(system, arithmetic === 'signal' ? 'float32' : 'float64');
    if (!verdict.trustworthy) {
      throw new ArgumentError(
        `lti: b and a of order ${system.a.length - 1} no longer say which filter they are: an error of about ` +
          `${verdict.expectedError.toExponential(1)} of the peak is to be expected, ${verdict.tolerance} is allowed; ` +
          'give zeros and poles or second-order sections, which keep their precision',
      );
    }
    return sectionChain(tfToSos(system));
  }
  const dense = matrices(system);
  if (arithmetic === 'float64') return [dense];
  if (dense.inputs !== 1 || dense.outputs !== 1) {
    throw new ArgumentError(
      `lti: A, B, C, D with ${dense.inputs} inputs and ${dense.outputs} outputs can't be factored into sections; use arithmetic: 'float64'`,
    );
  }
  const verdict = conditioning(ssToTf(toSiso(dense)), 'float32');
  if (!verdict.trustworthy) {
    throw new ArgumentError(
      `lti: A of ${dense.n} states is too ill-conditioned for float32: an error of about ${verdict.expectedError.toExponential(1)} ` +
        `of the peak is to be expected, ${verdict.tolerance} is allowed; use arithmetic: 'float64', or give second-order sections`,
    );
  }
  return sectionChain(ssToSos(toSiso(dense)));
}

/** A continuous system as A, B, C, D, checked. */
export function continuousStateSpace(system: LtiSystem): StateSpace {
  if ('sections' in system) {
    throw new ArgumentError(
      'lti: second-order sections are digital; give a continuous system as b and a in s, zeros and poles, or A, B, C, D',
    );
  }
  if ('zeros' in system) return fromSiso(zpkToSs(system));
  if ('b' in system) return fromSiso(zpkToSs(tfToZpk(system, { analog: true })));
  return matrices(system);
}

/** A, B, C, D checked and flat. */
function matrices(
  system: Exclude<LtiSystem, TransferFunction | ZerosPolesGain | { sections: readonly Section[] }>,
): StateSpace {
  if ('n' in system) {
    checkStateSpace(system, 'lti');
    return system;
  }
  const flat = (name: 'A' | 'B' | 'C' | 'D'): Float64Array => {
    const rows = system[name];
    if (rows.some((row) => row.length !== rows[0]!.length)) {
      throw new ArgumentError(
        `lti: the rows of ${name} have ${rows.map((row) => row.length).join(', ')} entries; give each row as many`,
      );
    }
    return Float64Array.from(rows.flat());
  };
  const result = {
    n: system.A.length,
    inputs: system.D[0]?.length ?? 0,
    outputs: system.D.length,
    A: flat('A'),
    B: flat('B'),
    C: flat('C'),
    D: flat('D'),
  };
  checkStateSpace(result, 'lti');
  return result;
}

export const fromSiso = ({ A, B, C, D }: SisoStateSpace): StateSpace => ({
  n: A.length,
  inputs: 1,
  outputs: 1,
  A: Float64Array.from(A.flat()),
  B: Float64Array.from(B),
  C: Float64Array.from(C),
  D: Float64Array.of(D),
});

const toSiso = ({ n, A, B, C, D }: StateSpace): SisoStateSpace => ({
  A: Array.from({ length: n }, (_, i) => [...A.subarray(i * n, (i + 1) * n)]),
  B: [...B],
  C: [...C],
  D: D[0]!,
});
