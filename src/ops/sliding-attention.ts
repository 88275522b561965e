import { GraphError } from '../errors.ts';
import type { AdjointCall, PrepareCall, Signal, SignalType, StepCall } from '../signal/index.ts';
import { defineOp, formatShape, isConstant } from '../signal/index.ts';

/**
 * Causal softmax attention over the last W frames, the current one included:
 *
 *     s[j] = scale · q[t][h] · k[j][g],   y[t][h] = Σⱼ softmax(s)[j] · v[j][g],   j = t − min(t + 1, W) + 1 … t
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | q | query | (H × D) a frame |
 * | k | key | (G × D) a frame; G divides H |
 * | v | value | (G × E) a frame |
 * | g | group of head h | ⌊h · G / H⌋ |
 * | W | window | frames |
 *
 * The past is not state of its own: keys and values stay visible in the edges that lead here, W frames of each. The
 * state is how many of them there are, min(t + 1, W): it begins anew where a stream forgets after a NaN, as the firing
 * number does not.
 */
interface AttentionAttributes {
  readonly window: number;
  readonly scale: number;
}

/** H, G, D, E of the glossary. */
interface Sizes {
  readonly heads: number;
  readonly groups: number;
  readonly keys: number;
  readonly values: number;
}

/** With room for one head's weights (W) and output (E) in float64: a step leaves nothing behind in it. */
interface Prepared extends Sizes {
  readonly weights: Float64Array;
  readonly sums: Float64Array;
}

const attentionOp = defineOp<AttentionAttributes, Prepared>({
  name: 'sliding-attention',
  shape({ window, scale }, [q, k, v], reject) {
    if (!(Number.isSafeInteger(window) && window >= 1)) {
      reject(
        `window is ${window}; give a whole number of frames of at least 1. Attention to the whole past needs memory ` +
          'that grows for ever; over a sequence of known length, a window of that length is the same',
      );
    }
    if (!(scale > 0 && scale < Infinity)) reject(`scale is ${scale}; give a number above 0, such as 1/√dim`);
    for (const [name, type] of [
      ['query', q!],
      ['key', k!],
      ['value', v!],
    ] as const) {
      if (isConstant(type)) reject(`the ${name} is a constant; give a signal`);
      if (type.shape.length !== 2)
        reject(`the ${name} has shape ${formatShape(type.shape)}; reshape it to (heads × dim)`);
    }
    const { heads, groups, keys, values } = sizesOf([q!, k!, v!]);
    if (k!.shape[1] !== keys)
      reject(`queries of ${keys} numbers and keys of ${k!.shape[1]} have no product; make them equal`);
    if (v!.shape[0] !== groups)
      reject(`there are ${groups} heads of keys, but ${v!.shape[0]} of values; make them equal`);
    if (heads % groups !== 0)
      reject(`${heads} heads of queries do not divide among ${groups} of keys; give a divisor of ${heads}`);
    return [heads, values];
  },
  timing({ window }) {
    const past = { size: window, left: window - 1, right: 0 };
    return { windows: [{ size: 1, left: 0, right: 0 }, past, past], stride: 1, emit: 1 };
  },
  state: () => ({ seen: { shape: [1], type: 'float64' } }),
  prepare({ attributes: { window }, types }: PrepareCall<AttentionAttributes>) {
    const sizes = sizesOf(types);
    return { ...sizes, weights: new Float64Array(window), sums: new Float64Array(sizes.values) };
  },
  step({ attributes, inputs, output, state, prepared }: StepCall<AttentionAttributes, Prepared>) {
    const [q, k, v] = inputs;
    const { window } = attributes;
    const { heads, groups, keys, values, weights, sums } = prepared;
    const seen = Math.min(state['seen']![0]! + 1, window);
    state['seen']![0] = seen;
    // What stands before the stream's first frame is zeros, and no frames: they get no weight.
    const absent = window - seen;
    for (let h = 0; h < heads; h++) {
      const group = Math.floor((h * groups) / heads);
      const keyAt = k!.at + (absent * groups + group) * keys;
      softmax(attributes.scale, q!.data, q!.at + h * keys, k!.data, keyAt, groups * keys, seen, prepared);
      sums.fill(0);
      for (let j = 0; j < seen; j++) {
        const from = v!.at + ((absent + j) * groups + group) * values;
        for (let i = 0; i < values; i++) sums[i]! += weights[j]! * v!.data[from + i]!;
      }
      output.data.set(sums, output.at + h * values);
    }
  },
  adjoint(call: AdjointCall<AttentionAttributes, Prepared>) {
    const { attributes, inputs, dOutput, dInputs, firings, prepared } = call;
    const [q, k, v] = inputs;
    const [dq, dk, dv] = dInputs;
    const { window, scale } = attributes;
    const { heads, groups, keys, values, weights } = prepared;
    const slopes = new Float64Array(window);
    for (let t = 0; t < firings; t++) {
      const seen = Math.min(t + 1, window);
      const first = t + 1 - seen;
      for (let h = 0; h < heads; h++) {
        const group = Math.floor((h * groups) / heads);
        const query = (t * heads + h) * keys;
        const key = (first * groups + group) * keys;
        const value = (first * groups + group) * values;
        softmax(scale, q!.data, q!.origin + query, k!.data, k!.origin + key, groups * keys, seen, prepared);
        // ∂L/∂weight, and its mean under the weights, which the softmax takes off.
        const dy = dOutput.origin + (t * heads + h) * values;
        let mean = 0;
        for (let j = 0; j < seen; j++) {
          const at = value + j * groups * values;
          let slope = 0;
          for (let i = 0; i < values; i++) {
            const d = dOutput.data[dy + i]!;
            slope += d * v!.data[v!.origin + at + i]!;
            if (dv) dv.data[dv.origin + at + i]! += weights[j]! * d;
          }
          slopes[j] = slope;
          mean += weights[j]! * slope;
        }
        for (let j = 0; j < seen; j++) {
          const ds = scale * weights[j]! * (slopes[j]! - mean);
          const at = key + j * groups * keys;
          for (let i = 0; i < keys; i++) {
            if (dq) dq.data[dq.origin + query + i]! += ds * k!.data[k!.origin + at + i]!;
            if (dk) dk.data[dk.origin + at + i]! += ds * q!.data[q!.origin + query + i]!;
          }
        }
      }
    }
  },
});

