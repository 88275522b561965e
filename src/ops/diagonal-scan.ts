import type { DiagonalMethod } from '../discretize/index.ts';
import type { Op, PrepareCall, Shape, Signal, SignalType, StepCall } from '../signal/index.ts';
import { formatShape, isConstant, sizeOf } from '../signal/index.ts';
import { diagonalScanAdjoint } from './diagonal-scan-adjoint.ts';
import { diagonalScanLong } from './diagonal-scan-long.ts';

/**
 * The linear recurrence over a diagonal, the heart of S4D, S5, LRU, Mamba and the gated linear RNNs:
 *
 *     z[k] = dt[k] a[k],   Ā[k] = f(z[k]),   B̄[k] = dt[k] g(z[k]) b[k]
 *     x[k] = Ā[k] x[k−1] + B̄[k] u[k]            (the output sees the current input)
 *     y[k] = Re Σₙ c[k] x[k],   or the state x[k] itself
 *
 * | symbol | role | shape | |
 * | --- | --- | --- | --- |
 * | u | `u`, `uIm` | (H) | input, varying |
 * | a | `a`, `aIm` | (H × N) and smaller | continuous-time poles |
 * | b | `b`, `bIm` | (H × N) and smaller | input weights; 1 where absent |
 * | c | `c`, `cIm` | (H × N) and smaller | read-out; the state is the output where absent |
 * | dt | `dt` | (H × N) and smaller | time step; 1 where absent |
 * | f, g | `method` | | the discretization, on a diagonal |
 * | x | state | (H × N), or (2 × H × N) for complex | kept in float64, rounded to float32 where `precision` says so |
 *
 * Coefficients are factored: each operand is (R × C) with C in {1, N} and R a divisor of H (1: shared by all
 * channels; R < H: by groups of neighbouring channels), and is a constant or varies by frame, whichever it is
 * given as. They are never multiplied out over time.
 */
export interface DiagonalScanAttributes {
  readonly channels: number;
  readonly states: number;
  readonly complex: boolean;
  readonly method: ScanMethod;
  /** What each input of the node is. */
  readonly roles: readonly ScanRole[];
}

export type ScanRole = 'u' | 'uIm' | 'a' | 'aIm' | 'b' | 'bIm' | 'c' | 'cIm' | 'dt';

/** A discretization on a diagonal, or `given` for a recurrence that is discrete already. */
export interface ScanMethod extends Omit<DiagonalMethod, 'family'> {
  readonly family: DiagonalMethod['family'] | { readonly kind: 'given' };
}

/** Ā = a and B̄ = b: the coefficients are those of the recurrence. */
export const given: ScanMethod = {
  name: 'given',
  family: { kind: 'given' },
  evaluate(zRe, zIm, out) {
    out[0] = zRe;
    out[1] = zIm;
    out[2] = 1;
    out[4] = 1;
    out[3] = out[5] = out[6] = out[7] = 0;
  },
};

/** A lane keeps its state in float64 under `auto` when 1 − |Ā| is below this. */
export const SLOW_LANE = 1e-3;

/** State below this is set to zero every `FLUSH_FRAMES` frames, so that silence never runs on subnormals. */
export const FLUSH_BELOW = 2 ** -100;
export const FLUSH_FRAMES = 64;

/** Where an operand's element for lane (h, n) stands, for all lanes. */
export type LaneIndex = Int32Array;

/** What is known before the first frame. */
export interface ScanPlan {
  /** Position of each role among the inputs; -1 where absent. */
  readonly at: Readonly<Record<ScanRole, number>>;
  readonly lanes: Readonly<Partial<Record<ScanRole, LaneIndex>>>;
  /** [re, im] of Ā and B̄ (and of the previous input's B̄) for every lane, where they stand still; else undefined. */
  readonly coefficients: ScanCoefficients | undefined;
  /** 1 for a lane whose state and coefficients are rounded to float32. */
  readonly rounded: Uint8Array;
  readonly scratch: Float64Array;
}

