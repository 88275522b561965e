import type { Control } from '../signal/index.ts';

/** Coefficients are computed at absolute multiples of this many frames, and go straight from one to the next. */
const SPACING = 16;

/** A control on its way: at `from` before frame `start`, at `to` from frame `start + frames − 1` on. */
export interface Move {
  readonly control: Control;
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly start: number;
  readonly frames: number;
}

export type Moves = ReadonlyMap<string, Move>;

export const endOf = ({ start, frames }: Move): number => start + frames;

/** When the last of them is over: from that frame on nothing moves. */
export const restFrom = (moves: Moves): number => Math.max(0, ...[...moves.values()].map(endOf));

/** Where a control stands after `time` frames of the stream: frame k runs on what it is after k + 1. */
export function valueAfter(move: Move, time: number): Float64Array {
  const { control, from, to, start, frames } = move;
  if (time >= start + frames) return to;
  const part = Math.max(0, time - start) / frames;
  return from.map((value, i) =>
    control.scale === 'logarithmic' ? value * (to[i]! / value) ** part : value + (to[i]! - value) * part,
  );
}

export const valuesAfter = (moves: Moves, time: number): Map<string, Float64Array> =>
  new Map([...moves].map(([name, move]) => [name, valueAfter(move, time)]));

/** The latest time, `time` or before, at which coefficients are computed: a multiple of 16, or where a move begins or ends. */
export function knotBefore(moves: Moves, time: number): number {
  let knot = Math.floor(time / SPACING) * SPACING;
  for (const move of moves.values()) {
    for (const edge of [move.start, endOf(move)]) if (edge <= time && edge > knot) knot = edge;
  }
  return knot;
}

/** The first such time behind `time`. */
export function knotAfter(moves: Moves, time: number): number {
  let knot = (Math.floor(time / SPACING) + 1) * SPACING;
  for (const move of moves.values()) {
    for (const edge of [move.start, endOf(move)]) if (edge > time && edge < knot) knot = edge;
  }
  return knot;
}
