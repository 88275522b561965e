/**
 * A diagonal state space that learns while it runs, by real-time recurrent learning: its own forward recurrence (that
 * of `diagonalScan`, no other), the sensitivities of its state, and a step of AdamW every so many frames.
 *
 *     y[k] = s Re Σₙ c x[k] + D u[k],   L[k] = ½ |y[k] − d[k]|²
 *     ∂L[k]/∂θ = (y[k] − d[k]) ∂y[k]/∂θ,   from ∂x[k]/∂θ carried forward in time
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | u, d, y | input, target, output | (H) |
 * | x | state | (H × N), complex where there is an imaginary part |
 * | a = −e^p + i q | poles: `log_A_real` p, `A_imag` q | (H × N) |
 * | b | input weights: `B` | (H × N), or (H × N × 2) |
 * | c | read-out: `C` | (H × N), or (H × N × 2) |
 * | dt = r e^τ | steps: `log_dt` τ; r is the time scale | (H) |
 * | D | feed-through | (H) |
 * | s | 2 where one of each conjugate pair is kept, else 1 | |
 *
 * The gradient of the sum of L over the frames since the last step is exact for one layer: it equals that of
 * back-propagation through time, to the start of the stream, as long as the weights stand still; once they move, the
 * sensitivities are those along the way that they moved. Memory is four times the state's, whatever the time.
 */
import {
  diagonalScanOp,
  type DiagonalScanAttributes,
  type ScanPlan,
  type ScanRole,
} from '../../ops/diagonal-scan.ts';
import { refuseAdjoint } from '../../ops/refuse-adjoint.ts';
import { discretizationByName } from '../../discretize/index.ts';
import type { FloatArray, PrepareCall, SignalType, StateSections, StepCall } from '../../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf, unitRate } from '../../signal/index.ts';
import { adamwStep, clippingFactor } from '../adamw-step.ts';
import type { ParameterSettings } from '../optimizer.ts';
import { advanceSensitivities, type LaneCall } from './sensitivities.ts';

/** What may be learned, in the order of the op's inputs behind `u` and `target`. */
export const LEARNABLE = ['log_A_real', 'A_imag', 'B', 'C', 'log_dt', 'D'] as const;
export type Learnable = (typeof LEARNABLE)[number];

/** Plain numbers: it is part of the model's hash. */
export interface LearningRule {
  /** Frames between two steps of the optimiser; the gradient is their sum. */
  readonly interval: number;
  /** Learning rate of each parameter; 0 freezes it. */
  readonly rates: Readonly<Record<Learnable, number>>;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Largest norm of the gradient; null for none. */
  readonly clip: number | null;
}

export interface RecurrentLearningAttributes {
  readonly channels: number;
  readonly states: number;
  readonly complex: boolean;
  /** s */
  readonly conjugates: 1 | 2;
  readonly method: DiagonalScanAttributes['method'];
  readonly has: readonly Learnable[];
  readonly hasLearn: boolean;
  readonly rule: LearningRule;
}

type Call = StepCall<RecurrentLearningAttributes, Plan>;

type ScanCall = StepCall<DiagonalScanAttributes, ScanPlan>;

interface Plan {
  /** A call of the scan's own step, on the state of whichever stream runs. */
  readonly inner: { -readonly [K in keyof ScanCall]: ScanCall[K] };
  readonly lane: { -readonly [K in keyof LaneCall]: LaneCall[K] };
  readonly operands: Readonly<Record<ScanRole, Float64Array>>;
  readonly output: Float64Array;
  /** Current weights: what the stream began with plus what it learned. */
  readonly weights: Readonly<Partial<Record<Learnable, Float64Array>>>;
  readonly at: Readonly<Partial<Record<Learnable, number>>>;
  /** What the optimiser is told; made once, since a running stream allocates nothing. */
  readonly settings: Readonly<Record<Learnable, ParameterSettings>>;
  readonly moment: { step: number; rate: number; scale: number };
}