export interface ScanCoefficients {
  readonly aBar: Float64Array;
  readonly bBar: Float64Array;
  readonly bPrevious: Float64Array | undefined;
}

const OPERANDS = ['a', 'aIm', 'b', 'bIm', 'c', 'cIm', 'dt'] as const;

export const scanPositions = (roles: readonly ScanRole[]): Record<ScanRole, number> => {
  const at = { u: -1, uIm: -1, a: -1, aIm: -1, b: -1, bIm: -1, c: -1, cIm: -1, dt: -1 };
  roles.forEach((role, i) => (at[role] = i));
  return at;
};

/** (R × C) of an operand: a vector is one column for every channel. */
const operandShape = (shape: Shape): readonly [number, number] =>
  shape.length === 0
    ? [1, 1]
    : shape.length === 1
      ? [shape[0]!, 1]
      : [sizeOf(shape.slice(0, -1)), shape.at(-1)!];

function laneIndex(shape: Shape, channels: number, states: number): LaneIndex {
  const [rows, columns] = operandShape(shape);
  const index = new Int32Array(channels * states);
  for (let h = 0; h < channels; h++) {
    for (let n = 0; n < states; n++) {
      index[h * states + n] = Math.floor((h * rows) / channels) * columns + (columns === 1 ? 0 : n);
    }
  }
  return index;
}

/**
 * Ā and B̄ of one lane at one frame, into `scratch[12…]`: [ĀRe, ĀIm, B̄Re, B̄Im, previous B̄Re, previous B̄Im].
 * `value(role)` gives the operand's element for this lane and frame.
 */
export function discretiseLane(
  attributes: DiagonalScanAttributes,
  scratch: Float64Array,
  a: number,
  aIm: number,
  b: number,
  bIm: number,
  dt: number,
): void {
  attributes.method.evaluate(dt * a, dt * aIm, scratch);
  scratch[12] = scratch[0]!;
  scratch[13] = scratch[1]!;
  scratch[14] = dt * (scratch[4]! * b - scratch[5]! * bIm);
  scratch[15] = dt * (scratch[4]! * bIm + scratch[5]! * b);
  if (attributes.method.usesPreviousInput) {
    scratch[16] = dt * (scratch[8]! * b - scratch[9]! * bIm);
    scratch[17] = dt * (scratch[8]! * bIm + scratch[9]! * b);
  }
}

function prepare({ attributes, types, constants, precision }: PrepareCall<DiagonalScanAttributes>): ScanPlan {
  const { channels, states, method } = attributes;
  const count = channels * states;
  const at = scanPositions(attributes.roles);
  const lanes: Partial<Record<ScanRole, LaneIndex>> = {};
  for (const role of OPERANDS) {
    if (at[role] >= 0) lanes[role] = laneIndex(types[at[role]]!.shape, channels, states);
  }
  const scratch = new Float64Array(18);
  const varying = (['a', 'aIm', 'b', 'bIm', 'dt'] as const).some(
    (role) => at[role] >= 0 && constants[at[role]] === undefined,
  );
  const rounded = new Uint8Array(count).fill(precision === 'float64' ? 0 : 1);
  if (varying) return { at, lanes, coefficients: undefined, rounded, scratch };

  const aBar = new Float64Array(2 * count);
  const bBar = new Float64Array(2 * count);
  const bPrevious = method.usesPreviousInput ? new Float64Array(2 * count) : undefined;
  const value = (role: ScanRole, lane: number, otherwise: number): number =>
    at[role] < 0 ? otherwise : constants[at[role]]![lanes[role]![lane]!]!;
  for (let lane = 0; lane < count; lane++) {
    discretiseLane(
      attributes,
      scratch,
      value('a', lane, 0),
      value('aIm', lane, 0),
      value('b', lane, 1),
      value('bIm', lane, 0),
      value('dt', lane, 1),
    );
    if (precision === 'auto' && 1 - Math.hypot(scratch[12]!, scratch[13]!) < SLOW_LANE) rounded[lane] = 0;
    const store = rounded[lane] ? Math.fround : (x: number): number => x;
    for (let part = 0; part < 2; part++) {
      aBar[2 * lane + part] = store(scratch[12 + part]!);
      bBar[2 * lane + part] = store(scratch[14 + part]!);
      if (bPrevious) bPrevious[2 * lane + part] = store(scratch[16 + part]!);
    }
  }
  return { at, lanes, coefficients: { aBar, bBar, bPrevious }, rounded, scratch };
}

