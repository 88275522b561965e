import type { Arena, BoundNode, Kernel, KernelPlan } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes, eachLane, operandExtents, slotCount, type Scan } from './scan.ts';

/** t = dt a log₂e stays below this. */
const MOST = 127;

/**
 * Mamba's scan: real states, Ā = e^(dt a) with a ≤ 0 that stands still, B̄ = dt b, and a dt by frame; b and c by frame
 * or still, their states side by side for whole vectors of channels.
 */
export function isSelective({ attributes, types, constants, plan }: Scan): boolean {
  const { channels, states, complex, method } = attributes;
  const { family } = method;
  const a = constants[plan.at.a];
  const fits = (input: number): boolean => {
    if (input < 0) return false;
    const [columns, span] = operandExtents({ attributes, types, plan }, input);
    return columns === states && (span % at.LANES === 0 || span === channels);
  };
  return (
    !complex &&
    plan.at.uIm < 0 &&
    plan.at.cIm < 0 &&
    family.kind === 'exponential' &&
    family.input === 'one' &&
    a !== undefined &&
    a.every((value) => value <= 0) &&
    plan.at.dt >= 0 &&
    constants[plan.at.dt] === undefined &&
    operandExtents({ attributes, types, plan }, plan.at.dt)[0] === 1 &&
    fits(plan.at.b) &&
    fits(plan.at.c)
  );
}

export function planSelective(scan: Scan): KernelPlan {
  const { attributes, constants, plan } = scan;
  const slots = slotCount(attributes);
  const bytes = new Bytes();
  bytes.take(at.SELECTIVE_BYTES);
  const places = {
    a: bytes.take(slots * at.VECTOR),
    work: bytes.take(3 * at.TILE * at.VECTOR),
    b: bytes.take(4 * (constants[plan.at.b]?.length ?? 0)),
    c: bytes.take(4 * (constants[plan.at.c]?.length ?? 0)),
  };
  return {
    bytes: bytes.size,
    stateBytes: slots * at.VECTOR,
    pack: (arena, base, node) => pack(scan, places, arena, base, node),
    bind: (arena, base, node) => bind(scan, arena, base, node),
  };
}

interface Places {
  readonly a: number;
  readonly work: number;
  readonly b: number;
  readonly c: number;
}

function pack(scan: Scan, places: Places, arena: Arena, base: number, { stateAt }: BoundNode): void {
  const { attributes, constants, plan } = scan;
  const { channels, states } = attributes;
  const put = writerAt(arena, base);
  const floats = new Float32Array(arena.buffer);
  put(at.SELECTIVE_CHANNELS, channels);
  put(at.SELECTIVE_STATES, states);
  put(at.SELECTIVE_A, base + places.a);
  put(at.SELECTIVE_STATE, stateAt);
  put(at.SELECTIVE_WORK, base + places.work);
  const rates = constants[plan.at.a]!;
  let largest = 0;
  eachLane(attributes, (slot, position, lane, isPadding) => {
    const rate = isPadding ? 0 : rates[plan.lanes.a![lane]!]! * Math.LOG2E;
    floats[(base + places.a) / 4 + slot * at.LANES + position] = rate;
    largest = Math.max(largest, -rate);
  });
  floats[(base + at.SELECTIVE_LEAST_DT) / 4] = largest === 0 ? -Infinity : -MOST / largest;
  const [, dtSpan] = operandExtents(scan, plan.at.dt);
  put(at.SELECTIVE_DT_SPAN, dtSpan);
  put(at.SELECTIVE_DT_STEP, (4 * channels) / dtSpan);
  for (const [role, source, step, span] of [
    ['b', at.SELECTIVE_B, at.SELECTIVE_B_STEP, at.SELECTIVE_B_SPAN],
    ['c', at.SELECTIVE_C, at.SELECTIVE_C_STEP, at.SELECTIVE_C_SPAN],
  ] as const) {
    const [columns, shared] = operandExtents(scan, plan.at[role]);
    put(span, shared);
    const values = constants[plan.at[role]];
    if (values === undefined) {
      put(step, (4 * columns * channels) / shared);
    } else {
      put(source, base + places[role]);
      floats.set(values, (base + places[role]) / 4);
    }
  }
}

function bind(scan: Scan, arena: Arena, base: number, node: BoundNode): Kernel {
  const { attributes, constants, plan } = scan;
  const x = node.state['x']!;
  const floats = new Float32Array(arena.buffer, node.stateAt);
  const varying = (
    [
      ['u', at.SELECTIVE_U],
      ['dt', at.SELECTIVE_DT],
      ['b', at.SELECTIVE_B],
      ['c', at.SELECTIVE_C],
    ] as const
  ).filter(([role]) => constants[plan.at[role]] === undefined);
  // Made once: a page looks at the state thirty times a second.
  const saveLane = (slot: number, position: number, lane: number, isPadding: boolean): void => {
    if (!isPadding) x[lane] = floats[slot * at.LANES + position]!;
  };
  return kernelOf(
    arena,
    {
      kernel: at.KERNEL_SELECTIVE,
      descriptor: base,
      inputs: varying.map(([role, field]) => ({ input: plan.at[role], field: base + field })),
      output: base + at.SELECTIVE_OUTPUT,
      period: at.FLUSH,
    },
    node,
    {
      save: () => eachLane(attributes, saveLane),
      load() {
        eachLane(attributes, (slot, position, lane, isPadding) => {
          floats[slot * at.LANES + position] = isPadding ? 0 : x[lane]!;
        });
      },
    },
  );
}
