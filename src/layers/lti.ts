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
import { defineLayer, type ControlSpec, type Layer, type Signal, type Trace } from '../signal/index.ts';
import { digital, stateVariable } from './state-variable.ts';

/** A system that follows controls: given where they stand, by name. The number of states must stay the same. */
export type ControlledSystem = (at: Readonly<Record<string, number>>) => LtiSystem;

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
  /** Of a system that is a function of them: numbers that may be moved while a stream runs (`Stream.set`). */
  readonly controls?: Readonly<Record<string, ControlSpec>>;
  /** What messages and snapshots call it; `lti` by default. */
  readonly name?: string;
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
 * Given as a function of `controls` it may be moved while it runs. Between two of its settings it then runs on what lies
 * between their matrices, entry by entry: sections are stable all the way, A, B, C, D where A + Aᵀ ≤ 0 (continuous, with
 * zoh or bilinear) or no state grows in length (discrete) at both, as in `resonance`.
 *
 * On a stream: causal, no latency, n numbers of state; follows another rate when continuous.
 *
 * @throws ArgumentError for matrices that do not fit, an improper or ill-conditioned transfer function.
 * @example
 * // A first-order low-pass of 10 ms.
 * const smooth = lti({ b: [1], a: [0.01, 1] }, { domain: 'continuous' });
 * const stream = compile(smooth, {}, { sampleRate: 1000 });
 */
export function lti(system: LtiSystem | ControlledSystem, options: LtiOptions = {}): Layer {
  const { domain = 'discrete', channels, arithmetic = 'float64', sampleRate, discretization = zoh } = options;
  const { controls = {}, name = 'lti' } = options;
  const systemsAt = (given: LtiSystem, period: number): readonly StateSpace[] =>
    domain === 'continuous'
      ? [discretization.dense(continuousStateSpace(given), period)]
      : discreteSystems(given, arithmetic, typeof system === 'function');
  const chain = ((): Chain => {
    if (typeof system === 'function') {
      return chainOf(name, controls, domain === 'continuous', (values, period) =>
        systemsAt(system(byName(controls, values)), period),
      );
    }
    if (domain === 'discrete') return fixed(systemsAt(system, Number.NaN));
    return chainOf(name, {}, true, (_, period) => systemsAt(system, period));
  })();
  const inputs = chain.links[0]!.shape.inputs;
  const outputs = chain.links.at(-1)!.shape.outputs;
  if (channels !== undefined && (inputs !== 1 || outputs !== 1)) {
    throw new ArgumentError(
      `${name}: channels is ${channels}, but the system has ${inputs} inputs and ${outputs} outputs; ` +
        'channels copies a system of one input and one output',
    );
  }
  return defineLayer({
    name,
    features: channels ?? inputs,
    sampleRate: domain === 'continuous' ? undefined : sampleRate,
    apply: (trace, u) => runChain(trace, u, chain, { channels: channels ?? 1, arithmetic }),
  });
}

type Sizes = Pick<StateSpace, 'n' | 'inputs' | 'outputs'>;

/** One system of a chain: fixed, or computed from controls and the sample period in seconds. */
interface Link {
  readonly shape: Sizes;
  readonly system: StateSpace | ((values: readonly Float64Array[], period: number) => StateSpace);
  /** Those that it follows, in the order of `values`. */
  readonly controls: readonly string[];
  /** Whether the period matters. */
  readonly timed: boolean;
}

/** Discrete systems one behind the other. */
export interface Chain {
  readonly links: readonly Link[];
  readonly controls: Readonly<Record<string, ControlSpec>>;
}

const fixed = (systems: readonly StateSpace[]): Chain => ({
  links: systems.map((system) => ({ shape: system, system, controls: [], timed: false })),
  controls: {},
});

/** A chain all of whose links follow the same controls. Its shape is that of the systems at the first values. */
function chainOf(
  name: string,
  controls: Readonly<Record<string, ControlSpec>>,
  timed: boolean,
  systems: (values: readonly Float64Array[], period: number) => readonly StateSpace[],
): Chain {
  const initial = Object.values(controls).map(({ value }) => Float64Array.from([value].flat()));
  // A period that no frequency comes near.
  const shapes = systems(initial, timed ? SHORT_PERIOD : Number.NaN);
  const remembered = remember(systems);
  return {
    controls,
    links: shapes.map((shape, i) => ({
      shape,
      controls: Object.keys(controls),
      timed,
      system(values, period) {
        if (timed && Number.isNaN(period)) {
          throw new ArgumentError(
            `${name}: a continuous system needs to know how long a frame lasts; compile it with a sampleRate (Hz)`,
          );
        }
        const all = remembered(values, period);
        const made = all[i];
        if (all.length !== shapes.length || made?.n !== shape.n) {
          throw new ArgumentError(
            `${name}: at ${values.map((value) => [...value].join(' ')).join(', ')} its systems have ` +
              `${all.map(({ n }) => n).join(', ')} states, at first they had ${shapes.map(({ n }) => n).join(', ')}; ` +
              'a system that follows controls keeps its states',
          );
        }
        return made;
      },
    })),
  };
}

