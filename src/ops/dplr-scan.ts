import type { SequenceCall, Signal, StepCall } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';
import { causalConvolution } from './causal-convolution.ts';
import { FLUSH_BELOW, FLUSH_FRAMES } from './diagonal-scan-plan.ts';
import { twiceReal, type DplrCoefficients } from './dplr-discretise.ts';
import { dplrScanAdjoint } from './dplr-scan-adjoint.ts';
import { B, C, DT, LAMBDA, P, U, discretiseChannels, prepareDplr } from './dplr-scan-plan.ts';
import type { DplrPlan, DplrScanAttributes } from './dplr-scan-plan.ts';

function coefficientsAt({
  inputs,
  prepared,
}: StepCall<DplrScanAttributes, DplrPlan>): readonly DplrCoefficients[] {
  const { coefficients, steps } = prepared;
  if (coefficients) return coefficients;
  const dt = inputs[DT]!;
  const known = steps.find(dt.data, dt.at);
  if (known) return known;
  const found = steps.claim(dt.data, dt.at);
  discretiseChannels(prepared, dt.data, dt.at, found);
  return found;
}

function step(call: StepCall<DplrScanAttributes, DplrPlan>): void {
  const { attributes, inputs, output, state, prepared, firing } = call;
  const { channels, states, rank } = attributes;
  const { c, rounded, feedback } = prepared;
  const coefficients = coefficientsAt(call);
  const x = state['x']!;
  const imaginary = channels * states;
  const u = inputs[U]!;
  const flush = firing % FLUSH_FRAMES === FLUSH_FRAMES - 1;
  for (let h = 0; h < channels; h++) {
    const { a, F, G, b } = coefficients[h]!;
    const now = u.data[u.at + h]!;
    for (let r = 0; r < rank; r++) {
      let sum = 0;
      for (let n = 0; n < states; n++) {
        const at = 2 * (r * states + n);
        sum += G[at]! * x[h * states + n]! - G[at + 1]! * x[imaginary + h * states + n]!;
      }
      feedback[r] = 2 * sum;
    }
    let y = 0;
    for (let n = 0; n < states; n++) {
      const lane = h * states + n;
      const [xRe, xIm] = [x[lane]!, x[imaginary + lane]!];
      let re = a[2 * n]! * xRe - a[2 * n + 1]! * xIm + b[2 * n]! * now;
      let im = a[2 * n]! * xIm + a[2 * n + 1]! * xRe + b[2 * n + 1]! * now;
      for (let r = 0; r < rank; r++) {
        const at = 2 * (r * states + n);
        re -= F[at]! * feedback[r]!;
        im -= F[at + 1]! * feedback[r]!;
      }
      if (rounded) {
        re = Math.fround(re);
        im = Math.fround(im);
      }
      if (flush) {
        if (Math.abs(re) < FLUSH_BELOW) re = 0;
        if (Math.abs(im) < FLUSH_BELOW) im = 0;
      }
      x[lane] = re;
      x[imaginary + lane] = im;
      y += c[2 * lane]! * re - c[2 * lane + 1]! * im;
    }
    output.data[output.at + h] = y;
  }
}

/** The kernel of each channel by its own recurrence, O(L N R), then a convolution by FFT. Declines a dt by frame. */
function long(call: SequenceCall<DplrScanAttributes, DplrPlan>): boolean {
  const { attributes, inputs, output, prepared, firings } = call;
  const { channels, states, rank } = attributes;
  const { coefficients, c } = prepared;
  if (!coefficients) return false;
  const convolve = causalConvolution(firings);
  const kernel = new Float64Array(firings);
  const channel = new Float64Array(firings);
  const x = new Float64Array(2 * states);
  const eta = new Float64Array(rank);
  const u = inputs[U]!;
  for (let h = 0; h < channels; h++) {
    const { a, F, G, b } = coefficients[h]!;
    x.set(b);
    const read = c.subarray(2 * h * states, 2 * (h + 1) * states);
    for (let k = 0; k < firings; k++) {
      kernel[k] = twiceReal(read, 0, x, 0, states) / 2;
      for (let r = 0; r < rank; r++) eta[r] = twiceReal(G, r * states, x, 0, states);
      for (let i = 0; i < 2 * states; i += 2) {
        let re = a[i]! * x[i]! - a[i + 1]! * x[i + 1]!;
        let im = a[i]! * x[i + 1]! + a[i + 1]! * x[i]!;
        for (let r = 0; r < rank; r++) {
          re -= F[2 * r * states + i]! * eta[r]!;
          im -= F[2 * r * states + i + 1]! * eta[r]!;
        }
        x[i] = re;
        x[i + 1] = im;
      }
      channel[k] = u.data[u.origin + k * channels + h]!;
    }
    convolve(kernel, channel, channel);
    for (let k = 0; k < firings; k++) output.data[output.origin + k * channels + h] = channel[k]!;
  }
  return true;
}

export const dplrScanOp = defineOp<DplrScanAttributes, DplrPlan>({
  name: 'dplr-scan',
  shape({ channels, states, rank }, types, reject) {
    const expected = [
      ['lambda', LAMBDA, [channels, states, 2]],
      ['p', P, [rank, channels, states, 2]],
      ['b', B, [channels, states, 2]],
      ['c', C, [channels, states, 2]],
    ] as const;
    if (sizeOf(types[U]!.shape) !== channels || isConstant(types[U]!))
      reject(`the input ${formatShape(types[U]!.shape)} must be a signal of ${channels} channels`);
    for (const [name, at, shape] of expected) {
      const type = types[at]!;
      if (formatShape(type.shape) !== formatShape(shape))
        reject(`${name} ${formatShape(type.shape)} must be ${formatShape(shape)}`);
      if (!isConstant(type)) reject(`${name} varies in time; only dt may`);
    }
    if (sizeOf(types[DT]!.shape) !== channels)
      reject(`dt ${formatShape(types[DT]!.shape)} must hold one step a channel: (${channels})`);
    return [channels];
  },
  state: ({ channels, states }) => ({ x: { shape: [2, channels, states], type: 'float64' } }),
  time: () => [DT],
  prepare: prepareDplr,
  step,
  adjoint: dplrScanAdjoint,
  long,
});

export interface DplrScanOperands {
  /** Λ (H × N × 2) */
  readonly lambda: Signal;
  /** P (R × H × N × 2) */
  readonly p: Signal;
  /** B (H × N × 2) */
  readonly b: Signal;
  /** (H × N × 2); a layer that keeps one of each conjugate pair doubles it. */
  readonly c: Signal;
  /** One step a channel (H), constant or by frame. */
  readonly dt: Signal;
}

/**
 * x′ = (Λ − P P*) x + B u, y = Re(c x), stepped by the bilinear rule in O(N R). See `DplrScanAttributes`.
 *
 * Source: S4 (arXiv 2111.00396), §3; the step of `models/s4/s4.py`.
 *
 * @throws GraphError where a shape does not fit.
 */
export function dplrScan(u: Signal, { lambda, p, b, c, dt }: DplrScanOperands): Signal {
  const [rank, channels, states] = p.shape as [number, number, number];
  return u.trace.apply(dplrScanOp, { channels, states, rank }, [u, lambda, p, b, c, dt], 'scan');
}
