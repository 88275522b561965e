import { discretizationByName } from '../discretize/index.ts';
import type { Signal, SignalType, StepCall } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';
import { diagonalScanAdjoint } from './diagonal-scan-adjoint.ts';
import { diagonalScanLong } from './diagonal-scan-long.ts';
import {
  given,
  FLUSH_BELOW,
  FLUSH_FRAMES,
  OPERANDS,
  discretiseLane,
  operandShape,
  prepareScan,
  scanPositions,
  type DiagonalScanAttributes,
  type ScanCoefficients,
  type ScanMethod,
  type ScanPlan,
  type ScanRole,
} from './diagonal-scan-plan.ts';

export * from './diagonal-scan-plan.ts';

/** An operand's element for a lane at this frame. */
function read(
  { inputs, prepared: { at, lanes } }: StepCall<DiagonalScanAttributes, ScanPlan>,
  role: ScanRole,
  lane: number,
  otherwise: number,
): number {
  if (at[role] < 0) return otherwise;
  const from = inputs[at[role]]!;
  return from.data[from.at + lanes[role]![lane]!]!;
}

/** Ā and B̄ of a lane at this frame, into the plan's scratch. */
function discretise(call: StepCall<DiagonalScanAttributes, ScanPlan>, lane: number): void {
  discretiseLane(
    call.attributes,
    call.prepared.scratch,
    read(call, 'a', lane, 0),
    read(call, 'aIm', lane, 0),
    read(call, 'b', lane, 1),
    read(call, 'bIm', lane, 0),
    read(call, 'dt', lane, 1),
  );
}

/** The coefficients of all lanes where dt alone varies: those of a step that has been met lately are kept. */
function coefficientsOfStep(
  call: StepCall<DiagonalScanAttributes, ScanPlan>,
  steps: NonNullable<ScanPlan['steps']>,
): ScanCoefficients {
  const { at, scratch } = call.prepared;
  const dt = call.inputs[at.dt]!;
  const known = steps.find(dt.data, dt.at);
  if (known) return known;
  const found = steps.claim(dt.data, dt.at);
  const { aBar, bBar, bPrevious } = found;
  for (let lane = 0; lane < aBar.length / 2; lane++) {
    discretise(call, lane);
    for (let part = 0; part < 2; part++) {
      aBar[2 * lane + part] = scratch[12 + part]!;
      bBar[2 * lane + part] = scratch[14 + part]!;
      if (bPrevious) bPrevious[2 * lane + part] = scratch[16 + part]!;
    }
  }
  return found;
}

function step(call: StepCall<DiagonalScanAttributes, ScanPlan>): void {
  const { attributes, inputs, output, state, prepared, firing } = call;
  const { channels, states, complex, method } = attributes;
  const { at, lanes, steps, rounded, scratch } = prepared;
  const coefficients = prepared.coefficients ?? (steps && coefficientsOfStep(call, steps));
  const x = state['x']!;
  const previous = state['u'];
  const count = channels * states;
  const uFrom = inputs[at.u]!;
  const uImFrom = at.uIm < 0 ? undefined : inputs[at.uIm]!;
  const c = at.c < 0 ? undefined : inputs[at.c]!;
  const cIm = at.cIm < 0 ? undefined : inputs[at.cIm]!;
  const flush = firing % FLUSH_FRAMES === FLUSH_FRAMES - 1;
  for (let h = 0; h < channels; h++) {
    const u = uFrom.data[uFrom.at + h]!;
    const uIm = uImFrom ? uImFrom.data[uImFrom.at + h]! : 0;
    let y = 0;
    for (let n = 0; n < states; n++) {
      const lane = h * states + n;
      let [aRe, aIm, bRe, bIm] = [0, 0, 0, 0];
      if (coefficients) {
        aRe = coefficients.aBar[2 * lane]!;
        aIm = coefficients.aBar[2 * lane + 1]!;
        bRe = coefficients.bBar[2 * lane]!;
        bIm = coefficients.bBar[2 * lane + 1]!;
      } else {
        discretise(call, lane);
        aRe = scratch[12]!;
        aIm = scratch[13]!;
        bRe = scratch[14]!;
        bIm = scratch[15]!;
      }
      const xRe = x[lane]!;
      const xIm = complex ? x[count + lane]! : 0;
      let re = aRe * xRe - aIm * xIm + (bRe * u - bIm * uIm);
      let im = aRe * xIm + aIm * xRe + (bRe * uIm + bIm * u);
      if (previous) {
        const past = coefficients?.bPrevious;
        const pRe = past ? past[2 * lane]! : scratch[16]!;
        const pIm = past ? past[2 * lane + 1]! : scratch[17]!;
        const v = previous[h]!;
        const vIm = uImFrom ? previous[channels + h]! : 0;
        re += pRe * v - pIm * vIm;
        im += pRe * vIm + pIm * v;
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
      if (c) y += c.data[c.at + lanes.c![lane]!]! * re;
      if (cIm) y -= cIm.data[cIm.at + lanes.cIm![lane]!]! * im;
    }
    if (c) output.data[output.at + h] = y;
    if (method.usesPreviousInput) {
      previous![h] = u;
      if (uImFrom) previous![channels + h] = uIm;
    }
  }
  if (!c) for (let i = 0; i < x.length; i++) output.data[output.at + i] = x[i]!;
}

export const diagonalScanOp = defineOp<DiagonalScanAttributes, ScanPlan>({
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
  // Without a dt, whoever gives a and b has the step in them.
  time: ({ roles }) => {
    const at = scanPositions(roles);
    return at.dt >= 0 ? [at.dt] : [at.a, at.aIm].filter((input) => input >= 0);
  },
  prepare: prepareScan,
  step,
  adjoint: diagonalScanAdjoint,
  long: diagonalScanLong,
  plain: {
    pack: ({ method, ...rest }) => ({ ...rest, method: method.name }),
    unpack(data) {
      const { method, ...rest } = data as Omit<DiagonalScanAttributes, 'method'> & { method: string };
      return { ...rest, method: method === given.name ? given : discretizationByName(method).diagonal };
    },
  },
});

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