/** Names of the sections that belong to a parameter. */
const GRADIENT = sectionNames('gradient');
const MEAN = sectionNames('mean');
const SQUARE = sectionNames('square');

function sectionNames(what: string): Readonly<Record<Learnable, string>> {
  return Object.fromEntries(LEARNABLE.map((name) => [name, `${what}.${name}`])) as Record<Learnable, string>;
}

/** Numbers of a parameter. */
const sizes = ({ channels, states, complex }: RecurrentLearningAttributes): Record<Learnable, number> => ({
  log_A_real: channels * states,
  A_imag: channels * states,
  B: channels * states * (complex ? 2 : 1),
  C: channels * states * (complex ? 2 : 1),
  log_dt: channels,
  D: channels,
});

/** The scan that carries the state, with every coefficient given by frame. */
function innerScan({ channels, states, complex, method }: RecurrentLearningAttributes): {
  attributes: DiagonalScanAttributes;
  types: SignalType[];
} {
  const roles: ScanRole[] = complex
    ? ['u', 'a', 'aIm', 'b', 'bIm', 'c', 'cIm', 'dt']
    : ['u', 'a', 'b', 'c', 'dt'];
  const shape = (role: ScanRole): number[] =>
    role === 'u' || role === 'dt' ? [channels] : [channels, states];
  return {
    attributes: { channels, states, complex, method, roles },
    types: roles.map((role) => ({ shape: shape(role), rate: unitRate })),
  };
}

function prepare({ attributes }: PrepareCall<RecurrentLearningAttributes>): Plan {
  const { channels, has } = attributes;
  const { attributes: scan, types } = innerScan(attributes);
  const operands = Object.fromEntries(
    scan.roles.map((role, i) => [role, new Float64Array(sizeOf(types[i]!.shape))]),
  ) as Record<ScanRole, Float64Array>;
  operands.b.fill(1);
  const output = new Float64Array(channels);
  const prepared = diagonalScanOp.prepare!({
    attributes: scan,
    types,
    constants: types.map(() => undefined),
    precision: 'float64',
  });
  const size = sizes(attributes);
  return {
    operands,
    output,
    // Not whole numbers: a field that held one would be boxed anew at every change.
    lane: {
      method: attributes.method,
      aRe: Number.NaN,
      aIm: -0,
      bRe: Number.NaN,
      bIm: -0,
      dt: Number.NaN,
      xRe: Number.NaN,
      xIm: -0,
      u: Number.NaN,
      uBefore: -0,
    },
    inner: {
      attributes: scan,
      types,
      prepared,
      firing: 0,
      inputs: scan.roles.map((role) => ({ data: operands[role], at: 0 })),
      output: { data: output, at: 0 },
      state: {},
    },
    weights: Object.fromEntries(has.map((name) => [name, new Float64Array(size[name])])),
    at: Object.fromEntries(has.map((name, i) => [name, i + 2])),
    settings: Object.fromEntries(
      LEARNABLE.map((name) => [name, { rate: attributes.rule.rates[name], decay: 0 }]),
    ) as Record<Learnable, ParameterSettings>,
    moment: { step: 0, rate: 1, scale: 1 },
  };
}

/** Brings the current weights of this stream into the plan's scratch, and from there into the scan's operands. */
function readWeights({ attributes, inputs, state, prepared }: Call): void {
  const { channels, states, complex, conjugates, has } = attributes;
  const { operands, weights, at } = prepared;
  for (let p = 0; p < has.length; p++) {
    const name = has[p]!;
    const to = weights[name]!;
    const from = inputs[at[name]!]!;
    const learned = state[name]!;
    for (let i = 0; i < to.length; i++) to[i] = from.data[from.at + i]! + learned[i]!;
  }
  const scale = inputs[2 + has.length]!;
  const count = channels * states;
  for (let i = 0; i < count; i++) {
    operands.a[i] = -Math.exp(weights.log_A_real![i]!);
    if (complex) operands.aIm[i] = weights.A_imag![i]!;
    const part = complex ? 2 * i : i;
    if (weights.B) operands.b[i] = weights.B[part]!;
    if (weights.B && complex) operands.bIm[i] = weights.B[part + 1]!;
    operands.c[i] = conjugates * weights.C![part]!;
    if (complex) operands.cIm[i] = conjugates * weights.C![part + 1]!;
  }
  for (let h = 0; h < channels; h++) operands.dt[h] = Math.exp(weights.log_dt![h]!) * scale.data[scale.at]!;
}

