import { turnDigits } from '../../ops/rotary.ts';
import { sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** Bits of a digit, and of a fraction of three. */
const DIGIT = 26n;
const FRACTION = 3n * DIGIT;
const WORD = 64n;

/** Rotary position in float32, phases as whole numbers. */
export function planRotary({ attributes, types }: KernelRequest): KernelPlan {
  const { angles, layout } = attributes as { readonly angles: readonly number[]; readonly layout: string };
  const pairs = angles.length;
  const rounded = Math.ceil(pairs / at.LANES) * at.LANES;
  const bytes = new Bytes();
  bytes.take(at.ROTARY_BYTES);
  const turnsAt = bytes.take(16 * rounded);
  const phasesAt = bytes.take(8 * rounded);
  return {
    bytes: bytes.size,
    inPlace: [0],
    pack(arena, base) {
      const put = writerAt(arena, base);
      put(at.ROTARY_ROWS, sizeOf(types[0]!.shape) / (2 * pairs));
      put(at.ROTARY_PAIRS, pairs);
      put(at.ROTARY_INTERLEAVED, layout === 'interleaved' ? 1 : 0);
      put(at.ROTARY_TURNS, base + turnsAt);
      put(at.ROTARY_PHASES, base + phasesAt);
      const turns = new BigUint64Array(arena.buffer, base + turnsAt, 2 * rounded);
      angles.forEach((angle, i) => {
        const fraction = turnDigits(angle).reduce((sum, digit) => (sum << DIGIT) | BigInt(digit), 0n);
        const scaled = fraction << (2n * WORD - FRACTION);
        turns[2 * i] = scaled >> WORD;
        turns[2 * i + 1] = BigInt.asUintN(64, scaled);
      });
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_ROTARY,
          descriptor: base,
          inputs: [{ input: 0, field: base + at.ROTARY_INPUT }],
          output: base + at.ROTARY_OUTPUT,
          first: base + at.ROTARY_FIRST,
        },
        node,
      ),
  };
}
