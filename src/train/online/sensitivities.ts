import type { DiagonalScanAttributes } from '../../ops/diagonal-scan.ts';
import type { FloatArray } from '../../signal/index.ts';

/** [re, im] of one lane's derivative of the state by the parameter, for all lanes: (lanes × 2). */
export type Sensitivity = FloatArray;

/** One lane at one frame: what its state depends on. */
export interface LaneCall {
  readonly method: DiagonalScanAttributes['method'];
  readonly aRe: number;
  readonly aIm: number;
  readonly bRe: number;
  readonly bIm: number;
  readonly dt: number;
  /** State of the frame before. */
  readonly xRe: number;
  readonly xIm: number;
  readonly u: number;
  /** Input of the frame before, for methods that use it. */
  readonly uBefore: number;
}

const out = new Float64Array(12);

/**
 * Carries the sensitivities of one lane from frame k − 1 to frame k, before its state moves.
 *
 * x[k] = f(z) x[k−1] + dt g(z) b u[k] + dt g₋(z) b u[k−1], z = dt a, is analytic in a, b and ln dt, so that one complex
 * number a parameter is enough (R. J. Williams, D. Zipser, "A Learning Algorithm for Continually Running Fully Recurrent
 * Neural Networks", 1989, eq. 6, which for a diagonal costs as much as the state itself):
 *
 *     ∂x[k]/∂a    = f ∂x[k−1]/∂a    + dt f′ x[k−1] + dt² b (g′ u[k] + g₋′ u[k−1])
 *     ∂x[k]/∂b    = f ∂x[k−1]/∂b    + dt (g u[k] + g₋ u[k−1])
 *     ∂x[k]/∂ln dt = f ∂x[k−1]/∂ln dt + dt a f′ x[k−1] + dt b ((g + z g′) u[k] + (g₋ + z g₋′) u[k−1])
 */
export function advanceSensitivities(
  lane: number,
  { method, aRe, aIm, bRe, bIm, dt, xRe, xIm, u, uBefore }: LaneCall,
  byA: Sensitivity,
  byB: Sensitivity,
  byDt: Sensitivity,
): void {
  method.evaluate(dt * aRe, dt * aIm, out);
  const fRe = out[0]!;
  const fIm = out[1]!;
  const sRe = out[2]!;
  const sIm = out[3]!;
  // G = g u + g₋ u₋ and its derivative by z.
  let gRe = out[4]! * u;
  let gIm = out[5]! * u;
  let dRe = out[6]! * u;
  let dIm = out[7]! * u;
  if (method.usesPreviousInput === true) {
    gRe += out[8]! * uBefore;
    gIm += out[9]! * uBefore;
    dRe += out[10]! * uBefore;
    dIm += out[11]! * uBefore;
  }
  // H = f′ x + dt b G′: the derivative of x[k] by z.
  const hRe = sRe * xRe - sIm * xIm + dt * (bRe * dRe - bIm * dIm);
  const hIm = sRe * xIm + sIm * xRe + dt * (bRe * dIm + bIm * dRe);
  carry(byA, lane, fRe, fIm, dt * hRe, dt * hIm);
  carry(byB, lane, fRe, fIm, dt * gRe, dt * gIm);
  carry(
    byDt,
    lane,
    fRe,
    fIm,
    dt * (aRe * hRe - aIm * hIm + bRe * gRe - bIm * gIm),
    dt * (aRe * hIm + aIm * hRe + bRe * gIm + bIm * gRe),
  );
}

function carry(s: Sensitivity, lane: number, fRe: number, fIm: number, re: number, im: number): void {
  const sRe = s[2 * lane]!;
  const sIm = s[2 * lane + 1]!;
  s[2 * lane] = fRe * sRe - fIm * sIm + re;
  s[2 * lane + 1] = fRe * sIm + fIm * sRe + im;
}