function step(call: StepCall<DiagonalScanAttributes, ScanPlan>): void {
  const { attributes, inputs, output, state, prepared, firing } = call;
  const { channels, states, complex, method } = attributes;
  const { at, lanes, coefficients, rounded, scratch } = prepared;
  const x = state['x']!;
  const previous = state['u'];
  const count = channels * states;
  const read = (role: ScanRole, lane: number, otherwise: number): number => {
    if (at[role] < 0) return otherwise;
    const from = inputs[at[role]]!;
    return from.data[from.at + lanes[role]![lane]!]!;
  };
  const flush = firing % FLUSH_FRAMES === FLUSH_FRAMES - 1;
  for (let h = 0; h < channels; h++) {
    const u = inputs[at.u]!.data[inputs[at.u]!.at + h]!;
    const uIm = at.uIm < 0 ? 0 : inputs[at.uIm]!.data[inputs[at.uIm]!.at + h]!;
    let y = 0;
    for (let n = 0; n < states; n++) {
      const lane = h * states + n;
      if (coefficients) {
        scratch[12] = coefficients.aBar[2 * lane]!;
        scratch[13] = coefficients.aBar[2 * lane + 1]!;
        scratch[14] = coefficients.bBar[2 * lane]!;
        scratch[15] = coefficients.bBar[2 * lane + 1]!;
        if (coefficients.bPrevious) {
          scratch[16] = coefficients.bPrevious[2 * lane]!;
          scratch[17] = coefficients.bPrevious[2 * lane + 1]!;
        }
      } else {
        const dt = read('dt', lane, 1);
        discretiseLane(
          attributes,
          scratch,
          read('a', lane, 0),
          read('aIm', lane, 0),
          read('b', lane, 1),
          read('bIm', lane, 0),
          dt,
        );
      }
      const xRe = x[lane]!;
      const xIm = complex ? x[count + lane]! : 0;
      let re = scratch[12]! * xRe - scratch[13]! * xIm + (scratch[14]! * u - scratch[15]! * uIm);
      let im = scratch[12]! * xIm + scratch[13]! * xRe + (scratch[14]! * uIm + scratch[15]! * u);
      if (previous) {
        const v = previous[h]!;
        const vIm = at.uIm < 0 ? 0 : previous[channels + h]!;
        re += scratch[16]! * v - scratch[17]! * vIm;
        im += scratch[16]! * vIm + scratch[17]! * v;
      }
      if (rounded[lane]) {
        re = Math.fround(re);
        im = Math.fround(im);
      }
      if (flush) {
        if (Math.abs(re) < FLUSH_BELOW) re = 0;
        if (Math.abs(im) < FLUSH_BELOW) im = 0;
      }
      x[lane] = re;
      if (complex) x[count + lane] = im;
      if (at.c >= 0) y += read('c', lane, 0) * re - read('cIm', lane, 0) * im;
    }
    if (at.c >= 0) output.data[output.at + h] = y;
    if (method.usesPreviousInput) {
      previous![h] = u;
      if (at.uIm >= 0) previous![channels + h] = uIm;
    }
  }
  if (at.c < 0) for (let i = 0; i < x.length; i++) output.data[output.at + i] = x[i]!;
}

