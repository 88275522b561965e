import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** Sliding attention in float32. Keys and values are the windows of the edges that lead here. */
export function planAttention({ attributes, types }: KernelRequest): KernelPlan {
  const { window, scale } = attributes as { readonly window: number; readonly scale: number };
  const [heads, keys] = types[0]!.shape as [number, number];
  const [groups, values] = types[2]!.shape as [number, number];
  const bytes = new Bytes();
  bytes.take(at.ATTEND_BYTES);
  const weightsAt = bytes.take(4 * Math.ceil(window / at.LANES) * at.LANES);
  return {
    // The last vector of a value may reach beyond it.
    bytes: bytes.size + at.VECTOR,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      put(at.ATTEND_HEADS, heads);
      put(at.ATTEND_GROUPS, groups);
      put(at.ATTEND_KEYS, keys);
      put(at.ATTEND_VALUES, values);
      put(at.ATTEND_WINDOW, window);
      put(at.ATTEND_SEEN, state['seen']!.byteOffset);
      put(at.ATTEND_WEIGHTS, base + weightsAt);
      new Float32Array(arena.buffer, base + at.ATTEND_SCALE, 1)[0] = scale;
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_ATTEND,
          descriptor: base,
          inputs: [at.ATTEND_Q, at.ATTEND_K, at.ATTEND_V].map((field, input) => ({
            input,
            field: base + field,
          })),
          output: base + at.ATTEND_OUTPUT,
        },
        node,
      ),
  };
}
