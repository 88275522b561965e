import type { KernelPlan } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes, type Scan } from './scan.ts';

/** States in a vector of float64. */
const PAIR = 2;

/**
 * A scan whose rule looks at both ends of a step (`foh`, `trapezoidal`), coefficients and read-out standing still: in
 * float64, on the op's own sections. Undefined where one of them comes by frame.
 *
 * @param rounded whether float32 was asked for by name.
 */
export function planHeld({ attributes, constants, plan }: Scan, rounded: boolean): KernelPlan | undefined {
  const { channels, states, complex } = attributes;
  const { coefficients } = plan;
  const isStill = (input: number): boolean => input < 0 || constants[input] !== undefined;
  if (!coefficients?.bPrevious || !isStill(plan.at.c) || !isStill(plan.at.cIm)) return undefined;
  const { aBar, bBar, bPrevious } = coefficients;
  const pairs = Math.ceil(states / PAIR);
  const bytes = new Bytes();
  bytes.take(at.HELD_BYTES);
  const coefficientsAt = bytes.take(channels * pairs * at.HELD_RECORD_BYTES);
  const isContracted = plan.at.c >= 0;
  const width = isContracted ? channels : channels * states * (complex ? 2 : 1);
  return {
    bytes: bytes.size,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      put(at.HELD_CHANNELS, channels);
      put(at.HELD_STATES, states);
      put(at.HELD_COMPLEX, complex ? 1 : 0);
      put(at.HELD_CONTRACTED, isContracted ? 1 : 0);
      put(at.HELD_ROUNDED, rounded ? 1 : 0);
      put(at.HELD_OUTPUT_STEP, 4 * width);
      put(at.HELD_COEFFICIENTS, base + coefficientsAt);
      put(at.HELD_STATE, state['x']!.byteOffset);
      put(at.HELD_PAST, state['u']!.byteOffset);
      const doubles = new Float64Array(arena.buffer, base + coefficientsAt);
      const readOut = (role: 'c' | 'cIm', lane: number): number =>
        plan.at[role] < 0 ? 0 : constants[plan.at[role]]![plan.lanes[role]![lane]!]!;
      for (let lane = 0; lane < channels * states; lane++) {
        const n = lane % states;
        const record = Math.floor(lane / states) * pairs + Math.floor(n / PAIR);
        const to = (record * at.HELD_RECORD_BYTES) / 8 + (n % PAIR);
        [aBar, bBar, bPrevious].forEach((values, i) => {
          doubles[to + 2 * PAIR * i] = values[2 * lane]!;
          doubles[to + 2 * PAIR * i + PAIR] = values[2 * lane + 1]!;
        });
        doubles[to + 6 * PAIR] = readOut('c', lane);
        doubles[to + 7 * PAIR] = readOut('cIm', lane);
      }
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_HELD,
          descriptor: base,
          inputs: [
            { input: plan.at.u, field: base + at.HELD_U },
            { input: plan.at.uIm, field: base + at.HELD_U_IM },
          ].filter(({ input }) => input >= 0),
          output: base + at.HELD_OUTPUT,
          period: at.WIDE_FLUSH,
        },
        node,
      ),
  };
}