const SHORT_PERIOD = 1e-9;

/** The latest result again for the same arguments: A, B, C and D of one system are asked for one after the other. */
export function remember<Result>(
  compute: (values: readonly Float64Array[], period: number) => Result,
): (values: readonly Float64Array[], period: number) => Result {
  let known:
    | undefined
    | { readonly values: readonly Float64Array[]; readonly period: number; readonly result: Result };
  return (values, period) => {
    if (known === undefined || !Object.is(known.period, period) || !sameNumbers(known.values, values)) {
      const copies = values.map((value) => value.slice());
      known = { values: copies, period, result: compute(copies, period) };
    }
    return known.result;
  };
}

const sameNumbers = (a: readonly Float64Array[], b: readonly Float64Array[]): boolean =>
  a.every((value, i) => value.every((number, j) => number === b[i]![j]));

/** Controls of one number each, by name. */
export const byName = (
  controls: Readonly<Record<string, ControlSpec>>,
  values: readonly Float64Array[],
): Record<string, number> =>
  Object.fromEntries(Object.keys(controls).map((name, i) => [name, values[i]![0]!]));

/** A chain on a signal; with several channels, each through a chain of its own. */
export function runChain(
  trace: Trace,
  u: Signal,
  { links, controls }: Chain,
  { channels, arithmetic }: { channels: number; arithmetic: 'float64' | 'signal' },
): Signal {
  const declared = new Map(
    Object.entries(controls).map(([name, spec]) => [name, trace.control(name, spec)] as const),
  );
  const traced = links.map(({ shape: { n, inputs, outputs }, system, controls: names, timed }, i) => {
    const matrix = (name: 'A' | 'B' | 'C' | 'D', shape: readonly [number, number]): Signal =>
      typeof system === 'function'
        ? trace.fromControls(
            shape,
            names.map((control) => declared.get(control)!),
            (values, period) => system(values, period)[name],
            `${i}.${name}`,
            timed ? 'period' : 'none',
          )
        : trace.literal(system[name], shape);
    return {
      A: matrix('A', [n, n]),
      B: matrix('B', [n, inputs]),
      C: matrix('C', [outputs, n]),
      D: matrix('D', [outputs, inputs]),
    };
  });
  const run = (x: Signal): Signal => traced.reduce((y, matrices) => stateSpace(y, matrices, arithmetic), x);
  if (channels === 1) return run(u);
  return concat(Array.from({ length: channels }, (_, c) => run(slice(u, c, 1))) as [Signal, ...Signal[]]);
}

/** A chain of two-state systems, as transposed direct form II has them. */
export const sectionChain = (sections: readonly Section[]): StateSpace[] =>
  sections.map((section) => fromSiso(sectionToSs(section)));

/** @param moving sections in coordinates that may move. */
function discreteSystems(system: LtiSystem, arithmetic: 'float64' | 'signal', moving: boolean): StateSpace[] {
  const chain = (sections: readonly Section[]): StateSpace[] =>
    moving ? sections.map((section) => digital(stateVariable(section))) : sectionChain(sections);
  if ('sections' in system) {
    requireSections(system.sections, 'lti');
    return chain(system.sections);
  }
  if ('zeros' in system) return chain(zpkToSos(system));
  if ('b' in system) {
    const verdict = conditioning(system, arithmetic === 'signal' ? 'float32' : 'float64');
    if (!verdict.trustworthy) {
      throw new ArgumentError(
        `lti: b and a of order ${system.a.length - 1} no longer say which filter they are: an error of about ` +
          `${verdict.expectedError.toExponential(1)} of the peak is to be expected, ${verdict.tolerance} is allowed; ` +
          'give zeros and poles or second-order sections, which keep their precision',
      );
    }
    return chain(tfToSos(system));
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
  return chain(ssToSos(toSiso(dense)));
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
