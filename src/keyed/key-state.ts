import { SnapshotError } from '../errors.ts';
import type { TimelineState } from './timelines.ts';

/**
 * All that is remembered of one key: where it is in time, and its stream, packed.
 *
 *     last · dropped · channels · held (channels) · waiting · (time · value (channels)) × waiting · stream
 *
 * Numbers are float64, little-endian; counts are numbers too. `last` is NaN before the first reading.
 */
export function packKeyState(timeline: TimelineState, stream: Uint8Array): Uint8Array {
  const { last, dropped, held, waiting } = timeline;
  const numbers = [last ?? Number.NaN, dropped, held.length, ...held, waiting.length];
  for (const { time, value } of waiting) numbers.push(time, ...value);
  const bytes = new Uint8Array(8 * numbers.length + stream.length);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => view.setFloat64(8 * i, number, true));
  bytes.set(stream, 8 * numbers.length);
  return bytes;
}

/** @throws SnapshotError for bytes that are none. */
export function unpackKeyState(
  bytes: Uint8Array,
  key: string,
): { readonly timeline: TimelineState; readonly stream: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const next = (): number => {
    if (at + 8 > bytes.length)
      throw new SnapshotError(
        `the state of ${JSON.stringify(key)} is damaged: it ends after ${bytes.length} bytes; remove it`,
      );
    at += 8;
    return view.getFloat64(at - 8, true);
  };
  const several = <T>(count: number, item: () => T): T[] => {
    if (!(count >= 0 && count * 8 <= bytes.length))
      throw new SnapshotError(
        `the state of ${JSON.stringify(key)} is damaged: it claims ${count} values; remove it`,
      );
    return Array.from({ length: count }, item);
  };
  const last = next();
  const dropped = next();
  const held = several(next(), next);
  const waiting = several(next(), () => ({ time: next(), value: several(held.length, next) }));
  return {
    timeline: { last: Number.isNaN(last) ? null : last, dropped, held, waiting },
    stream: bytes.subarray(at),
  };
}
