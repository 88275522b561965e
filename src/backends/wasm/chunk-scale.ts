import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** The divisor of torchscale's chunkwise retention; its state is the op's own sections. */
export function planChunkScale({ attributes, types, prepared }: KernelRequest): KernelPlan {
  const { gamma, chunk } = attributes as { readonly gamma: Float64Array; readonly chunk: number };
  const { roots } = prepared as { readonly roots: Float64Array };
  const bytes = new Bytes();
  bytes.take(at.CHUNK_BYTES);
  const gammaAt = bytes.take(4 * gamma.length);
  const rootsAt = bytes.take(4 * roots.length);
  return {
    bytes: bytes.size,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      const floats = new Float32Array(arena.buffer);
      put(at.CHUNK_HEADS, gamma.length);
      put(at.CHUNK_KEYS, types[0]!.shape[1]!);
      put(at.CHUNK_VALUES, types[2]!.shape[1]!);
      put(at.CHUNK_FRAMES, chunk);
      put(at.CHUNK_GAMMA, base + gammaAt);
      put(at.CHUNK_ROOTS, base + rootsAt);
      put(at.CHUNK_STATE, state['S']!.byteOffset);
      put(at.CHUNK_PAST, state['keys']!.byteOffset);
      put(at.CHUNK_CROSS, state['cross']!.byteOffset);
      floats.set(gamma, (base + gammaAt) / 4);
      floats.set(roots, (base + rootsAt) / 4);
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_CHUNK_SCALE,
          descriptor: base,
          inputs: [at.CHUNK_Q, at.CHUNK_K, at.CHUNK_V].map((field, input) => ({
            input,
            field: base + field,
          })),
          output: base + at.CHUNK_OUTPUT,
          first: base + at.CHUNK_FIRST,
        },
        node,
      ),
  };
}