export const diagonalScanOp: Op<DiagonalScanAttributes, ScanPlan> = {
  name: 'diagonal-scan',
  shape({ channels, states, complex, roles }, types, reject) {
    const at = scanPositions(roles);
    for (const role of ['u', 'uIm'] as const) {
      if (at[role] < 0) continue;
      const type = types[at[role]]!;
      if (sizeOf(type.shape) !== channels || isConstant(type)) {
        reject(
          `${role} ${formatShape(type.shape)} must be a signal of ${channels} channels, one for each row of a`,
        );
      }
    }
    for (const role of OPERANDS) {
      if (at[role] < 0) continue;
      const { shape } = types[at[role]]!;
      const [rows, columns] = operandShape(shape);
      if (channels % rows !== 0 || (columns !== 1 && columns !== states)) {
        reject(
          `${role} ${formatShape(shape)} does not fit ${channels} channels × ${states} states; ` +
            `it needs rows that divide ${channels} and 1 or ${states} columns`,
        );
      }
    }
    if (at.c >= 0) return [channels];
    return complex ? [2, channels, states] : [channels, states];
  },
  state: ({ channels, states, complex, method, roles }) => ({
    x: { shape: complex ? [2, channels, states] : [channels, states], type: 'float64' },
    ...(method.usesPreviousInput
      ? { u: { shape: roles.includes('uIm') ? [2, channels] : [channels], type: 'float64' as const } }
      : {}),
  }),
  prepare,
  step,
  adjoint: diagonalScanAdjoint,
  long: diagonalScanLong,
};

/** A complex operand in two parts; a bare signal is real. */
export type ComplexSignal = Signal | { readonly re: Signal; readonly im: Signal };

export interface DiagonalScanOperands {
  /** Continuous-time poles, or Ā itself with the method `given`. */
  readonly a: ComplexSignal;
  readonly b?: ComplexSignal | undefined;
  /** Absent: the output is the state, (H × N) or (2 × H × N) with the real parts first. */
  readonly c?: ComplexSignal | undefined;
  readonly dt?: Signal | undefined;
  readonly method: ScanMethod;
  /** States a channel; by default the columns of the widest operand. */
  readonly states?: number;
}

/**
 * x[k] = Ā x[k−1] + B̄ u[k], y[k] = Re Σₙ c x[k], with Ā and B̄ discretised from `a`, `b` and `dt` by `method`.
 * See `DiagonalScanAttributes` for shapes. A layer that keeps one of each conjugate pair doubles its `c`.
 *
 * Source: S4D (arXiv 2206.11893, §3), S5 (2208.04933, §3), Mamba (2312.00752, alg. 2).
 *
 * @throws GraphError where a shape does not fit.
 * @example
 * const y = diagonalScan(u, { a: { re, im }, c: { re: cRe, im: cIm }, dt, method: zoh.diagonal });
 */
export function diagonalScan(u: ComplexSignal, operands: DiagonalScanOperands): Signal {
  const roles: ScanRole[] = [];
  const inputs: Signal[] = [];
  const put = (role: ScanRole, imaginary: ScanRole | undefined, value: ComplexSignal | undefined): void => {
    if (value === undefined) return;
    const isPair = 're' in value;
    roles.push(role);
    inputs.push(isPair ? value.re : value);
    if (isPair && imaginary !== undefined) {
      roles.push(imaginary);
      inputs.push(value.im);
    }
  };
  put('u', 'uIm', u);
  put('a', 'aIm', operands.a);
  put('b', 'bIm', operands.b);
  put('c', 'cIm', operands.c);
  put('dt', undefined, operands.dt);
  const types: SignalType[] = inputs.map((input) => input.node);
  const channels = sizeOf(types[0]!.shape);
  const states =
    operands.states ??
    Math.max(
      ...types.slice(1).map((type, i) => (roles[i + 1]!.startsWith('u') ? 1 : operandShape(type.shape)[1])),
    );
  const complex = roles.some((role) => role.endsWith('Im') && role !== 'cIm');
  const attributes: DiagonalScanAttributes = { channels, states, complex, method: operands.method, roles };
  return inputs[0]!.trace.apply(diagonalScanOp, attributes, inputs, 'scan');
}
