import type { PrepareCall, Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant } from '../signal/index.ts';

/**
 * What the chunkwise form of torchscale's retention divides by. Chunks of C frames stand at multiples of C; at place i
 * of its chunk a frame of head h gets
 *
 *     √sᵢ · max(1, Σⱼ |q·kⱼ| γ^(i−j) / √sᵢ,  maxᵥ Σₖ |S| / s_(C−1)),   sᵢ = 1 + γ + … + γⁱ
 *
 * j running over the chunk up to i, S the state that the chunk began with. It scales a head's output as a whole, which
 * the norm behind it undoes up to its epsilon: official code detaches it, and so it has no gradient here.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | q, k | query, key with position | (H × K) |
 * | v | value | (H × V) |
 * | γ | decay | (H) |
 * | S | state, `S[t] = γ S[t−1] + k vᵀ` | (H × K × V) |
 * | keys | of the chunk so far | (C × H × K) |
 * | cross | the last term | (H) |
 *
 * Source: microsoft/torchscale `multiscale_retention.py` `chunk_recurrent_forward`, `retnet.py` `RetNetRelPos`.
 */
interface ChunkScaleAttributes {
  readonly gamma: Float64Array;
  readonly chunk: number;
}

/** √sᵢ for each head and place of the chunk. */
interface Prepared {
  readonly roots: Float64Array;
}

const chunkScaleOp = defineOp<ChunkScaleAttributes, Prepared>({
  name: 'retention-chunk-scale',
  shape({ gamma, chunk }, [q, k, v], reject) {
    const heads = gamma.length;
    if (!(Number.isSafeInteger(chunk) && chunk >= 1)) {
      reject(`chunk is ${chunk}; give a whole number of frames of at least 1`);
    }
    if (q!.shape[0] !== heads || formatShape(q!.shape) !== formatShape(k!.shape) || v!.shape[0] !== heads) {
      reject(
        `q ${formatShape(q!.shape)}, k ${formatShape(k!.shape)} and v ${formatShape(v!.shape)} must have ${heads} heads, q and k the same keys`,
      );
    }
    if ([q!, k!, v!].some(isConstant)) reject('q, k and v must be signals');
    return [heads, 1];
  },
  state: ({ gamma: { length: heads }, chunk }, [q, , v]) => ({
    S: { shape: [heads, q!.shape[1]!, v!.shape[1]!], type: 'signal' },
    keys: { shape: [chunk, heads, q!.shape[1]!], type: 'signal' },
    cross: { shape: [heads], type: 'signal', initial: 1 },
  }),
  prepare({ attributes: { gamma, chunk } }: PrepareCall<ChunkScaleAttributes>) {
    const roots = new Float64Array(gamma.length * chunk);
    gamma.forEach((decay, h) => {
      for (let i = 0, sum = 0; i < chunk; i++) {
        sum = sum * decay + 1;
        roots[h * chunk + i] = Math.sqrt(sum);
      }
    });
    return { roots };
  },
  step({ attributes: { gamma, chunk }, types, inputs, output, state, prepared: { roots }, firing }) {
    const [q, k, v] = inputs;
    const { S, keys: past, cross } = state;
    const heads = gamma.length;
    const keys = types[0]!.shape[1]!;
    const values = types[2]!.shape[1]!;
    const place = firing % chunk;
    for (let h = 0; h < heads; h++) {
      const decay = gamma[h]!;
      const at = h * keys * values;
      if (place === 0) {
        let most = 0;
        for (let j = 0; j < values; j++) {
          let sum = 0;
          for (let i = 0; i < keys; i++) sum += Math.abs(S![at + i * values + j]!);
          most = Math.max(most, sum);
        }
        cross![h] = Math.max(1, most / roots[(h + 1) * chunk - 1]! ** 2);
      }
      for (let i = 0; i < keys; i++) {
        const key = k!.data[k!.at + h * keys + i]!;
        past![(place * heads + h) * keys + i] = key;
        for (let j = 0; j < values; j++) {
          const element = at + i * values + j;
          S![element] = decay * S![element]! + key * v!.data[v!.at + h * values + j]!;
        }
      }
      let inner = 0;
      for (let j = 0; j <= place; j++) {
        let score = 0;
        for (let i = 0; i < keys; i++)
          score += q!.data[q!.at + h * keys + i]! * past![(j * heads + h) * keys + i]!;
        inner = inner * decay + Math.abs(score);
      }
      const root = roots[h * chunk + place]!;
      output.data[output.at + h] = root * Math.max(1, inner / root, cross![h]!);
    }
  },
  adjoint() {},
});

export interface RetentionChunkScaleOptions {
  /** γ of each head. */
  readonly gamma: Float64Array;
  /** C: `recurrent_chunk_size`. */
  readonly chunk: number;
}

/**
 * (H × 1): the divisor of torchscale's chunkwise retention, held constant by gradients.
 *
 * @throws GraphError where a shape does not fit.
 */
export const retentionChunkScale = (
  { q, k, v }: { readonly q: Signal; readonly k: Signal; readonly v: Signal },
  { gamma, chunk }: RetentionChunkScaleOptions,
): Signal => q.trace.apply(chunkScaleOp, { gamma, chunk }, [q, k, v]);
