import { advance, add, framesToChannels, mul, stateSpace } from '../../src/ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../../src/signal/index.ts';

/** x[k] = a x[k−1] + u[k], y = x: remembers everything it has seen. One parameter `a`. */
const leak = (trace: Trace, u: Signal): Signal => {
  const one = trace.literal(1, [1, 1]);
  const a = trace.parameter('a', [1, 1]);
  // dlsim's convention: the state after frame k is a (state before) + a u[k], and the output adds u[k].
  return stateSpace(u, { A: a, B: a, C: one, D: one });
};

export const integrator = (sampleRate?: number): Layer =>
  defineLayer({ name: 'integrator', features: 1, sampleRate, apply: leak });

export const a = { a: [0.5] };

/** The integrator plus the input `frames` frames ahead. */
export const lookAhead = (frames: number): Layer =>
  defineLayer({
    name: 'look-ahead',
    features: 1,
    apply: (trace, u) => add(leak(trace, u), advance(u, frames)),
  });

/** Two channels, each scaled; no memory. */
export const stereoGain: Layer = defineLayer({
  name: 'stereo-gain',
  features: 2,
  apply: (trace, u) => mul(u, trace.literal([2, 3])),
});

/** One frame of two channels for every two frames of one. */
export const halfRate: Layer = defineLayer({
  name: 'half-rate',
  features: 1,
  apply: (_trace, u) => framesToChannels(u, 2),
});

/** Seeded noise in ±1. */
export function noise(length: number, seed = 1): Float32Array {
  let x = seed >>> 0 || 1;
  return Float32Array.from({ length }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x | 0) / 2 ** 31;
  });
}

/** Cuts values into pieces of seeded random lengths, some of them empty. */
export function ragged(values: Float32Array, width = 1, seed = 7): Float32Array[] {
  const pieces: Float32Array[] = [];
  const dice = noise(values.length + 2, seed);
  for (let at = 0, i = 0; at < values.length; i++) {
    const frames = Math.floor((dice[i % dice.length]! + 1) * 20);
    pieces.push(values.slice(at, at + frames * width));
    at += frames * width;
  }
  return pieces;
}

export function concatenated(blocks: readonly ArrayLike<number>[]): number[] {
  return blocks.flatMap((block) => Array.from(block));
}
