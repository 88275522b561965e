import { FLUSH_FRAMES, type DiagonalScanAttributes } from '../../ops/diagonal-scan.ts';
import type { Arena, BoundNode, Kernel, KernelPlan } from '../backend.ts';
import * as at from './layout.ts';
import type { WasmArena } from './module.ts';
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
  const narrow = groups.reduce((sum, group) => sum + group.narrow.length, 0);
  const wide = groups.reduce((sum, group) => sum + group.wide.length, 0);
  bytes.take(at.CONTRACT_BYTES);
  const places: Places = {
    table: bytes.take(groups.length * at.TABLE_BYTES),
    narrow: bytes.take((narrow / 4) * at.QUAD_BYTES),
    wide: bytes.take(wide * at.WIDE_BYTES),
    narrowState: bytes.take(narrow * 2 * at.VECTOR),
    wideState: bytes.take(wide * at.STATE_BYTES),
    staged: bytes.take(groups.length * 2 * at.TILE * at.VECTOR),
  };
  return {
    bytes: bytes.size,
    bind: (arena, base, node) => bindFolded(scan, groups, places, arena, base, node),
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
  readonly wide: number;
  readonly narrowState: number;
  readonly wideState: number;
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

/** Where a lane's state stands: the element of its re, with im 4 further on, in float32 or in float64. */
interface StateAt {
  readonly element: Int32Array;
  readonly isWide: Uint8Array;
}

/** Writes the table of groups and their coefficients. */
function pack(
  { attributes, constants, plan }: Scan,
  groups: readonly Group[],
  places: Places,
  buffer: ArrayBuffer,
  base: number,
): StateAt {
  const words = new Uint32Array(buffer);
  const floats = new Float32Array(buffer);
  const doubles = new Float64Array(buffer);
  const { aBar, bBar } = plan.coefficients!;
  const count = attributes.channels * attributes.states;
  const stateAt: StateAt = { element: new Int32Array(count), isWide: new Uint8Array(count) };
  const readOut = (role: 'c' | 'cIm', lane: number): number =>
    plan.at[role] < 0 ? 0 : constants[plan.at[role]]![plan.lanes[role]![lane]!]!;
  const put = (slot: Slot, to: Float32Array | Float64Array, from: number, x: number): void =>
    slot.forEach((lane, position) => {
      if (lane < 0) return;
      const [bRe, bIm] = [bBar[2 * lane]!, bBar[2 * lane + 1]!];
      const [cRe, cIm] = [readOut('c', lane), readOut('cIm', lane)];
      to[from + position] = aBar[2 * lane]!;
      to[from + 4 + position] = aBar[2 * lane + 1]!;
      to[from + 8 + position] = cRe * bRe - cIm * bIm;
      to[from + 12 + position] = cRe * bIm + cIm * bRe;
      stateAt.element[lane] = x + position;
      stateAt.isWide[lane] = to === doubles ? 1 : 0;
    });

  let quadAt = base + places.narrow;
  let narrowStateAt = base + places.narrowState;
  let wideAt = base + places.wide;
  let wideStateAt = base + places.wideState;
  groups.forEach(({ narrow, wide }, g) => {
    const entry = (base + places.table + g * at.TABLE_BYTES) / 4;
    words[entry + at.NARROW_SLOTS / 4] = narrow.length;
    words[entry + at.WIDE_SLOTS / 4] = wide.length;
    words[entry + at.NARROW_AT / 4] = quadAt;
    words[entry + at.NARROW_STATE_AT / 4] = narrowStateAt;
    words[entry + at.WIDE_AT / 4] = wideAt;
    words[entry + at.WIDE_STATE_AT / 4] = wideStateAt;
    for (let first = 0; first < narrow.length; first += 4) {
      const quad = narrow.slice(first, first + 4);
      for (const [i, slot] of quad.entries()) {
        put(slot, floats, quadAt / 4 + i * 16, narrowStateAt / 4);
        narrowStateAt += 2 * at.VECTOR;
      }
      words[(quadAt + at.PERIOD) / 4] = flushPeriod(
        quad.flat().filter((lane) => lane >= 0),
        aBar,
      );
      quadAt += at.QUAD_BYTES;
    }
    for (const slot of wide) {
      put(slot, doubles, wideAt / 8, wideStateAt / 8);
      wideAt += at.WIDE_BYTES;
      wideStateAt += at.STATE_BYTES;
    }
  });
  return stateAt;
}

function bindFolded(
  scan: Scan,
  groups: readonly Group[],
  places: Places,
  arena: Arena,
  base: number,
  { inputs, output, state }: BoundNode,
): Kernel {
  const { attributes, plan } = scan;
  const { channels, states, complex } = attributes;
  const { kernels, buffer } = arena as WasmArena;
  const words = new Uint32Array(buffer);
  const floats = new Float32Array(buffer);
  const doubles = new Float64Array(buffer);
  words[(base + at.GROUPS) / 4] = groups.length;
  words[(base + at.C_COMPLEX) / 4] = complex ? 1 : 0;
  words[(base + at.C_CHANNELS) / 4] = channels;
  words[(base + at.COPIES) / 4] = copiesFor(channels);
  words[(base + at.ACROSS) / 4] = isAcross(attributes) ? 1 : 0;
  words[(base + at.STAGED) / 4] = base + places.staged;
  words[(base + at.TABLE) / 4] = base + places.table;
  const { element, isWide } = pack(scan, groups, places, buffer, base);

  const { bBar } = plan.coefficients!;
  const x = state['x']!;
  const count = channels * states;
  const u = inputs[plan.at.u]!;
  return {
    raw: new Uint8Array(buffer, base + places.narrowState, places.staged - places.narrowState),
    run(firings, first) {
      words[(base + at.C_INPUT) / 4] = u.data.byteOffset + 4 * u.at;
      words[(base + at.C_OUTPUT) / 4] = output.data.byteOffset + 4 * output.at;
      kernels.contract(base, firings, first % FLUSH_FRAMES);
    },
    save() {
      for (let lane = 0; lane < count; lane++) {
        const held = isWide[lane] ? doubles : floats;
        const [re, im] = [held[element[lane]!]!, held[element[lane]! + 4]!];
        const [bRe, bIm] = [bBar[2 * lane]!, bBar[2 * lane + 1]!];
        x[lane] = re * bRe - im * bIm;
        if (complex) x[count + lane] = re * bIm + im * bRe;
      }
    },
    load() {
      for (let lane = 0; lane < count; lane++) {
        const held = isWide[lane] ? doubles : floats;
        const [re, im] = [x[lane]!, complex ? x[count + lane]! : 0];
        const [bRe, bIm] = [bBar[2 * lane]!, bBar[2 * lane + 1]!];
        const size = bRe * bRe + bIm * bIm;
        held[element[lane]!] = size === 0 ? 0 : (re * bRe + im * bIm) / size;
        held[element[lane]! + 4] = size === 0 ? 0 : (im * bRe - re * bIm) / size;
      }
    },
  };
}
