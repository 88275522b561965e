import { FormatError } from '../../errors.ts';
import { trapezoidalScan } from '../../layers/trapezoidal-scan.ts';
import { add, mul, reshape, sigmoid, silu, tanh } from '../../ops/index.ts';
import type { Model, Signal } from '../../signal/index.ts';
import type { Extra, Family, Run, Subject } from '../case.ts';
import type { Golden } from '../golden.ts';
import { inputsOf, join, openStream } from '../open.ts';
import { lastState, onlySection, type Sections } from '../ways/state.ts';
import { table, type Entry } from '../ways/table.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/** state-spaces/mamba's Mamba-3: the recurrence by itself, and the whole block. */
export const mamba3Families: readonly Family[] = [
  {
    name: 'mamba3 (block)',
    matches: ({ source }) => source.startsWith('state-spaces/mamba mamba_ssm.modules.mamba3.Mamba3 (SISO)'),
    open: (golden, settings) => layerCase({ golden, settings, runs: [formatRun(golden, 'mamba3')] }),
  },
  {
    name: 'mamba3 (recurrence)',
    matches: ({ source }) => source.startsWith('state-spaces/mamba tests/ops/triton/test_mamba3_siso.py'),
    open(golden, settings) {
      const run = recurrence(golden);
      const subject: Subject = { golden, settings, runs: [run] };
      const against = (entry: Entry): Extra => ({
        ...table(golden, [entry]),
        tolerance: golden.ways.get('step') ?? 0,
      });
      const { states, width } = sizesOf(golden);
      const ssm = (sections: Sections): number[] => {
        const S = onlySection(sections, 'scan:S');
        return Array.from({ length: S.length }, (_, i) => {
          const [key, value, head] = [
            i % states,
            Math.floor(i / states) % width,
            Math.floor(i / states / width),
          ];
          return S[(head * states + key) * width + value];
        });
      };
      const angle = (sections: Sections): Float64Array => onlySection(sections, 'phase:angle');
      return layerCase(subject, {
        extras: {
          'state.angle': against(lastState(subject, run, 'state.angle', angle, 0)),
          'state.ssm': against(lastState(subject, run, 'state.ssm', ssm, 0)),
          'state.k': against(lastFrame(subject, run, 'key', 'state.k')),
          'state.v': against(lastFrame(subject, run, 'value', 'state.v')),
        },
      });
    },
  },
];

/** What the official code remembers of its last frame: an inner signal's. The batch is outermost. */
const lastFrame = (subject: Subject, run: Run, port: string, tensor: string): Entry => ({
  tensor,
  values: () =>
    join(
      inputsOf(subject, run).map((inputs) => {
        const frames = openStream(subject, run, port).push(inputs);
        const { heads, states, width } = sizesOf(subject.golden);
        return frames.slice(-heads * (port === 'key' ? states : width));
      }),
    ),
});

interface Sizes {
  /** H */
  readonly heads: number;
  /** G */
  readonly groups: number;
  /** P */
  readonly width: number;
  /** N */
  readonly states: number;
  readonly angles: number;
}

function sizesOf({ config, path }: Golden): Sizes {
  const size = (key: string): number => {
    const value = config[key];
    if (typeof value === 'number') return value;
    throw new FormatError(`${path}: config "${key}" is ${String(value)}; it has to be a whole number`);
  };
  return {
    heads: size('nheads'),
    groups: size('nheads_qk'),
    width: size('headdim'),
    states: size('d_state'),
    angles: size('angles'),
  };
}

/** `mamba3_siso_step_ref`: biases, rotation, the trapezoidal scan, the skip and the gate. */
function recurrence(golden: Golden): Run {
  const { heads, groups, width, states, angles } = sizesOf(golden);
  const model: Model = {
    name: 'mamba3-recurrence',
    inputs: {
      Q: [groups, states],
      K: [groups, states],
      V: [heads, width],
      ADT: [heads],
      DT: [heads],
      Trap: [heads],
      Angles: [heads, angles],
      Z: [heads, width],
    },
    build(trace, { Q, K, V, ADT, DT, Trap, Angles, Z }) {
      const biased = (x: Signal, name: string): Signal => {
        const bias = reshape(trace.parameter(name, [heads, states]), [groups, heads / groups, states]);
        return reshape(add(reshape(x, [groups, 1, states]), bias), [heads, states]);
      };
      const { y, key } = trapezoidalScan({
        q: biased(Q!, 'Q_bias'),
        k: biased(K!, 'K_bias'),
        v: V!,
        dt: DT!,
        logDecay: ADT!,
        current: sigmoid(Trap!),
        frequency: mul(tanh(Angles!), Math.PI),
      });
      const D = reshape(trace.parameter('D', [heads]), [heads, 1]);
      return { output: mul(add(y, mul(V!, D)), silu(Z!)), key, value: V! };
    },
  };
  return {
    model,
    parameters: new Map(golden.constants.map((name) => [name, golden.tensor(name).values])),
    inputs: Object.fromEntries(golden.inputs.map((name) => [name, name])),
    outputs: { output: 'output' },
  };
}
