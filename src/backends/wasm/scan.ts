import type { DiagonalScanAttributes, ScanMethod, ScanPlan, ScanRole } from '../../ops/diagonal-scan.ts';
import type { SignalType } from '../../signal/index.ts';
import { EXP_EXP, EXP_ONE, EXP_PHI1, GIVEN, LANES, RATIONAL } from './layout.ts';

/** A diagonal scan as the kernels' callers need it. */
export interface Scan {
  readonly attributes: DiagonalScanAttributes;
  readonly types: readonly SignalType[];
  /** Values of the constant inputs in float64; undefined where the input varies. */
  readonly constants: readonly (Float64Array | undefined)[];
  readonly plan: ScanPlan;
  /** 1 for a lane (h, n) that is computed in float64. */
  readonly wide: Uint8Array;
}

/** The operands in the order of the kernels' records. */
export const SCAN_ROLES: readonly ScanRole[] = ['u', 'uIm', 'a', 'aIm', 'b', 'bIm', 'c', 'cIm', 'dt'];

/** Takes bytes of an arena one piece after the other, each at a multiple of 16. */
export class Bytes {
  size: number;

  constructor(from = 0) {
    this.size = from;
  }

  take(bytes: number): number {
    const at = this.size;
    this.size = Math.ceil((at + bytes) / 16) * 16;
    return at;
  }
}

/** The kernels' number of a method's family; undefined where they have none. */
export function familyOf({ family, usesPreviousInput }: ScanMethod): number | undefined {
  if (usesPreviousInput === true) return undefined;
  switch (family.kind) {
    case 'given':
      return GIVEN;
    case 'rational':
      return RATIONAL;
    case 'exponential':
      return { one: EXP_ONE, exp: EXP_EXP, phi1: EXP_PHI1, phi2: undefined, half: undefined }[family.input];
  }
}

/** Columns of an operand, 1 or N, and how many neighbouring channels share one of its rows. */
export function operandExtents(
  { attributes, types, plan }: Pick<Scan, 'attributes' | 'types' | 'plan'>,
  input: number,
): readonly [number, number] {
  if (input === plan.at.u || input === plan.at.uIm) return [1, 1];
  const { shape } = types[input]!;
  const columns = shape.length < 2 ? 1 : shape.at(-1)!;
  const size = shape.reduce((product, extent) => product * extent, 1);
  return [columns, attributes.channels / (size / columns)];
}

/** Vectors of 4 channels × 1 state that the general kernels keep. */
export const slotCount = ({ channels, states }: DiagonalScanAttributes): number =>
  Math.ceil(channels / LANES) * states;

/** Calls `visit` for every lane of every slot; lanes beyond the last channel repeat it. */
export function eachLane(
  attributes: DiagonalScanAttributes,
  visit: (slot: number, position: number, lane: number, isPadding: boolean) => void,
): void {
  const { channels, states } = attributes;
  for (let slot = 0; slot < slotCount(attributes); slot++) {
    for (let position = 0; position < LANES; position++) {
      const h = Math.floor(slot / states) * LANES + position;
      visit(slot, position, Math.min(h, channels - 1) * states + (slot % states), h >= channels);
    }
  }
}
