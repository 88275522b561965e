import { FLUSH_FRAMES, type DiagonalScanAttributes } from '../../ops/diagonal-scan.ts';
import type { Arena, BoundNode, Kernel, KernelCall, KernelPlan } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes, type Scan } from './scan.ts';

/**
 * The scan while its coefficients and its read-out stand still and the input is real (S4D): the input weight moves
 * from the recurrence to the read-out, which saves a quarter of the work.
 *
 *     x̃ = x / B̄:   x̃[k] = Ā x̃[k−1] + u[k],   y[k] = Re Σₙ c̃ x̃[k],   c̃ = c B̄
 *
 * Canonical state holds x itself. A lane with B̄ = 0 has c̃ = 0 and x = 0, whatever its x̃.
 */
export function planFolded(scan: Scan): KernelPlan {
  const groups = arrange(scan);
  const bytes = new Bytes();
  const quads = quadsOf(groups);
  const wide = groups.reduce((sum, group) => sum + group.wide.length, 0);
  bytes.take(at.CONTRACT_BYTES);
  const places: Places = {
    table: bytes.take(groups.length * at.TABLE_BYTES),
    narrow: bytes.take(quads.count * at.QUAD_BYTES),
    periods: bytes.take(4 * quads.count),
    wide: bytes.take(wide * at.WIDE_BYTES),
    staged: bytes.take(groups.length * 2 * at.TILE * at.VECTOR),
  };
  const state = arrangeState(scan, groups);
  return {
    bytes: bytes.size,
    stateBytes: state.bytes,
    pack: (arena, base, node) =>
      pack(scan, groups, places, arena, base, node.stateAt, node.stateAt + state.wideAt),
    bind: (arena, base, node) => bindFolded(scan, state, arena, base, node),
  };
}

export function isFoldable({ attributes, constants, plan }: Scan): boolean {
  const isStill = (input: number): boolean => input < 0 || constants[input] !== undefined;
  return (
    plan.coefficients !== undefined &&
    !attributes.method.usesPreviousInput &&
    plan.at.uIm < 0 &&
    plan.at.c >= 0 &&
    isStill(plan.at.c) &&
    isStill(plan.at.cIm)
  );
}

interface Places {
  readonly table: number;
  readonly narrow: number;
  readonly periods: number;
  readonly wide: number;
  readonly staged: number;
}

/** The lanes (h, n) of a slot's four places; -1 where a place is unused. */
type Slot = readonly number[];

interface Group {
  /** A multiple of 4. */
  readonly narrow: readonly Slot[];
  readonly wide: readonly Slot[];
}

/** Lanes that share a channel's states among them, so that the channels fill whole vectors: 1, 2 or 4. */
const copiesFor = (channels: number): number => (channels % 4 === 0 ? 1 : channels % 2 === 0 ? 2 : 4);

/** One state a channel fills a quad from four groups; their outputs stand side by side. */
const isAcross = ({ channels, states }: DiagonalScanAttributes): boolean =>
  states === 1 && channels % (4 * at.LANES) === 0;

