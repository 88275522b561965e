import { Bytes } from '../../scan.ts';
import type { TrainPlan, TrainRequest } from '../kernel.ts';

/** One product of a convolution: some neighbours of a firing's window to some neighbours of its output. */
export interface Term {
  /** Numbers from the window's start, and from the output's. */
  readonly from: number;
  readonly to: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Where in the weight the number from input i to output o stands; -1 for none. */
  readonly weight: (i: number, o: number) => number;
}

export interface TermsLayout {
  /** Numbers by which the window moves from firing to firing, and the output. */
  readonly inputStep: number;
  readonly outputStep: number;
  /** Numbers before frame 0 at which the first window begins. */
  readonly before: number;
  /** Outputs that a bias serves; they repeat within a firing. */
  readonly biasWidth: number;
}

/** Firings that pass by all terms together: their windows stay in the cache, and float32 sums over them are short. */
const BLOCK = 256;

/**
 * y[j] = b + Σ_terms x[j] B, as products of matrices whose rows overlap; the way back by their transposes.
 *
 *     Y += X B,   dX += dY Bᵀ,   dBᵀ += dYᵀ X
 */
export function planTerms({ types }: TrainRequest, terms: readonly Term[], layout: TermsLayout): TrainPlan {
  const { inputStep, outputStep, before, biasWidth } = layout;
  const weights = types[1]!.shape.reduce((a, b) => a * b, 1);
  const bytes = new Bytes();
  const placed = terms.map((term) => {
    const size = 4 * term.inputs * term.outputs;
    return {
      ...term,
      b: bytes.take(size),
      bT: bytes.take(size),
      sum: bytes.take(size),
      wide: bytes.take(2 * size),
    };
  });
  const biasAt = bytes.take(4 * outputStep);
  const biasSumAt = bytes.take(4 * biasWidth);
  return {
    local: false,
    native: true,
    carries: true,
    costly: true,
    reads: { inputs: [0], output: false },
    fixed: bytes.size,
    bind(memory, base) {
      const { kernels } = memory;
      const [inputRow, outputRow] = [4 * inputStep, 4 * outputStep];
      return {
        load([, weight, bias]) {
          const { f32, f64 } = memory;
          for (const { inputs, outputs, weight: place, b, bT, wide } of placed) {
            for (let i = 0; i < inputs; i++) {
              for (let o = 0; o < outputs; o++) {
                const at = place(i, o);
                const value = at < 0 ? 0 : weight![at]!;
                f32[(base + b) / 4 + i * outputs + o] = value;
                f32[(base + bT) / 4 + o * inputs + i] = value;
              }
            }
            f64.fill(0, (base + wide) / 8, (base + wide) / 8 + inputs * outputs);
          }
          for (let o = 0; o < outputStep; o++) f32[(base + biasAt) / 4 + o] = bias?.[o % biasWidth] ?? 0;
        },
        forward({ inputs: [x], output, firings }) {
          for (let first = 0; first < firings; first += BLOCK) {
            const count = Math.min(BLOCK, firings - first);
            const a = x! - 4 * before + first * inputRow;
            const c = output + first * outputRow;
            kernels.fillRows(base + biasAt, count, outputRow, c, outputRow);
            for (const { from, to, inputs, outputs, b } of placed) {
              kernels.product(
                count,
                outputs,
                inputs,
                a + 4 * from,
                inputRow,
                4,
                base + b,
                4 * outputs,
                c + 4 * to,
                outputRow,
              );
            }
          }
        },
        back({ inputs: [x], dInputs: [dx, dWeight, dBias], dOutput, firings }) {
          for (let first = 0; first < firings; first += BLOCK) {
            const count = Math.min(BLOCK, firings - first);
            const window = first * inputRow - 4 * before;
            const dy = dOutput + first * outputRow;
            for (const { from, to, inputs, outputs, bT, sum, wide } of placed) {
              const slope = dy + 4 * to;
              const at = window + 4 * from;
              if (dx !== 0) {
                kernels.product(
                  count,
                  inputs,
                  outputs,
                  slope,
                  outputRow,
                  4,
                  base + bT,
                  4 * inputs,
                  dx! + at,
                  inputRow,
                );
              }
              if (dWeight === 0) continue;
              kernels.product(
                outputs,
                inputs,
                count,
                slope,
                4,
                outputRow,
                x! + at,
                inputRow,
                base + sum,
                4 * inputs,
              );
              kernels.widen(base + sum, base + wide, inputs * outputs);
            }
            if (dBias !== undefined && dBias !== 0) {
              const rows = (count * outputStep) / biasWidth;
              kernels.columnSums(dy, rows, biasWidth, 4 * biasWidth, base + biasSumAt);
              kernels.widen(base + biasSumAt, dBias, biasWidth);
            }
          }
        },
        finish(give) {
          const gradient = give(1);
          if (gradient === undefined || gradient.length !== weights) return;
          for (const { inputs, outputs, weight: place, wide } of placed) {
            for (let o = 0; o < outputs; o++) {
              for (let i = 0; i < inputs; i++) {
                const at = place(i, o);
                if (at >= 0) gradient[at]! += memory.f64[(base + wide) / 8 + o * inputs + i]!;
              }
            }
          }
        },
      };
    },
  };
}
