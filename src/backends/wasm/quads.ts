// Which lane of a scan that stands still (`folded.ts`) stands where.

import type { DiagonalScanAttributes } from '../../ops/diagonal-scan.ts';
import * as at from './layout.ts';
import type { Scan } from './scan.ts';

/** The lanes (h, n) of a slot's four places; -1 where a place is unused. */
export type Slot = readonly number[];

export interface Group {
  /** A multiple of 4. */
  readonly narrow: readonly Slot[];
  readonly wide: readonly Slot[];
}

/** Lanes that share a channel's states among them, so that the channels fill whole vectors: 1, 2 or 4. */
export const copiesFor = (channels: number): number => (channels % 4 === 0 ? 1 : channels % 2 === 0 ? 2 : 4);

/** One state a channel fills a quad from four groups; their outputs stand side by side. */
export const isAcross = ({ channels, states }: DiagonalScanAttributes): boolean =>
  states === 1 && channels % (4 * at.LANES) === 0;

/** Which lane stands where: slow modes go to slots of their own, behind the others of their group. */
export function arrange({ attributes, wide }: Scan): Group[] {
  const { channels, states } = attributes;
  const copies = copiesFor(channels);
  const unused: Slot = [-1, -1, -1, -1];
  const groups = Array.from({ length: (channels * copies) / at.LANES }, (_, g) => {
    const group: { narrow: Slot[]; wide: Slot[] } = { narrow: [], wide: [] };
    for (let first = 0; first < states; first += copies) {
      const slot = Array.from({ length: at.LANES }, (_unused, position) => {
        const shared = g * at.LANES + position;
        const n = first + (shared % copies);
        return n < states ? Math.floor(shared / copies) * states + n : -1;
      });
      (slot.some((lane) => wide[lane] === 1) ? group.wide : group.narrow).push(slot);
    }
    while (!isAcross(attributes) && group.narrow.length % 4 !== 0) group.narrow.push(unused);
    return group;
  });
  if (!isAcross(attributes)) return groups;
  // A slot without a narrow mode stays in its place in the quad, so that the quad writes all four outputs.
  return groups.map(({ wide: slow }, g) => ({
    wide: slow,
    narrow: g % 4 === 0 ? groups.slice(g, g + 4).map(({ narrow }) => narrow[0] ?? unused) : [],
  }));
}

/** Im Ā from which on a quad is scaled: its square times a state of 2⁻¹⁰⁰ is no subnormal number yet. */
const LEAST_SCALE = 2 ** -10;

/**
 * Frames that the fastest of these modes takes at least from 2⁻¹⁰⁰ to the subnormal numbers below 2⁻¹²⁶, as a power
 * of two: state is flushed that often. Faster modes yet pass through them in a frame or two.
 */
function flushPeriod(lanes: readonly number[], scaled: boolean, aBar: Float64Array): number {
  let frames = Infinity;
  for (const lane of lanes) {
    const [re, im] = [aBar[2 * lane]!, aBar[2 * lane + 1]!];
    const size = Math.hypot(re, im);
    // What is met first is the imaginary part times (Im Ā)².
    const bits = scaled ? 26 + 2 * Math.log2(Math.abs(im)) : 26;
    if (size > 0) frames = Math.min(frames, bits / -Math.log2(Math.min(0.99, size)));
  }
  return frames >= at.TILE ? at.TILE : frames >= 16 ? 16 : 4;
}

/** Four narrow slots of a group. */
export interface Quad {
  readonly slots: readonly Slot[];
  /** Where it stands among all quads. */
  readonly place: number;
  /** Imaginary parts stand over Im Ā, which makes a frame of it cheaper. */
  readonly isScaled: boolean;
  /** Frames after which its state is flushed. */
  readonly period: number;
}

/** The quads in their places: the first of all groups, then the second of all, so that a frame passes by them in order. */
export interface Quads {
  /** Groups that have any. */
  readonly stride: number;
  readonly count: number;
  /** Place of a group's first quad. */
  readonly first: readonly number[];
  readonly of: readonly (readonly Quad[])[];
}

export function quadsOf({ plan }: Scan, groups: readonly Group[]): Quads {
  const { aBar } = plan.coefficients!;
  const lanesOf = ({ narrow }: Group, q: number): number[] =>
    narrow
      .slice(4 * q, 4 * q + 4)
      .flat()
      .filter((lane) => lane >= 0);
  const canScale = (lane: number): boolean => Math.abs(aBar[2 * lane + 1]!) >= LEAST_SCALE;
  const first: number[] = [];
  let stride = 0;
  for (const { narrow } of groups) first.push(narrow.length > 0 ? stride++ : 0);
  const of = groups.map((group, g) =>
    Array.from({ length: group.narrow.length / 4 }, (_, q): Quad => {
      // Groups that take a frame together are scaled alike: kernels ask once for four of them.
      const together = groups.slice(g & ~3, (g & ~3) + 4).flatMap((neighbour) => lanesOf(neighbour, q));
      const isScaled = together.every(canScale);
      return {
        slots: group.narrow.slice(4 * q, 4 * q + 4),
        place: first[g]! + q * stride,
        isScaled,
        period: flushPeriod(lanesOf(group, q), isScaled, aBar),
      };
    }),
  );
  return { stride, first, of, count: stride * Math.max(...of.map(({ length }) => length)) };
}

/** Where state stands: that of the quads, re and im a slot in float32, then that of the wide slots. */
export interface StateAt {
  readonly bytes: number;
  readonly wideAt: number;
  /** By lane: the element of its re, with im 4 further on, in float32 or in float64. */
  readonly element: Int32Array;
  readonly isWide: Uint8Array;
  /** By lane: what its im stands over. */
  readonly scale: Float64Array;
}

export function arrangeState(
  { attributes: { channels, states }, plan }: Scan,
  groups: readonly Group[],
  quads: Quads,
): StateAt {
  const { aBar } = plan.coefficients!;
  const element = new Int32Array(channels * states);
  const isWide = new Uint8Array(channels * states);
  const scale = new Float64Array(channels * states).fill(1);
  const wide = groups.flatMap((group) => group.wide);
  const wideAt = quads.count * at.QUAD_STATE_BYTES;
  const place = (slot: Slot, first: number, slow: 0 | 1): void =>
    slot.forEach((lane, position) => {
      if (lane < 0) return;
      element[lane] = first + position;
      isWide[lane] = slow;
    });
  for (const quad of quads.of.flat()) {
    quad.slots.forEach((slot, i) => place(slot, ((4 * quad.place + i) * at.QUAD_STATE_BYTES) / 16, 0));
    if (quad.isScaled) {
      for (const lane of quad.slots.flat()) if (lane >= 0) scale[lane] = aBar[2 * lane + 1]!;
    }
  }
  wide.forEach((slot, i) => place(slot, (wideAt + i * at.STATE_BYTES) / 8, 1));
  return { bytes: wideAt + wide.length * at.STATE_BYTES, wideAt, element, isWide, scale };
}
