import { sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** RWKV-4's weighted mean in float64; its state is the op's own sections. */
export function planWkv({ types, constants }: KernelRequest): KernelPlan {
  const channels = sizeOf(types[0]!.shape);
  const bytes = new Bytes();
  bytes.take(at.WKV_BYTES);
  const decayAt = bytes.take(8 * channels);
  const bonusAt = bytes.take(8 * channels);
  return {
    bytes: bytes.size,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      put(at.WKV_CHANNELS, channels);
      put(at.WKV_DECAY, base + decayAt);
      put(at.WKV_BONUS, base + bonusAt);
      put(at.WKV_NUM, state['num']!.byteOffset);
      put(at.WKV_DEN, state['den']!.byteOffset);
      put(at.WKV_MAX, state['max']!.byteOffset);
      new Float64Array(arena.buffer, base + decayAt, channels).set(constants[2]!);
      new Float64Array(arena.buffer, base + bonusAt, channels).set(constants[3]!);
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_WKV,
          descriptor: base,
          inputs: [
            { input: 0, field: base + at.WKV_KEY },
            { input: 1, field: base + at.WKV_VALUE },
          ],
          output: base + at.WKV_OUTPUT,
        },
        node,
      ),
  };
}
