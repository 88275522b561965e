import { FLUSH_FRAMES } from '../../ops/diagonal-scan.ts';
import type { Arena, BoundNode, Kernel, KernelCall, KernelPlan } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import {
  arrange,
  arrangeState,
  copiesFor,
  isAcross,
  quadsOf,
  type Group,
  type Quads,
  type Slot,
  type StateAt,
} from './quads.ts';
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
  const quads = quadsOf(scan, groups);
  const wide = groups.reduce((sum, group) => sum + group.wide.length, 0);
  bytes.take(at.CONTRACT_BYTES);
  const places: Places = {
    table: bytes.take(groups.length * at.TABLE_BYTES),
    narrow: bytes.take(quads.count * at.QUAD_BYTES),
    notes: bytes.take(at.NOTE_BYTES * quads.count),
    wide: bytes.take(wide * at.WIDE_BYTES),
    staged: bytes.take(groups.length * 2 * at.TILE * at.VECTOR),
  };
  const state = arrangeState(scan, groups, quads);
  return {
    bytes: bytes.size,
    stateBytes: state.bytes,
    pack: (arena, base, node) =>
      pack(scan, groups, quads, places, arena, base, node.stateAt, node.stateAt + state.wideAt),
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
  readonly notes: number;
  readonly wide: number;
  readonly staged: number;
}

/** Writes the descriptor, the table of groups and their coefficients. */
function pack(
  scan: Scan,
  groups: readonly Group[],
  quads: Quads,
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
  const write = (slot: Slot, to: Float32Array | Float64Array, from: number, scaled = false): void =>
    slot.forEach((lane, position) => {
      if (lane < 0) return;
      const aIm = aBar[2 * lane + 1]!;
      const scale = scaled ? aIm : 1;
      const [bRe, bIm] = [bBar[2 * lane]!, bBar[2 * lane + 1]!];
      const [cRe, cIm] = [readOut('c', lane), readOut('cIm', lane)];
      to[from + position] = aBar[2 * lane]!;
      to[from + 4 + position] = aIm * scale;
      to[from + 8 + position] = cRe * bRe - cIm * bIm;
      to[from + 12 + position] = (cRe * bIm + cIm * bRe) * scale;
    });

  put(at.QUAD_STRIDE, quads.stride);
  put(at.QUADS, quads.of.every(({ length }) => length === quads.of[0]!.length) ? quads.of[0]!.length : 0);
  let wideAt = places.wide;
  let least = at.TILE;
  groups.forEach(({ narrow, wide }, g) => {
    const entry = places.table + g * at.TABLE_BYTES;
    const first = quads.first[g]!;
    put(entry + at.NARROW_SLOTS, narrow.length);
    put(entry + at.WIDE_SLOTS, wide.length);
    put(entry + at.NARROW_AT, base + places.narrow + first * at.QUAD_BYTES);
    put(entry + at.NARROW_STATE_AT, stateAt + first * at.QUAD_STATE_BYTES);
    put(entry + at.NOTES_AT, base + places.notes + at.NOTE_BYTES * first);
    put(entry + at.WIDE_AT, base + wideAt);
    put(entry + at.WIDE_STATE_AT, wideStateAt);
    for (const { slots, place, isScaled, period } of quads.of[g]!) {
      const to = (base + places.narrow + place * at.QUAD_BYTES) / 4;
      slots.forEach((slot, i) => write(slot, floats, to + i * 16, isScaled));
      const note = places.notes + place * at.NOTE_BYTES;
      put(note + at.NOTE_PERIOD, period);
      put(note + at.NOTE_SCALED, isScaled ? 1 : 0);
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
  { bytes, element, isWide, scale }: StateAt,
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
        const im = (isWide[lane] ? doubles[place + 4]! : floats[place + 4]!) * scale[lane]!;
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
        const zIm = size === 0 ? 0 : (im * bRe - re * bIm) / size / scale[lane]!;
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
