import type { DplrPlan, DplrScanAttributes } from '../../ops/dplr-scan-plan.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** Channels in a vector of float64. */
const PAIR = 2;

/**
 * The diagonal plus low rank scan in float64, its state rounded where `float32` was asked for by name, two channels in
 * each vector. Undefined for a dt by frame, whose coefficients only the reference makes.
 */
export function planDplr(request: KernelRequest): KernelPlan | undefined {
  const { channels, states, rank } = request.attributes as DplrScanAttributes;
  const { coefficients, c, rounded } = request.prepared as DplrPlan;
  if (coefficients === undefined || rank === 0) return undefined;
  const pairs = Math.ceil(channels / PAIR);
  const record = 6 + 4 * rank;
  const bytes = new Bytes();
  bytes.take(at.DPLR_BYTES);
  const feedbackAt = bytes.take(at.VECTOR * rank);
  const coefficientsAt = bytes.take(at.VECTOR * pairs * states * record);

  /** Element of a state's re in the kernel's layout; its im stands `PAIR` further on. */
  const place = (h: number, n: number): number => (Math.floor(h / PAIR) * states + n) * 2 * PAIR + (h % PAIR);
  const lanes = channels * states;

  return {
    bytes: bytes.size,
    stateBytes: 2 * at.VECTOR * pairs * states,
    pack(arena, base, { stateAt }) {
      const put = writerAt(arena, base);
      const doubles = new Float64Array(arena.buffer);
      put(at.DPLR_CHANNELS, channels);
      put(at.DPLR_STATES, states);
      put(at.DPLR_RANK, rank);
      put(at.DPLR_COEFFICIENTS, base + coefficientsAt);
      put(at.DPLR_STATE, stateAt);
      put(at.DPLR_ROUNDED, rounded ? 1 : 0);
      put(at.DPLR_FEEDBACK, base + feedbackAt);
      for (let h = 0; h < channels; h++) {
        const { a, b, F, G } = coefficients[h]!;
        for (let n = 0; n < states; n++) {
          const slot = Math.floor(h / PAIR) * states + n;
          let to = (base + coefficientsAt) / 8 + slot * record * PAIR + (h % PAIR);
          const two = (values: Float64Array, i: number, factor = 1): void => {
            doubles[to] = factor * values[2 * i]!;
            doubles[to + PAIR] = factor * values[2 * i + 1]!;
            to += 2 * PAIR;
          };
          two(a, n);
          two(b, n);
          two(c, h * states + n);
          for (let r = 0; r < rank; r++) {
            two(F, r * states + n);
            two(G, r * states + n, 2);
          }
        }
      }
    },
    bind(arena, base, node) {
      const x = node.state['x']!;
      const own = new Float64Array(arena.buffer, node.stateAt);
      return kernelOf(
        arena,
        {
          kernel: at.KERNEL_DPLR,
          descriptor: base,
          inputs: [{ input: 0, field: base + at.DPLR_INPUT }],
          output: base + at.DPLR_OUTPUT,
          period: at.WIDE_FLUSH,
        },
        node,
        {
          save() {
            for (let lane = 0; lane < lanes; lane++) {
              const from = place(Math.floor(lane / states), lane % states);
              x[lane] = own[from]!;
              x[lanes + lane] = own[from + PAIR]!;
            }
          },
          load() {
            for (let lane = 0; lane < lanes; lane++) {
              const to = place(Math.floor(lane / states), lane % states);
              own[to] = x[lane]!;
              own[to + PAIR] = x[lanes + lane]!;
            }
          },
        },
      );
    },
  };
}
