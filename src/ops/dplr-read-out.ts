import { GraphError, ParameterError } from '../errors.ts';
import { complexPower, complexSolve, complexZeros, type Complex } from '../linalg/index.ts';
import type { PrepareCall, Signal } from '../signal/index.ts';
import { defineOp, formatShape, sizeOf } from '../signal/index.ts';
import { DplrStep, dplrCoefficients, type DplrCoefficients } from './dplr-discretise.ts';
import { channelSystems } from './dplr-scan-plan.ts';
import type { DplrScanAttributes } from './dplr-scan-plan.ts';

/** Read-outs of one set of states, beside the sizes of the scan. */
interface Attributes extends DplrScanAttributes {
  readonly readOuts: number;
}

/** C of C̃ (read-outs × H × N × 2); the stored values themselves where the length is 0. */
function undo({ attributes, constants }: PrepareCall<Attributes>): Float64Array {
  const { readOuts, channels, states, rank } = attributes;
  const [stored, length, lambda, p, dt] = constants as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const frames = length[0]!;
  if (frames === 0) return stored;
  if (!(Number.isSafeInteger(frames) && frames > 0)) {
    throw new ParameterError(
      `the S4 kernel's C is stored for a length of ${frames} frames (l_kernel); it is a whole number, 0 where C is stored as it is`,
    );
  }
  const plain = new Float64Array(stored.length);
  const discretiser = new DplrStep(states, rank);
  const at = dplrCoefficients(states, rank);
  const n = 2 * states;
  const nothing = new Float64Array(2 * channels * states);
  channelSystems(attributes, lambda, p, nothing).forEach((system, h) => {
    discretiser.forward(system, dt[h]!, at);
    const power = dplrTransition(at, states, rank, frames);
    // (I − Āᴸ)ᵀ C = C̃, both with the conjugates behind them.
    const matrix = complexZeros(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        matrix.re[i * n + j] = (i === j ? 1 : 0) - power.re[j * n + i]!;
        matrix.im[i * n + j] = -power.im[j * n + i]!;
      }
    }
    const right = complexZeros(n * readOuts);
    const place = (readOut: number, i: number): number => 2 * ((readOut * channels + h) * states + i);
    for (let readOut = 0; readOut < readOuts; readOut++) {
      for (let i = 0; i < n; i++) {
        const from = place(readOut, i % states);
        right.re[i * readOuts + readOut] = stored[from]!;
        right.im[i * readOuts + readOut] = i < states ? stored[from + 1]! : -stored[from + 1]!;
      }
    }
    const solved = complexSolve(matrix, right, n, readOuts);
    for (let readOut = 0; readOut < readOuts; readOut++) {
      for (let i = 0; i < states; i++) {
        plain[place(readOut, i)] = solved.re[i * readOuts + readOut]!;
        plain[place(readOut, i) + 1] = solved.im[i * readOuts + readOut]!;
      }
    }
  });
  return plain;
}

/** Āᴸ of both of each pair (2N × 2N), L = `frames`: Ā = diag(a, ā) − Σᵣ Fᵣ Gᵣᵀ. */
export function dplrTransition(
  { a, F, G }: DplrCoefficients,
  states: number,
  rank: number,
  frames = 1,
): Complex {
  const n = 2 * states;
  const A = complexZeros(n * n);
  const pair = (values: Float64Array, row: number, i: number): readonly [number, number] => {
    const at = 2 * (row * states + (i % states));
    return [values[at]!, i < states ? values[at + 1]! : -values[at + 1]!];
  };
  for (let i = 0; i < n; i++) {
    [A.re[i * n + i], A.im[i * n + i]] = pair(a, 0, i) as [number, number];
    for (let r = 0; r < rank; r++) {
      const [fRe, fIm] = pair(F, r, i);
      for (let j = 0; j < n; j++) {
        const [gRe, gIm] = pair(G, r, j);
        A.re[i * n + j]! -= fRe * gRe - fIm * gIm;
        A.im[i * n + j]! -= fRe * gIm + fIm * gRe;
      }
    }
  }
  return frames === 1 ? A : complexPower(A, n, frames);
}

/** An op on constants alone: it runs once, when the model is compiled. */
export const plainReadOutOp = defineOp<Attributes, Float64Array>({
  name: 'plain-read-out',
  shape({ readOuts, channels, states }, types, reject) {
    const expected = [readOuts, channels, states, 2];
    if (formatShape(types[0]!.shape) !== formatShape(expected))
      reject(`C ${formatShape(types[0]!.shape)} must be ${formatShape(expected)}`);
    if (types.some(({ rate }) => rate !== 'constant'))
      reject('an input varies in time; all must be constants');
    return expected;
  },
  prepare: undo,
  step({ output, prepared }) {
    for (let i = 0; i < prepared.length; i++) output.data[output.at + i] = prepared[i]!;
  },
  adjoint({ types, inputs, dOutput, dInputs }) {
    const { data, origin } = inputs[1]!;
    if (data[origin] !== 0) {
      throw new GraphError(
        `the S4 kernel's C is stored as C̃ for a length of ${data[origin]} frames (l_kernel), which has no gradient here; ` +
          'turn it into C once with plainReadOuts(model, parameters) and train that',
      );
    }
    const dC = dInputs[0];
    if (!dC) return;
    for (let i = 0; i < sizeOf(types[0]!.shape); i++)
      dC.data[dC.origin + i]! += dOutput.data[dOutput.origin + i]!;
  },
});

export interface PlainReadOutOperands {
  /** The length L that C̃ was made for, (1); 0 where C is stored as it is. */
  readonly length: Signal;
  /** Λ (H × N × 2), P (R × H × N × 2), dt (H) at the rate that C̃ was made at. */
  readonly lambda: Signal;
  readonly p: Signal;
  readonly dt: Signal;
}

/**
 * C of the stored C̃ (read-outs × H × N × 2): (I − Āᴸ)ᵀ C = C̃ in float64. S4 trains with C̃, of which the kernel's
 * generating function over L frames is made; a recurrence needs C itself.
 *
 * Differentiable where the length is 0. Else the gradient throws a GraphError that names the cure.
 *
 * Source: S4 (arXiv 2111.00396), appendix C.3; `_setup_step` of `models/s4/s4.py`.
 */
export function plainReadOut(stored: Signal, { length, lambda, p, dt }: PlainReadOutOperands): Signal {
  const [readOuts, channels, states] = stored.shape as [number, number, number];
  const attributes: Attributes = { readOuts, channels, states, rank: p.shape[0]! };
  return stored.trace.apply(plainReadOutOp, attributes, [stored, length, lambda, p, dt]);
}
