import { FLUSH_FRAMES } from '../../ops/diagonal-scan.ts';
import type { Arena, BoundNode, Kernel, KernelCall, KernelPlan } from '../backend.ts';
import { kernelOf } from './call.ts';
import * as at from './layout.ts';
import { Bytes, SCAN_ROLES, eachLane, familyOf, operandExtents, slotCount, type Scan } from './scan.ts';

/** Where the pieces of the general kernels stand, relative to the descriptor. */
export interface GeneralPlaces {
  readonly bytes: number;
  readonly work: number;
  /** A vector of zeros, then one of ones: operands that are absent. */
  readonly cells: number;
  /** Constant operands as vectors for every slot, by the number of their record; -1 for the others. */
  readonly constants: readonly number[];
  /** m re, m im, B̄ re, B̄ im as vectors for every slot, where they stand still. */
  readonly still: number;
  readonly flags: number;
  readonly wideCoefficients: number;
}

/** Bytes of the state of the general kernels, which stands where their caller says. */
export const generalStateBytes = ({ attributes }: Scan): number => slotCount(attributes) * at.STATE_BYTES;

export function placeGeneral(scan: Scan): GeneralPlaces {
  const { attributes, constants, plan } = scan;
  const slots = slotCount(attributes);
  const hasWide = scan.wide.includes(1);
  const bytes = new Bytes();
  bytes.take(at.DESCRIPTOR_BYTES);
  const isStill = plan.coefficients !== undefined;
  return {
    work: bytes.take(at.WORK_BYTES),
    cells: bytes.take(2 * at.VECTOR),
    constants: SCAN_ROLES.map((role) => {
      const input = plan.at[role];
      return input >= 0 && constants[input] ? bytes.take(slots * at.VECTOR) : -1;
    }),
    still: isStill ? bytes.take(4 * slots * at.VECTOR) : 0,
    flags: hasWide ? bytes.take(slots) : 0,
    wideCoefficients: hasWide ? bytes.take(slots * at.WIDE_BYTES) : 0,
    get bytes() {
      return bytes.size;
    },
  };
}

/** Writes descriptor, constants and coefficients of a scan at `base`; its state is at `state`. */
export function writeGeneral(
  scan: Scan,
  places: GeneralPlaces,
  buffer: ArrayBuffer,
  base: number,
  state: number,
): void {
  const { attributes, constants, plan } = scan;
  const { channels, states, complex, method } = attributes;
  const words = new Uint32Array(buffer);
  const floats = new Float32Array(buffer);
  const doubles = new Float64Array(buffer);
  const put = (field: number, value: number): void => {
    words[(base + field) / 4] = value;
  };
  const slots = slotCount(attributes);

  put(at.CHANNELS, channels);
  put(at.STATES, states);
  put(at.COMPLEX, complex ? 1 : 0);
  put(at.METHOD, familyOf(method) ?? at.GIVEN);
  floats[(base + at.ALPHA) / 4] = method.family.kind === 'rational' ? method.family.alpha : 0;
  put(at.STILL, plan.coefficients ? 1 : 0);
  const isTurned = isTurnedScan(scan);
  put(at.CONTRACTED, isTurned ? 2 : plan.at.c >= 0 ? 1 : 0);
  put(at.OUTPUT_STEP, 4 * (isTurned ? 1 : plan.at.c >= 0 ? channels : channels * states * (complex ? 2 : 1)));
  put(at.WORK, base + places.work);
  put(at.STATE, state);
  floats.fill(1, (base + places.cells + at.VECTOR) / 4, (base + places.cells + 2 * at.VECTOR) / 4);

  for (let role = 0; role < at.RECORDS; role++) {
    const record = at.OPERANDS + role * at.OPERAND_BYTES;
    const name = SCAN_ROLES[role];
    const input = name === undefined ? -1 : plan.at[name];
    // b, dt, g and f′ are 1 where nothing says otherwise.
    const isOne = [at.B, at.DT, at.G, at.F_SLOPE].includes(role);
    const cell = base + places.cells + (isOne ? at.VECTOR : 0);
    put(record + at.SOURCE, cell);
    put(record + at.POINTER, cell);
    put(record + at.SPAN, channels);
    put(record + at.COLUMNS, name === undefined ? states : 1);
    if (input < 0) continue;
    const [columns, span] = isTurned ? turnedExtents(scan, input) : operandExtents(scan, input);
    put(record + at.SPAN, span);
    put(record + at.COLUMNS, columns);
    const values = constants[input];
    if (values === undefined) {
      put(record + at.STEP, (4 * columns * channels) / span);
    } else {
      const index = plan.lanes[name!]!;
      const to = base + places.constants[role]!;
      put(record + at.SOURCE, to);
      put(record + at.SLOT_STEP, at.VECTOR);
      eachLane(attributes, (slot, position, lane) => {
        floats[to / 4 + slot * at.LANES + position] = values[index[lane]!]!;
      });
    }
  }

  if (plan.coefficients === undefined) return;
  const { aBar, bBar } = plan.coefficients;
  const parts = [at.M, at.M_IM, at.B_BAR, at.B_BAR_IM];
  parts.forEach((role, part) => {
    const record = at.OPERANDS + role * at.OPERAND_BYTES;
    const to = base + places.still + part * slots * at.VECTOR;
    put(record + at.SOURCE, to);
    put(record + at.SLOT_STEP, at.VECTOR);
    eachLane(attributes, (slot, position, lane) => {
      const value = (part < 2 ? aBar : bBar)[2 * lane + (part & 1)]!;
      floats[to / 4 + slot * at.LANES + position] = part === 0 ? value - 1 : value;
      if (places.flags === 0) return;
      const wide = (base + places.wideCoefficients + slot * at.WIDE_BYTES) / 8 + part * at.LANES + position;
      doubles[wide] = value;
      if (scan.wide[lane]) new Uint8Array(buffer)[base + places.flags + slot] = 1;
    });
  });
  if (places.flags === 0) return;
  put(at.WIDE_FLAGS, base + places.flags);
  put(at.WIDE_COEFFICIENTS, base + places.wideCoefficients);
}

