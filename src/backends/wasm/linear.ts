import type { Arena, BoundNode, Kernel, KernelPlan } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/**
 * A product with a constant matrix at every firing, group by group of the channels:
 *
 *     y[g·rows + r] = bias[g·rows + r] + Σ over segments, Σ_c weight(g, r, column) · x[g·groupStep + offset + c]
 *
 * Offsets and steps count numbers; columns are those of the segments, one segment after the other.
 */
export interface Product {
  /** Vectors a frame, each as if it were a firing of its own; 1 by default. */
  readonly vectors?: number;
  readonly groups: number;
  /** Rows a group. */
  readonly rows: number;
  readonly segments: readonly { readonly offset: number; readonly columns: number }[];
  readonly groupStep: number;
  /** Numbers by which the window moves from firing to firing. */
  readonly inputStep: number;
  readonly weight: (group: number, row: number, column: number) => number;
  /** (groups · rows) */
  readonly bias: ((row: number) => number) | undefined;
}

const padded = (rows: number): number => Math.ceil(rows / at.LANES) * at.LANES;

/** Rows that are computed four at a time leave half of the lanes idle below this many: columns are the lanes then. */
const FEW_ROWS = 3;
const FEW_COLUMNS = 8;

/** The product in float32, its weight packed once. */
export function planProduct(product: Product): KernelPlan {
  const { vectors = 1, groups, rows, inputStep, groupStep, weight, bias } = product;
  const segments = product.segments.flatMap(({ offset, columns }) =>
    Array.from({ length: Math.ceil(columns / at.SEGMENT) }, (_, i) => ({
      offset: offset + i * at.SEGMENT,
      columns: Math.min(at.SEGMENT, columns - i * at.SEGMENT),
    })),
  );
  const columns = segments.reduce((sum, segment) => sum + segment.columns, 0);
  const byRows = rows <= FEW_ROWS && columns >= FEW_COLUMNS;
  const stored = byRows ? rows : padded(rows);
  const bytes = new Bytes();
  bytes.take(at.LINEAR_BYTES);
  const tableAt = bytes.take(8 * segments.length);
  const weightsAt = bytes.take(4 * groups * stored * columns);
  const biasAt = bytes.take(4 * groups * padded(rows));
  const scratchAt = bytes.take(4 * at.LANES * at.PANEL);

  return {
    bytes: bytes.size,
    pack(arena, base) {
      const floats = new Float32Array(arena.buffer);
      const put = writerAt(arena, base);
      put(at.LINEAR_GROUPS, groups);
      put(at.LINEAR_ROWS, rows);
      put(at.LINEAR_SEGMENTS, segments.length);
      put(at.LINEAR_TABLE, base + tableAt);
      put(at.LINEAR_WEIGHTS, base + weightsAt);
      put(at.LINEAR_BIAS, base + biasAt);
      put(at.LINEAR_INPUT_STEP, 4 * inputStep);
      put(at.LINEAR_OUTPUT_STEP, 4 * groups * rows);
      put(at.LINEAR_GROUP_STEP, 4 * groupStep);
      put(at.LINEAR_SCRATCH, base + scratchAt);
      segments.forEach(({ offset, columns: size }, i) => {
        put(tableAt + 8 * i, 4 * offset);
        put(tableAt + 8 * i + 4, size);
      });
      let to = (base + weightsAt) / 4;
      for (let g = 0; g < groups; g++) {
        for (let r = 0; r < rows; r++) {
          if (bias) floats[(base + biasAt) / 4 + g * padded(rows) + r] = bias(g * rows + r);
        }
        for (let first = 0; first < stored;) {
          const together = byRows ? 1 : panelRows(stored - first);
          for (let c = 0; c < columns; c++) {
            for (let r = first; r < first + together; r++) floats[to++] = r < rows ? weight(g, r, c) : 0;
          }
          first += together;
        }
      }
      dropDecayed(floats.subarray((base + weightsAt) / 4, to));
    },
    bind: (arena, base, node) =>
      bindProduct(arena, base, node, byRows ? at.KERNEL_LINEAR_BY_ROWS : at.KERNEL_LINEAR, vectors),
  };
}

/** Rows that the kernel takes next: a panel of 16 where 13 or more are left, else 4. */
const panelRows = (left: number): number => (left >= at.PANEL ? at.PANEL : at.LANES);

/** 2⁻⁸⁰ */
const DECAYED = 8.271806125530277e-25;

/**
 * Weight decay leaves weights of unused rows at 1e-40, where every product would run on subnormal numbers, a hundred
 * times slower. Weights below 2⁻⁸⁰ of the largest, 2⁵⁶ times less than float32 resolves in the sum, become 0.
 */
function dropDecayed(weights: Float32Array): void {
  let largest = 0;
  for (const weight of weights) largest = Math.max(largest, Math.abs(weight));
  const least = largest * DECAYED;
  for (let i = 0; i < weights.length; i++) if (Math.abs(weights[i]!) < least) weights[i] = 0;
}

/** What a depthwise convolution adds up: y[c] = bias[c] + Σₖ weight(c, k) · x[k·tapStep + c]. */
export interface DepthwiseProduct {
  readonly channels: number;
  readonly taps: number;
  readonly tapStep: number;
  readonly inputStep: number;
  readonly weight: (channel: number, tap: number) => number;
  readonly bias: ((channel: number) => number) | undefined;
}

/** Channels are the lanes; its sums of few taps run in one piece. */
export function planDepthwise(product: DepthwiseProduct): KernelPlan {
  const { channels, taps, tapStep, inputStep, weight, bias } = product;
  const bytes = new Bytes();
  bytes.take(at.LINEAR_BYTES);
  const weightsAt = bytes.take(4 * padded(channels) * taps);
  const biasAt = bytes.take(4 * padded(channels));
  return {
    bytes: bytes.size,
    pack(arena, base) {
      const floats = new Float32Array(arena.buffer);
      const put = writerAt(arena, base);
      put(at.LINEAR_TAPS, taps);
      put(at.LINEAR_CHANNELS, channels);
      put(at.LINEAR_WEIGHTS, base + weightsAt);
      put(at.LINEAR_BIAS, base + biasAt);
      put(at.LINEAR_INPUT_STEP, 4 * inputStep);
      put(at.LINEAR_OUTPUT_STEP, 4 * channels);
      put(at.LINEAR_GROUP_STEP, 4 * tapStep);
      for (let c = 0; c < channels; c++) {
        const lane = c % at.LANES;
        const vector = (base + weightsAt) / 4 + (c - lane) * taps + lane;
        for (let k = 0; k < taps; k++) floats[vector + k * at.LANES] = weight(c, k);
        if (bias) floats[(base + biasAt) / 4 + c] = bias(c);
      }
    },
    bind: (arena, base, node) => bindProduct(arena, base, node, at.KERNEL_DEPTHWISE, 1),
  };
}

const bindProduct = (arena: Arena, base: number, node: BoundNode, kernel: number, vectors: number): Kernel =>
  kernelOf(
    arena,
    {
      kernel,
      descriptor: base,
      inputs: [{ input: 0, field: base + at.LINEAR_INPUT }],
      output: base + at.LINEAR_OUTPUT,
      times: vectors,
    },
    node,
  );