/** Which lane stands where: slow modes go to slots of their own, behind the others of their group. */
function arrange({ attributes, wide }: Scan): Group[] {
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

/**
 * Frames that the fastest of these modes takes at least from 2⁻¹⁰⁰ to the subnormal numbers below 2⁻¹²⁶, as a power
 * of two: state is flushed that often. Faster modes yet pass through them in a frame or two.
 */
function flushPeriod(lanes: readonly number[], aBar: Float64Array): number {
  const sizes = lanes
    .map((lane) => Math.hypot(aBar[2 * lane]!, aBar[2 * lane + 1]!))
    .filter((size) => size > 0);
  const frames = 26 / -Math.log2(Math.min(0.99, ...sizes));
  return frames >= at.TILE ? at.TILE : frames >= 16 ? 16 : 4;
}

/** Where the quads stand: the first of all groups, then the second of all, so that a frame passes by them in order. */
interface Quads {
  /** Groups that have any. */
  readonly stride: number;
  readonly count: number;
  /** Number of a group's first quad. */
  readonly first: readonly number[];
}

function quadsOf(groups: readonly Group[]): Quads {
  const first: number[] = [];
  let stride = 0;
  for (const { narrow } of groups) first.push(narrow.length > 0 ? stride++ : 0);
  return { stride, first, count: (stride * Math.max(...groups.map(({ narrow }) => narrow.length))) / 4 };
}

/** Where state stands: that of the quads, re and im a slot in float32, then that of the wide slots. */
interface StateAt {
  readonly bytes: number;
  readonly wideAt: number;
  /** By lane: the element of its re, with im 4 further on, in float32 or in float64. */
  readonly element: Int32Array;
  readonly isWide: Uint8Array;
}

function arrangeState({ attributes: { channels, states } }: Scan, groups: readonly Group[]): StateAt {
  const element = new Int32Array(channels * states);
  const isWide = new Uint8Array(channels * states);
  const quads = quadsOf(groups);
  const wide = groups.flatMap((group) => group.wide);
  const wideAt = quads.count * at.QUAD_STATE_BYTES;
  const place = (slot: Slot, first: number, slow: 0 | 1): void =>
    slot.forEach((lane, position) => {
      if (lane < 0) return;
      element[lane] = first + position;
      isWide[lane] = slow;
    });
  groups.forEach(({ narrow }, g) =>
    narrow.forEach((slot, i) => {
      const quad = quads.first[g]! + (i >> 2) * quads.stride;
      place(slot, (quad * at.QUAD_STATE_BYTES + ((i & 3) * at.QUAD_STATE_BYTES) / 4) / 4, 0);
    }),
  );
  wide.forEach((slot, i) => place(slot, (wideAt + i * at.STATE_BYTES) / 8, 1));
  return { bytes: wideAt + wide.length * at.STATE_BYTES, wideAt, element, isWide };
}

/** Writes the descriptor, the table of groups and their coefficients. */
function pack(
  scan: Scan,
  groups: readonly Group[],
  places: Places,
  arena: Arena,
  base: number,
  stateAt: number,
  wideStateAt: number,
): void {
  const { attributes, constants, plan } = scan;
  const { channels, complex } = attributes;
  const floats = new Float32Array(arena.buffer);
  const doubles = new Float64Array(arena.buffer);
  const put = writerAt(arena, base);
  put(at.GROUPS, groups.length);
  put(at.C_COMPLEX, complex ? 1 : 0);
  put(at.C_CHANNELS, channels);
  put(at.COPIES, copiesFor(channels));
  put(at.ACROSS, isAcross(attributes) ? 1 : 0);
  put(at.STAGED, base + places.staged);
  put(at.TABLE, base + places.table);

  const { aBar, bBar } = plan.coefficients!;
  const readOut = (role: 'c' | 'cIm', lane: number): number =>
    plan.at[role] < 0 ? 0 : constants[plan.at[role]]![plan.lanes[role]![lane]!]!;
  const write = (slot: Slot, to: Float32Array | Float64Array, from: number): void =>
    slot.forEach((lane, position) => {
      if (lane < 0) return;
      const [bRe, bIm] = [bBar[2 * lane]!, bBar[2 * lane + 1]!];
      const [cRe, cIm] = [readOut('c', lane), readOut('cIm', lane)];
      to[from + position] = aBar[2 * lane]!;
      to[from + 4 + position] = aBar[2 * lane + 1]!;
      to[from + 8 + position] = cRe * bRe - cIm * bIm;
      to[from + 12 + position] = cRe * bIm + cIm * bRe;
    });

  const quads = quadsOf(groups);
  put(at.QUAD_STRIDE, quads.stride);
  put(
    at.QUADS,
    groups.every(({ narrow }) => narrow.length === groups[0]!.narrow.length)
      ? groups[0]!.narrow.length / 4
      : 0,
  );
  let wideAt = places.wide;
  let least = at.TILE;
  groups.forEach(({ narrow, wide }, g) => {
    const entry = places.table + g * at.TABLE_BYTES;
    const first = quads.first[g]!;
    put(entry + at.NARROW_SLOTS, narrow.length);
    put(entry + at.WIDE_SLOTS, wide.length);
    put(entry + at.NARROW_AT, base + places.narrow + first * at.QUAD_BYTES);
    put(entry + at.NARROW_STATE_AT, stateAt + first * at.QUAD_STATE_BYTES);
    put(entry + at.PERIODS_AT, base + places.periods + 4 * first);
    put(entry + at.WIDE_AT, base + wideAt);
    put(entry + at.WIDE_STATE_AT, wideStateAt);
    for (let q = 0; 4 * q < narrow.length; q++) {
      const quad = narrow.slice(4 * q, 4 * q + 4);
      const place = first + q * quads.stride;
      quad.forEach((slot, i) =>
        write(slot, floats, (base + places.narrow + place * at.QUAD_BYTES) / 4 + i * 16),
      );
      const lanes = quad.flat().filter((lane) => lane >= 0);
      const period = flushPeriod(lanes, aBar);
      put(places.periods + 4 * place, period);
      least = Math.min(least, period);
    }
    for (const slot of wide) {
      write(slot, doubles, (base + wideAt) / 8);
      wideAt += at.WIDE_BYTES;
    }
    wideStateAt += wide.length * at.STATE_BYTES;
  });
  put(at.LEAST_PERIOD, least);
}

function bindFolded(
  { attributes, plan }: Scan,
  { bytes, element, isWide }: StateAt,
  arena: Arena,
  base: number,
  node: BoundNode,
): Kernel {
  const { channels, states, complex } = attributes;
  const { buffer } = arena;
  const floats = new Float32Array(buffer, node.stateAt, bytes / 4);
  const doubles = new Float64Array(buffer, node.stateAt, bytes / 8);
  const { bBar } = plan.coefficients!;
  const x = node.state['x']!;
  const count = channels * states;
  const call: KernelCall = {
    kernel: at.KERNEL_CONTRACT,
    descriptor: base,
    inputs: [{ input: plan.at.u, field: base + at.C_INPUT }],
    output: base + at.C_OUTPUT,
    period: FLUSH_FRAMES,
  };
  return kernelOf(arena, call, node, {
    raw: new Uint8Array(buffer, node.stateAt, bytes),
    // Plain numbers throughout: a page looks at the state thirty times a second, and pairs would be garbage.
    save() {
      for (let lane = 0; lane < count; lane++) {
        const place = element[lane]!;
        const re = isWide[lane] ? doubles[place]! : floats[place]!;
        const im = isWide[lane] ? doubles[place + 4]! : floats[place + 4]!;
        const bRe = bBar[2 * lane]!;
        const bIm = bBar[2 * lane + 1]!;
        x[lane] = re * bRe - im * bIm;
        if (complex) x[count + lane] = re * bIm + im * bRe;
      }
    },
    load() {
      for (let lane = 0; lane < count; lane++) {
        const place = element[lane]!;
        const re = x[lane]!;
        const im = complex ? x[count + lane]! : 0;
        const bRe = bBar[2 * lane]!;
        const bIm = bBar[2 * lane + 1]!;
        const size = bRe * bRe + bIm * bIm;
        const zRe = size === 0 ? 0 : (re * bRe + im * bIm) / size;
        const zIm = size === 0 ? 0 : (im * bRe - re * bIm) / size;
        if (isWide[lane]) {
          doubles[place] = zRe;
          doubles[place + 4] = zIm;
        } else {
          floats[place] = zRe;
          floats[place + 4] = zIm;
        }
      }
    },
  });
}