/** Re and Im of c ∂x/∂w: the slopes of y by the real part of w, and (negative) by its imaginary part. */
const slopeRe = (by: FloatArray, i: number, cRe: number, cIm: number): number =>
  cRe * by[2 * i]! - cIm * by[2 * i + 1]!;
const slopeIm = (by: FloatArray, i: number, cRe: number, cIm: number): number =>
  cRe * by[2 * i + 1]! + cIm * by[2 * i]!;

/** Adds this frame's ∂L/∂θ to the gradients. */
function accumulate({ attributes, inputs, output, state, prepared }: Call): void {
  const { channels, states, complex, conjugates } = attributes;
  const { operands } = prepared;
  const u = inputs[0]!;
  const d = inputs[1]!;
  const x = state['x']!;
  const byA = state['slope.a']!;
  const byB = state['slope.b']!;
  const byDt = state['slope.dt']!;
  const gradientA = state[GRADIENT.log_A_real]!;
  const gradientIm = state[GRADIENT.A_imag];
  const gradientB = state[GRADIENT.B];
  const gradientC = state[GRADIENT.C]!;
  const gradientDt = state[GRADIENT.log_dt]!;
  const gradientD = state[GRADIENT.D];
  const count = channels * states;
  for (let h = 0; h < channels; h++) {
    const error = output.data[output.at + h]! - d.data[d.at + h]!;
    let along = 0;
    for (let n = 0; n < states; n++) {
      const i = h * states + n;
      const cRe = operands.c[i]!;
      const cIm = complex ? operands.cIm[i]! : 0;
      gradientA[i]! += error * slopeRe(byA, i, cRe, cIm) * operands.a[i]!;
      along += slopeRe(byDt, i, cRe, cIm);
      if (complex) {
        gradientIm![i]! -= error * slopeIm(byA, i, cRe, cIm);
        if (gradientB) gradientB[2 * i]! += error * slopeRe(byB, i, cRe, cIm);
        if (gradientB) gradientB[2 * i + 1]! -= error * slopeIm(byB, i, cRe, cIm);
        gradientC[2 * i]! += error * conjugates * x[i]!;
        gradientC[2 * i + 1]! -= error * conjugates * x[count + i]!;
      } else {
        if (gradientB) gradientB[i]! += error * slopeRe(byB, i, cRe, cIm);
        gradientC[i]! += error * conjugates * x[i]!;
      }
    }
    gradientDt[h]! += error * along;
    if (gradientD) gradientD[h]! += error * u.data[u.at + h]!;
  }
}

/** A step of the optimiser on all that was gathered. */
function update({ attributes: { has, rule }, state, prepared: { settings, moment } }: Call): void {
  const count = state['count']!;
  let norm = 0;
  for (let p = 0; p < has.length; p++) {
    const slopes = state[GRADIENT[has[p]!]]!;
    for (let i = 0; i < slopes.length; i++) norm += slopes[i]! * slopes[i]!;
  }
  moment.step = count[1]!;
  moment.scale = rule.clip === null ? 1 : clippingFactor(Math.sqrt(norm), rule.clip);
  for (let p = 0; p < has.length; p++) {
    const name = has[p]!;
    const slopes = state[GRADIENT[name]]!;
    adamwStep(state[name]!, slopes, state[MEAN[name]]!, state[SQUARE[name]]!, rule, settings[name], moment);
    slopes.fill(0);
  }
  count[0] = 0;
  count[1]! += 1;
}

