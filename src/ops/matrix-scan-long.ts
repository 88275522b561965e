import type { Sequence, SequenceCall } from '../signal/index.ts';
import { isConstant } from '../signal/index.ts';
import type { MatrixScanAttributes, MatrixScanPrepared, MatrixScanRole } from './matrix-scan-plan.ts';

/**
 * The matrix scan in chunks of L frames, as matrix products (state space duality): within a chunk attention under a
 * mask of decays, from chunk to chunk the matrix S.
 *
 *     y[t] = P(t, first−1) qᵀ S + Σ_{first ≤ s ≤ t} P(t, s) Σᵣ (q[t]·k[s,r]) v[s,r]
 *     S ← P(last, first−1) S + Σ_s P(last, s) Σᵣ k[s,r] v[s,r]ᵀ
 *     P(t, s) = w[s+1] ⋯ w[t]
 *
 * P comes by running products along each column of the mask: never as a difference of cumulative sums of logarithms
 * and never as e^{c[t]} e^{−c[s]}, so nothing overflows, a decay of 0 is no special case, and what underflows is 0.
 * Heads that share q and k share their scores. One number of decay a head, and no delta rule; false for the others.
 *
 * Source: Dao & Gu, "Transformers are SSMs" (arXiv 2405.21060), §6.
 */
export function longMatrixScan(call: SequenceCall<MatrixScanAttributes, MatrixScanPrepared>): boolean {
  const { attributes, types, inputs, output, prepared, firings } = call;
  const { heads, keys, values, rank, readOut, roles } = attributes;
  if (roles.includes('a') || (prepared.operand.decay?.step ?? 0) !== 0) return false;
  const place = (role: MatrixScanRole, h: number): Place | undefined => {
    const operand = prepared.operand[role];
    if (operand === undefined) return undefined;
    const { data, origin, width }: Sequence = inputs[operand.input]!;
    return {
      data,
      at: origin + operand.offset[h]!,
      step: isConstant(types[operand.input]!) ? 0 : width,
    };
  };
  const before = readOut === 'before' ? 1 : 0;
  const scores = new Float64Array(CHUNK * CHUNK * rank);
  const kept = new Float64Array(CHUNK * CHUNK);
  const entry = new Float64Array(CHUNK);
  const S = new Float64Array(heads * keys * values);

  for (let first = 0; first < firings; first += CHUNK) {
    const count = Math.min(CHUNK, firings - first);
    let [scoredQ, scoredK] = [-1, -1];
    for (let h = 0; h < heads; h++) {
      const [q, k, v, w] = [place('q', h)!, place('k', h)!, place('v', h)!, place('decay', h)];
      if (q.at !== scoredQ || k.at !== scoredK) score(scores, q, k, first, count, keys, rank, before);
      [scoredQ, scoredK] = [q.at, k.at];
      mask(kept, entry, w, first, count);

      const matrix = S.subarray(h * keys * values, (h + 1) * keys * values);
      for (let t = 0; t < count; t++) {
        const y = output.origin + (first + t) * output.width + h * values;
        output.data.fill(0, y, y + values);
        // A read-out before the update sees one frame less, and one decay less.
        const seen = t - before;
        const through = seen < 0 ? 1 : entry[seen]!;
        const from = q.at + (first + t) * q.step;
        for (let i = 0; i < keys; i++)
          axpy(output.data, y, q.data[from + i]! * through, matrix, i * values, values);
        for (let s = 0; s <= seen; s++) {
          const decay = kept[seen * CHUNK + s]!;
          for (let r = 0; r < rank; r++) {
            const weight = decay * scores[(t * CHUNK + s) * rank + r]!;
            axpy(output.data, y, weight, v.data, v.at + (first + s) * v.step + r * values, values);
          }
        }
      }

      const last = count - 1;
      for (let i = 0; i < matrix.length; i++) matrix[i]! *= entry[last]!;
      for (let s = 0; s < count; s++) {
        const decay = kept[last * CHUNK + s]!;
        for (let r = 0; r < rank; r++) {
          const key = k.at + (first + s) * k.step + r * keys;
          const value = v.at + (first + s) * v.step + r * values;
          for (let i = 0; i < keys; i++)
            axpy(matrix, i * values, decay * k.data[key + i]!, v.data, value, values);
        }
      }
    }
  }
  return true;
}

/** L: frames of a chunk. Work a frame is L (K + V) / 2 + 2 K V a head: short chunks suit the usual K and V. */
const CHUNK = 16;

/** A head's operand: frame t begins at `at + t·step`. */
interface Place {
  readonly data: Float64Array;
  readonly at: number;
  readonly step: number;
}

/** y += a x */
function axpy(y: Float64Array, yAt: number, a: number, x: Float64Array, xAt: number, size: number): void {
  for (let i = 0; i < size; i++) y[yAt + i]! += a * x[xAt + i]!;
}

/** scores[t, s, r] = q[t]·k[s, r] for s + before ≤ t. */
function score(
  scores: Float64Array,
  q: Place,
  k: Place,
  first: number,
  count: number,
  keys: number,
  rank: number,
  before: number,
): void {
  for (let t = 0; t < count; t++) {
    const from = q.at + (first + t) * q.step;
    for (let s = 0; s + before <= t; s++) {
      for (let r = 0; r < rank; r++) {
        const key = k.at + (first + s) * k.step + r * keys;
        let sum = 0;
        for (let i = 0; i < keys; i++) sum += q.data[from + i]! * k.data[key + i]!;
        scores[(t * CHUNK + s) * rank + r] = sum;
      }
    }
  }
}

/** kept[t, s] = P(first + t, first + s) for s ≤ t, and entry[t] = P(first + t, first − 1). */
function mask(
  kept: Float64Array,
  entry: Float64Array,
  w: Place | undefined,
  first: number,
  count: number,
): void {
  for (let t = 0, through = 1; t < count; t++) {
    const decay = w ? w.data[w.at + (first + t) * w.step]! : 1;
    through *= decay;
    entry[t] = through;
    for (let s = 0; s < t; s++) kept[t * CHUNK + s] = kept[(t - 1) * CHUNK + s]! * decay;
    kept[t * CHUNK + t] = 1;
  }
}