/** The record's field that says where an operand that varies begins. */
export const sourceField = (base: number, role: number): number =>
  (base + at.OPERANDS + role * at.OPERAND_BYTES + at.SOURCE) / 4;

/** A scan of one channel seen as one of N channels of one state, so that states fill the lanes; outputs are added up. */
interface Turned extends Scan {
  readonly isTurned: true;
}

const isTurnedScan = (scan: Scan): scan is Turned => 'isTurned' in scan;

function turned(scan: Scan): Scan {
  const { attributes, plan } = scan;
  const { channels, states } = attributes;
  if (channels !== 1 || plan.at.c < 0 || states % at.LANES !== 0) return scan;
  const result: Turned = {
    ...scan,
    attributes: { ...attributes, channels: states, states: 1 },
    isTurned: true,
  };
  return result;
}

/** What was a column for each state is a row for each channel now; what all states shared all channels share. */
function turnedExtents({ attributes, types, plan }: Turned, input: number): readonly [number, number] {
  const isByState = input !== plan.at.u && input !== plan.at.uIm && types[input]!.shape.at(-1) !== 1;
  return [1, isByState ? 1 : attributes.channels];
}

/** The scan with any operand by frame or constant, on 4 channels at a time, or on 4 states of the only channel. */
export function planGeneral(given: Scan): KernelPlan {
  const scan = turned(given);
  const places = placeGeneral(scan);
  return {
    bytes: places.bytes,
    stateBytes: generalStateBytes(scan),
    pack: ({ buffer }, base, { stateAt }) => writeGeneral(scan, places, buffer, base, stateAt),
    bind: (arena, base, node) => bindGeneral(scan, arena, base, node),
  };
}

function bindGeneral(scan: Scan, arena: Arena, base: number, node: BoundNode): Kernel {
  const { buffer } = arena;
  const { attributes, plan, constants } = scan;
  const x = node.state['x']!;
  const count = attributes.channels * attributes.states;
  const floats = new Float32Array(buffer, node.stateAt);
  const doubles = new Float64Array(buffer, node.stateAt);
  const isWide = new Uint8Array(slotCount(attributes));
  eachLane(attributes, (slot, _position, lane) => {
    if (scan.wide[lane]) isWide[slot] = 1;
  });
  const parts = attributes.complex ? 2 : 1;
  const call: KernelCall = {
    kernel: at.KERNEL_FORWARD,
    descriptor: base,
    inputs: SCAN_ROLES.map((role, i) => ({ input: plan.at[role], field: 4 * sourceField(base, i) })).filter(
      ({ input }) => input >= 0 && constants[input] === undefined,
    ),
    output: base + at.OUTPUT,
    period: FLUSH_FRAMES,
  };
  // Made once: a page looks at the state thirty times a second.
  const saveLane = (slot: number, position: number, lane: number, isPadding: boolean): void => {
    if (isPadding) return;
    for (let part = 0; part < parts; part++) {
      const from = part * at.LANES + position;
      x[part * count + lane] = isWide[slot] ? doubles[slot * 8 + from]! : floats[slot * 16 + from]!;
    }
  };
  return kernelOf(arena, call, node, {
    save: () => eachLane(attributes, saveLane),
    load() {
      eachLane(attributes, (slot, position, lane) => {
        for (let part = 0; part < parts; part++) {
          const to = part * at.LANES + position;
          if (isWide[slot]) doubles[slot * 8 + to] = x[part * count + lane]!;
          else floats[slot * 16 + to] = x[part * count + lane]!;
        }
      });
    },
  });
}
