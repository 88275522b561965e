/**
 * Where everything of a scan stands in the flat arrays that its kernels share.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | H, N, J | channels, states a channel, lanes J = N·H with the channel fastest, so that neighbouring threads read neighbouring numbers | |
 * | B, L | batch, frames | |
 * | W | numbers of all varying inputs in a frame | |
 * | T | frames of a chunk | `chunk` |
 * | K | chunks of a sequence, ⌈L / T⌉ | `chunks` |
 * | `signals` | all varying inputs side by side | B × L × W |
 * | `constants` | all constant operands, one behind the other; then the table of still coefficients, if they are | |
 */
import type { DiagonalScanAttributes, ScanRole } from '../../../ops/diagonal-scan.ts';
import { isConstant, sizeOf, type FloatArray, type Shape, type SignalType } from '../../../signal/index.ts';

/** One input of the op: (rows × columns) a frame, standing from `offset` in `signals` or `constants`. */
export interface Placement {
  readonly role: ScanRole;
  readonly varying: boolean;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

export interface Layout {
  readonly attributes: DiagonalScanAttributes;
  readonly channels: number;
  readonly states: number;
  readonly lanes: number;
  readonly complex: boolean;
  /** Numbers of a state: 1, or 2 for a complex one. */
  readonly parts: 1 | 2;
  readonly contracted: boolean;
  readonly batch: number;
  readonly frames: number;
  /** W */
  readonly width: number;
  /** Numbers of all constant operands. */
  readonly constantsLength: number;
  readonly placements: readonly Placement[];
  readonly role: Readonly<Partial<Record<ScanRole, Placement>>>;
  /** Whether Ā and B̄ are the same at every frame. */
  readonly still: boolean;
  /** Whether c is too. */
  readonly stillReadOut: boolean;
  readonly chunk: number;
  readonly chunks: number;
  /** Nodes of each level of the tree over the chunks, the chunks first; none where one chunk holds everything. */
  readonly levels: readonly number[];
  /** Numbers of an output frame. */
  readonly outputWidth: number;
}

/** Frames of a chunk, a power of two: with still coefficients long chunks are cheap, others are walked again and again. */
const STILL_CHUNK = 64;
const VARYING_CHUNK = 16;

/** Nodes that one node of the next level stands for. */
export const RADIX = 8;

function levelsOver(chunks: number): number[] {
  const levels: number[] = [];
  for (let nodes = chunks; nodes > 1; nodes = Math.ceil(nodes / RADIX)) levels.push(nodes);
  return levels;
}

/** (R × C) of an operand, as the op reads its shape. */
export const rowsAndColumns = (shape: Shape): readonly [number, number] =>
  shape.length < 2 ? [shape[0] ?? 1, 1] : [sizeOf(shape.slice(0, -1)), shape.at(-1)!];

export function layOut(
  attributes: DiagonalScanAttributes,
  types: readonly SignalType[],
  batch: number,
  frames: number,
): Layout {
  const { channels, states, complex, roles } = attributes;
  let width = 0;
  let constantsLength = 0;
  const placements = roles.map((role, i): Placement => {
    const { shape } = types[i]!;
    const varying = !isConstant(types[i]!);
    const [rows, columns] = role === 'u' || role === 'uIm' ? [channels, 1] : rowsAndColumns(shape);
    const offset = varying ? width : constantsLength;
    if (varying) width += rows * columns;
    else constantsLength += rows * columns;
    return { role, varying, offset, rows, columns };
  });
  const contracted = roles.includes('c');
  const stands = (...moving: readonly ScanRole[]): boolean =>
    placements.every(({ role, varying }) => !varying || moving.includes(role));
  const still = stands('u', 'uIm', 'c', 'cIm');
  const chunk = still ? STILL_CHUNK : VARYING_CHUNK;
  return {
    attributes,
    channels,
    states,
    lanes: channels * states,
    complex,
    parts: complex ? 2 : 1,
    contracted,
    batch,
    frames,
    width,
    constantsLength,
    placements,
    role: Object.fromEntries(placements.map((placement) => [placement.role, placement])),
    still,
    stillReadOut: stands('u', 'uIm'),
    chunk,
    chunks: Math.ceil(frames / chunk),
    levels: levelsOver(Math.ceil(frames / chunk)),
    outputWidth: contracted ? channels : (complex ? 2 : 1) * channels * states,
  };
}

/** All varying inputs side by side: B × L × W. */
export function packSignals(layout: Layout, inputs: readonly FloatArray[]): Float32Array {
  const { batch, frames, width, placements } = layout;
  const varying = placements.filter((placement) => placement.varying);
  if (varying.length === 1) return Float32Array.from(inputs[placements.indexOf(varying[0]!)]!);
  const packed = new Float32Array(batch * frames * width);
  for (const placement of varying) {
    const from = inputs[placements.indexOf(placement)]!;
    const size = placement.rows * placement.columns;
    for (let k = 0, to = placement.offset, at = 0; k < batch * frames; k++, to += width) {
      for (let i = 0; i < size; i++) packed[to + i] = from[at++]!;
    }
  }
  return packed;
}

/** The constant operands, one behind the other, before what `tail` adds; never empty, as no device array may be. */
export function packConstants(
  layout: Layout,
  inputs: readonly FloatArray[],
  tail: Float32Array = new Float32Array(1),
): Float32Array {
  const packed = new Float32Array(layout.constantsLength + tail.length);
  layout.placements.forEach(({ varying, offset }, i) => {
    if (!varying) packed.set(inputs[i]!, offset);
  });
  packed.set(tail, layout.constantsLength);
  return packed;
}