export const recurrentLearningOp = defineOp<RecurrentLearningAttributes, Plan>({
  name: 'recurrent-learning',
  shape(attributes, types, reject) {
    const { channels, has, hasLearn, rule } = attributes;
    for (const [i, name] of (['input', 'target'] as const).entries()) {
      if (isConstant(types[i]!) || sizeOf(types[i]!.shape) !== channels) {
        reject(`${name} ${formatShape(types[i]!.shape)} must be a signal of ${channels} channels`);
      }
    }
    const size = sizes(attributes);
    for (const [i, name] of has.entries()) {
      const type = types[i + 2]!;
      if (!isConstant(type) || sizeOf(type.shape) !== size[name]) {
        reject(`${name} ${formatShape(type.shape)} must be a constant of ${size[name]} numbers`);
      }
    }
    if (hasLearn && sizeOf(types.at(-1)!.shape) !== 1) reject('learn must be one number a frame');
    if (!(rule.interval >= 1)) reject(`interval is ${rule.interval} frames; give 1 or more`);
    return [channels];
  },
  time: ({ has }) => [2 + has.length],
  state(attributes) {
    const { channels, states, has } = attributes;
    const { attributes: scan, types } = innerScan(attributes);
    const size = sizes(attributes);
    const lanes = { shape: [channels * states, 2], type: 'float64' as const };
    const sections: Record<string, StateSections[string]> = {
      ...diagonalScanOp.state!(scan, types),
      'slope.a': lanes,
      'slope.b': lanes,
      'slope.dt': lanes,
    };
    for (const name of has) {
      for (const key of [name, GRADIENT[name], MEAN[name], SQUARE[name]])
        sections[key] = { shape: [size[name]], type: 'float64' };
    }
    // Frames since the last step of the optimiser, and its steps.
    return { ...sections, count: { shape: [2], type: 'float64' } };
  },
  prepare,
  step(call) {
    const { attributes, inputs, output, state, prepared } = call;
    const { channels, states, complex, hasLearn, rule } = attributes;
    const { operands, inner, lane, weights } = prepared;
    const u = inputs[0]!;
    readWeights(call);
    const x = state['x']!;
    const before = state['u'];
    const byA = state['slope.a']!;
    const byB = state['slope.b']!;
    const byDt = state['slope.dt']!;
    for (let h = 0; h < channels; h++) {
      operands.u[h] = u.data[u.at + h]!;
      for (let n = 0; n < states; n++) {
        const i = h * states + n;
        lane.aRe = operands.a[i]!;
        lane.bRe = operands.b[i]!;
        if (complex) lane.aIm = operands.aIm[i]!;
        if (complex) lane.bIm = operands.bIm[i]!;
        lane.dt = operands.dt[h]!;
        lane.xRe = x[i]!;
        if (complex) lane.xIm = x[channels * states + i]!;
        lane.u = operands.u[h]!;
        if (before) lane.uBefore = before[h]!;
        advanceSensitivities(i, lane, byA, byB, byDt);
      }
    }
    inner.firing = call.firing;
    inner.state = state;
    diagonalScanOp.step(inner);
    for (let h = 0; h < channels; h++) {
      const through = weights.D ? weights.D[h]! * operands.u[h]! : 0;
      output.data[output.at + h] = prepared.output[h]! + through;
    }
    const learn = hasLearn ? inputs.at(-1)! : undefined;
    if (learn && !(learn.data[learn.at]! > 0)) return;
    accumulate(call);
    const count = state['count']!;
    count[0]! += 1;
    if (count[0]! >= rule.interval) update(call);
  },
  adjoint: () => refuseAdjoint('recurrent-learning'),
  plain: {
    pack: ({ method, ...rest }) => ({ ...rest, method: method.name }),
    unpack(data) {
      const { method, ...rest } = data as Omit<RecurrentLearningAttributes, 'method'> & { method: string };
      return { ...rest, method: discretizationByName(method).diagonal };
    },
  },
});
