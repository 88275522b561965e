import type { DiagonalMethod } from '../discretize/index.ts';
import type { PrepareCall, Shape } from '../signal/index.ts';
import { sizeOf } from '../signal/index.ts';
import { StepCache } from './step-cache.ts';

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
  /** Where dt alone comes by frame: the coefficients of the latest steps, for all lanes. */
  readonly steps: StepCache<ScanCoefficients> | undefined;
  /** 1 for a lane whose state and coefficients are rounded to float32. */
  readonly rounded: Uint8Array;
  readonly scratch: Float64Array;
}

export interface ScanCoefficients {
  readonly aBar: Float64Array;
  readonly bBar: Float64Array;
  readonly bPrevious: Float64Array | undefined;
}

export const OPERANDS = ['a', 'aIm', 'b', 'bIm', 'c', 'cIm', 'dt'] as const;

export const scanPositions = (roles: readonly ScanRole[]): Record<ScanRole, number> => {
  const at = { u: -1, uIm: -1, a: -1, aIm: -1, b: -1, bIm: -1, c: -1, cIm: -1, dt: -1 };
  roles.forEach((role, i) => (at[role] = i));
  return at;
};

/** (R × C) of an operand: a vector is one column for every channel. */
export const operandShape = (shape: Shape): readonly [number, number] =>
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

export function prepareScan({
  attributes,
  types,
  constants,
  precision,
}: PrepareCall<DiagonalScanAttributes>): ScanPlan {
  const { channels, states, method } = attributes;
  const count = channels * states;
  const at = scanPositions(attributes.roles);
  const lanes: Partial<Record<ScanRole, LaneIndex>> = {};
  for (const role of OPERANDS) {
    if (at[role] >= 0) lanes[role] = laneIndex(types[at[role]]!.shape, channels, states);
  }
  const scratch = new Float64Array(18);
  const varies = (role: ScanRole): boolean => at[role] >= 0 && constants[at[role]] === undefined;
  const rounded = new Uint8Array(count).fill(precision === 'float64' ? 0 : 1);
  const allocate = (): ScanCoefficients => ({
    aBar: new Float64Array(2 * count),
    bBar: new Float64Array(2 * count),
    bPrevious: method.usesPreviousInput ? new Float64Array(2 * count) : undefined,
  });
  const selective = (['a', 'aIm', 'b', 'bIm'] as const).some(varies);
  if (selective || varies('dt')) {
    const steps = selective ? undefined : new StepCache(sizeOf(types[at.dt]!.shape), allocate);
    return { at, lanes, coefficients: undefined, steps, rounded, scratch };
  }

  const coefficients = allocate();
  const { aBar, bBar, bPrevious } = coefficients;
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
  return { at, lanes, coefficients, steps: undefined, rounded, scratch };
}