const sizesOf = ([q, k, v]: readonly SignalType[]): Sizes => ({
  heads: q!.shape[0]!,
  groups: k!.shape[0]!,
  keys: q!.shape[1]!,
  values: v!.shape[1]!,
});

/** weights[j] = softmax over j of scale · query · key[j], the largest score taken off so that nothing overflows. */
function softmax(
  scale: number,
  query: ArrayLike<number>,
  queryAt: number,
  key: ArrayLike<number>,
  keyAt: number,
  stride: number,
  seen: number,
  { keys, weights }: Prepared,
): void {
  let largest = -Infinity;
  for (let j = 0; j < seen; j++) {
    const at = keyAt + j * stride;
    let score = 0;
    for (let i = 0; i < keys; i++) score += query[queryAt + i]! * key[at + i]!;
    weights[j] = scale * score;
    largest = Math.max(largest, weights[j]!);
  }
  let total = 0;
  for (let j = 0; j < seen; j++) {
    weights[j] = Math.exp(weights[j]! - largest);
    total += weights[j]!;
  }
  for (let j = 0; j < seen; j++) weights[j]! /= total;
}

export interface SlidingAttentionOptions {
  /** W: frames that are attended to, the current one included. */
  readonly window: number;
  /** Of the scores; 1/√D by default. */
  readonly scale?: number;
}

/**
 * Causal softmax attention over the last `window` frames: query (heads × dim), key and value (groups × dim), a group
 * of keys being shared by heads/groups neighbouring heads (grouped-query attention). Frames before the stream's
 * start are not attended to. Gives (heads × value dim).
 *
 * @throws GraphError where a shape does not fit, or without a window: attention to the whole past does not stream in
 *   constant memory.
 * @example
 * const y = slidingAttention(q, k, v, { window: 512 });
 */
export function slidingAttention(q: Signal, k: Signal, v: Signal, options: SlidingAttentionOptions): Signal {
  const dim = q.shape[1];
  if (dim === undefined)
    throw new GraphError(
      `sliding-attention of ${q.node.path} ${formatShape(q.shape)}: reshape it to (heads × dim)`,
    );
  const { window, scale = 1 / Math.sqrt(dim) } = options;
  return q.trace.apply(attentionOp, { window, scale }, [q, k, v]);
}
