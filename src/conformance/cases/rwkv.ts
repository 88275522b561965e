import { rwkv6Recurrence } from '../../layers/rwkv6.ts';
import { exp, matrixScan, mul } from '../../ops/index.ts';
import { traceModel, type Model, type Node } from '../../signal/index.ts';
import type { Extra, Family, Run, Subject } from '../case.ts';
import type { Golden } from '../golden.ts';
import { lastState, onlySection, type Sections } from '../ways/state.ts';
import { table } from '../ways/table.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/**
 * RWKV: transformers' whole RWKV-4, flash-linear-attention's layers of 6 and 7 and their recurrences, RWKV-LM's whole
 * RWKV-7.
 *
 * RWKV-4's states, each (batch × channels × blocks): 0 and 1 are the last frames behind the norms, which wait on the
 * edges to the two delays of a block; 2, 3 and 4 are the recurrence's own.
 */
export const rwkvFamilies: readonly Family[] = [
  {
    name: 'rwkv4',
    matches: ({ source }) => source.startsWith('transformers RwkvModel'),
    open(golden, settings) {
      const run = formatRun(golden, 'rwkv4');
      const subject: Subject = { golden, settings, runs: [run] };
      // Of each block the time mixing comes first, then the channel mixing.
      const delays = nodesOf(run.model, 'shift').map(({ inputs }) => inputs[0]!);
      const scans = nodesOf(run.model, 'wkv');
      const state = (tensor: string, nodes: readonly Node[], section: string): Extra =>
        stateOf(subject, run, tensor, (sections) =>
          sideBySide(nodes.map(({ path }) => sections.get(`${path}:${section}`)!)),
        );
      return layerCase(subject, {
        extras: {
          'state.0': state('state.0', every(delays, 2, 1), 'frames'),
          'state.1': state('state.1', every(delays, 2, 0), 'frames'),
          'state.2': state('state.2', scans, 'num'),
          'state.3': state('state.3', scans, 'den'),
          'state.4': state('state.4', scans, 'max'),
        },
      });
    },
  },
  {
    name: 'rwkv6 (layer)',
    matches: ({ source }) => source.includes('fla.layers.RWKV6Attention'),
    open: (golden, settings) => layerCase({ golden, settings, runs: [formatRun(golden, 'rwkv6')] }),
  },
  {
    name: 'rwkv7 (layer)',
    matches: ({ source }) => source.includes('fla.layers.RWKV7Attention'),
    open: (golden, settings) => layerCase({ golden, settings, runs: [formatRun(golden, 'rwkv7')] }),
  },
  {
    name: 'rwkv7',
    matches: ({ source }) => source.startsWith('BlinkDL/RWKV-LM RWKV-v7/rwkv_v7_numpy.py'),
    open: (golden, settings) => layerCase({ golden, settings, runs: [formatRun(golden, 'rwkv7-lm')] }),
  },
  {
    name: 'rwkv6 (recurrence)',
    matches: ({ source }) => source.startsWith('fla rwkv6/'),
    open: (golden, settings) =>
      recurrence(golden, settings, (trace, { q, k, v, w }) =>
        rwkv6Recurrence({
          r: mul(q!, scaleOf(golden)),
          k: k!,
          v: v!,
          w: w!,
          u: trace.parameter('u', golden.tensor('u').shape),
        }),
      ),
  },
  {
    name: 'rwkv7 (recurrence)',
    matches: ({ source }) => source.startsWith('fla generalized_delta_rule/dplr/'),
    open: (golden, settings) =>
      recurrence(golden, settings, (_trace, { q, k, v, gk, alpha, beta }) =>
        matrixScan({ q: mul(q!, scaleOf(golden)), k: k!, v: v!, decay: exp(gk!), a: alpha!, b: beta! }),
      ),
  },
];

const scaleOf = ({ metadata }: Golden): number => Number(metadata.get('scale'));

/** One output of a model whose ports are the official inputs, a matrix a frame each; with the last state. */
function recurrence(
  golden: Golden,
  settings: Subject['settings'],
  apply: (...arguments_: Parameters<Model['build']>) => ReturnType<Model['build']>[string],
): ReturnType<typeof layerCase> {
  const model: Model = {
    name: golden.name,
    // (B, H, T, K): a frame is (H × K).
    inputs: Object.fromEntries(
      golden.inputs.map((name) => {
        const [, heads, , width] = golden.tensor(name).shape as [number, number, number, number];
        return [name, [heads, width]];
      }),
    ),
    build: (trace, inputs) => ({ output: apply(trace, inputs) }),
  };
  const run: Run = {
    model,
    parameters: new Map(golden.constants.map((name) => [name, golden.tensor(name).values])),
    inputs: Object.fromEntries(golden.inputs.map((name) => [name, name])),
    outputs: { output: 'output' },
  };
  const subject: Subject = { golden, settings, runs: [run] };
  const last = stateOf(subject, run, 'state.last', (sections) => onlySection(sections, 'scan:S'));
  return layerCase(subject, { extras: { 'state.last': last } });
}

const stateOf = (
  subject: Subject,
  run: Run,
  tensor: string,
  pick: (sections: Sections) => ArrayLike<number>,
): Extra => ({
  ...table(subject.golden, [lastState(subject, run, tensor, pick, 0)]),
  tolerance: subject.golden.ways.get('step')!,
});

/** Vectors of C channels, one a block, as (C × blocks). */
const sideBySide = (vectors: readonly Float64Array[]): Float64Array =>
  Float64Array.from(
    { length: vectors.length * vectors[0]!.length },
    (_, i) => vectors[i % vectors.length]![Math.floor(i / vectors.length)]!,
  );

/** Every `step`-th from `first` on. */
const every = <T>(list: readonly T[], step: number, first: number): T[] =>
  list.filter((_, i) => i % step === first);

/** The nodes of one op, in the order in which they were written down. */
const nodesOf = (model: Model, op: string): Node[] =>
  traceModel(model).nodes.filter(({ source }) => source.kind === 'op' && source.op.name === op);
