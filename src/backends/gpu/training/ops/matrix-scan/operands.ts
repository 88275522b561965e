/**
 * A matrix scan's operands, and how time is cut on the device.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | H, K, V, R | heads, keys, values, outer products a frame | |
 * | D | decays a head | 0 where nothing is forgotten, 1, or K |
 * | C | frames of a chunk | a power of two |
 * | t, s | frames of one chunk | `place`: the thread's in its chunk |
 * | τ | frame whose state is read out | t, or t − 1 where that comes before the update |
 * | P(t, s) | `w[s+1] ⋯ w[t]` | what is left at t of a state at s; s may be the frame before the chunk's first |
 */
import type { MatrixScanAttributes, MatrixScanRole } from '../../../../../ops/matrix-scan-plan.ts';
import { sizeOf } from '../../../../../signal/index.ts';
import { ONE, ZERO } from '../../../expression.ts';
import type { Source } from '../../../source.ts';
import type { ForwardCall } from '../../kernels.ts';
import { at, X, Y, Z, type Tensor } from '../../tensor.ts';

export interface Scan {
  readonly heads: number;
  readonly keys: number;
  readonly values: number;
  readonly rank: number;
  /** 1 where the read-out comes before the update. */
  readonly before: 0 | 1;
  /** D */
  readonly decays: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly frames: number;
  readonly items: number;
  readonly has: (role: MatrixScanRole) => boolean;
  readonly position: (role: MatrixScanRole) => number;
  /** Heads of an operand: neighbouring heads of the scan share them. */
  readonly rows: (role: MatrixScanRole) => number;
  readonly tensor: (role: MatrixScanRole) => Tensor;
  /** Text of element `index` of a head's operand at a frame. */
  readonly read: (role: MatrixScanRole, head: string, index: string, frame?: string) => string;
}

export function scanOf(call: ForwardCall): Scan {
  const { heads, keys, values, rank, readOut, roles } = call.attributes as MatrixScanAttributes;
  const frames = call.dims[1]!;
  const position = (role: MatrixScanRole): number => roles.indexOf(role);
  const typeOf = (role: MatrixScanRole): readonly number[] => call.types[position(role)]!.shape;
  const rows = (role: MatrixScanRole): number => typeOf(role)[0]!;
  const tensor = (role: MatrixScanRole): Tensor => call.inputs[position(role)]!;
  const has = (role: MatrixScanRole): boolean => roles.includes(role);
  const decays = has('decay') ? typeOf('decay')[1]! : 0;
  const chunk = chunkOf(keys * values, decays);
  return {
    heads,
    keys,
    values,
    rank,
    before: readOut === 'before' ? 1 : 0,
    decays,
    chunk,
    chunks: Math.ceil(frames / chunk),
    frames,
    items: call.items,
    has,
    position,
    rows,
    tensor,
    read(role, head, index, frame = Y) {
      const size = sizeOf(typeOf(role)) / rows(role);
      const shared = heads / rows(role);
      const row = rows(role) === 1 ? ZERO : shared === 1 ? head : `Math.floor((${head} + 0.5) / ${shared})`;
      return at(role, tensor(role), sum(product(row, size), index), frame);
    },
  };
}

/**
 * Scores cost a frame C (K + V), the states at chunks' borders K V / C numbers: √(K V) frames, in bounds. Where every key
 * has a decay of its own they are K C numbers a frame, and so chunks are shorter.
 */
function chunkOf(size: number, decays: number): number {
  const most = decays > 1 ? 16 : 64;
  let chunk = 8;
  while (chunk < most && chunk * chunk < size) chunk *= 2;
  return chunk;
}

/** The thread's chunk, its place in it, and the frame at a place of it: whole numbers on the device. */
export const chunkText = ({ chunk }: Scan): string => `(${Y} >> ${Math.log2(chunk)})`;
export const placeText = ({ chunk }: Scan): string => `(${Y} & ${chunk - 1})`;
export const frameAt = (scan: Scan, place: string): string =>
  `(${chunkText(scan)} * ${scan.chunk} + ${place})`;

/** [⌊whole / size⌋, whole mod size]; shifts where they do, which stay whole numbers. */
export function apart(source: Source, whole: string, size: number): readonly [string, string] {
  const bits = Math.log2(size);
  if (size === 1 || whole !== X || !Number.isInteger(bits)) return source.split(whole, size);
  return [`(${whole} >> ${bits})`, `(${whole} & ${size - 1})`];
}

export const sum = (a: string, b: string): string => (a === ZERO ? b : b === ZERO ? a : `${a} + ${b}`);
export const product = (a: string, by: number): string =>
  a === ZERO || by === 0 ? ZERO : by === 1 ? a : `(${a}) * ${by}`;

/** Number of a head's decay among all of them; of the head's one where all keys share it. */
export const decayPlace = ({ decays, keys }: Scan, head: string, key: string): string =>
  decays > 1 ? sum(product(head, keys), key) : head;

/**
 * Text of P(t, s) out of `kept`: frame t, and s by its place in the chunk plus one, so that 0 is the frame before the
 * chunk's first.
 */
export const kept = (scan: Scan, t: string, sPlusOne: string, head: string, key: string): string =>
  scan.decays === 0
    ? ONE
    : `kept[${Z}][${t}][${sum(product(sPlusOne, scan.heads * scan.decays), decayPlace(scan, head, key))}]`;

/** P(τ, first − 1): what is left of the chunk's starting state where the thread reads it out. */
export function entered(
  source: Source,
  scan: Scan,
  {
    head,
    key,
    frame,
    place,
  }: { readonly head: string; readonly key: string; readonly frame: string; readonly place: string },
): string {
  if (scan.decays === 0 || scan.before === 0) return kept(scan, frame, ZERO, head, key);
  return enteredBefore(source, scan, { head, key, frame, place });
}

/** P(t − 1, first − 1); 1 at the chunk's first frame. */
export function enteredBefore(
  source: Source,
  scan: Scan,
  {
    head,
    key,
    frame,
    place,
  }: { readonly head: string; readonly key: string; readonly frame: string; readonly place: string },
): string {
  if (scan.decays === 0) return ONE;
  const through = source.variable('through', ONE);
  source.when(`${place} > 0`, () => source.set(through, kept(scan, `${frame} - 1`, ZERO, head, key)));
  return through;
}
