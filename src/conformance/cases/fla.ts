import { retentionDecays } from '../../ops/index.ts';
import {
  deltaRule,
  eluPlusOne,
  exp,
  gatedDeltaRule,
  gatedLinearAttention,
  normalisedLinearAttention,
  reshape,
  retention,
} from '../../ops/index.ts';
import { hgrnScan } from '../../layers/hgrn.ts';
import { FormatError } from '../../errors.ts';
import type { Model, Signal } from '../../signal/index.ts';
import type { Family, Subject } from '../case.ts';
import type { Golden } from '../golden.ts';
import { lastState, onlySection } from '../ways/state.ts';
import { table } from '../ways/table.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/** The class that a layer's file was made with, and its checkpoint format. */
const formats: Readonly<Record<string, string>> = {
  MultiScaleRetention: 'fla-retention',
  LinearAttention: 'fla-linear-attention',
  GatedLinearAttention: 'gla',
  DeltaNet: 'delta-net',
  GatedDeltaNet: 'gated-delta-net',
  KimiDeltaAttention: 'kda',
  HGRNAttention: 'hgrn',
};

const classOf = ({ source }: Golden): string =>
  /^fla-org\/flash-linear-attention fla\.layers\.(\w+)/.exec(source)?.[1] ?? '';

/** Whole layers of flash-linear-attention. */
export const flaLayersFamily: Family = {
  name: 'layers of flash-linear-attention',
  matches: (golden) => Object.hasOwn(formats, classOf(golden)),
  open: (golden, settings) =>
    layerCase({ golden, settings, runs: [formatRun(golden, formats[classOf(golden)])] }),
};

type Ports = Readonly<Record<string, Signal>>;

/** A recurrence on the official inputs; `scale` and the rest as in the metadata. */
type Recurrence = (ports: Ports, scale: number) => Signal;

const perHead = (x: Signal): Signal => reshape(x, [x.width, 1]);

/** The recurrences, by the file of the official code. */
const recurrences: Readonly<Record<string, Recurrence>> = {
  'retention/naive.py': ({ q, k, v }, scale) => {
    const heads = v.shape[0];
    return retention({ q, k, v, scale, gamma: v.trace.literal(retentionDecays(heads), [heads, 1]) });
  },
  'simple_gla/naive.py': ({ q, k, v, g }, scale) => gatedLinearAttention({ q, k, v, g: perHead(g), scale }),
  'gla/naive.py': ({ q, k, v, gk }, scale) => gatedLinearAttention({ q, k, v, g: gk, scale }),
  'linear_attn/naive.py': ({ q, k, v }, scale) =>
    normalisedLinearAttention({ q: eluPlusOne(q), k: eluPlusOne(k), v, scale }),
  'delta_rule/naive.py': ({ q, k, v, beta }, scale) => deltaRule({ q, k, v, beta: perHead(beta), scale }),
  'gated_delta_rule/naive.py': ({ q, k, v, g, beta }, scale) =>
    gatedDeltaRule({ q, k, v, g: perHead(g), beta: perHead(beta), scale }),
  'kda/naive.py': ({ q, k, v, g, beta }, scale) => gatedDeltaRule({ q, k, v, g, beta: perHead(beta), scale }),
  'hgrn/naive.py': ({ x, g }) => hgrnScan(x, exp(g)),
};

const fileOf = ({ source, kinds }: Golden): string => {
  const file = /(?:^| |\/)(\w+\/naive\.py)/.exec(source)?.[1] ?? '';
  return kinds.includes('op') && source.startsWith('fla') ? file : '';
};

/** Recurrences of flash-linear-attention on their own, with the state behind the last frame. */
export const flaOpsFamily: Family = {
  name: 'recurrences of flash-linear-attention',
  matches: (golden) => Object.hasOwn(recurrences, fileOf(golden)),
  open(golden, settings) {
    const recurrence = recurrences[fileOf(golden)];
    const scale = Number(golden.metadata.get('scale') ?? 1);
    if (!Number.isFinite(scale))
      throw new FormatError(
        `${golden.path}: scale is ${golden.metadata.get('scale')}; it has to be a number`,
      );
    const model: Model = {
      name: fileOf(golden),
      // Shapes without batch and time: the layout is B,T and the frame's own axes.
      inputs: Object.fromEntries(golden.inputs.map((name) => [name, golden.tensor(name).shape.slice(2)])),
      build: (_trace, ports) => ({ output: recurrence(ports, scale) }),
    };
    const inputs = Object.fromEntries(golden.inputs.map((name) => [name, name]));
    const run = { model, parameters: {}, inputs, outputs: { output: 'output' } };
    const subject: Subject = { golden, settings, runs: [run] };
    const section = fileOf(golden) === 'hgrn/naive.py' ? 'scan:x' : 'scan:S';
    const last = lastState(subject, run, 'state.last', (sections) => onlySection(sections, section), 0);
    const tolerance = golden.ways.get('block') ?? 0;
    return layerCase(subject, { extras: { 'state.last': { ...table(golden, [last]), tolerance } } });
  },
};
