import { crc32 } from '../../src/stream/checksum.ts';

/**
 * A snapshot as of another frame: what the ops remember stays, the frame's number does not. Takes a stream to where
 * it would be after days, without the days, for what depends on the number alone.
 */
export function atFrame(snapshot: Uint8Array, frames: number): Uint8Array {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
  const length = view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(snapshot.subarray(12, 12 + length))) as object;
  const text = new TextEncoder().encode(JSON.stringify({ ...header, frames }));
  const sections = snapshot.subarray(12 + length, snapshot.length - 4);
  const result = new Uint8Array(12 + text.length + sections.length + 4);
  const out = new DataView(result.buffer);
  result.set(snapshot.subarray(0, 8));
  out.setUint32(8, text.length, true);
  result.set(text, 12);
  result.set(sections, 12 + text.length);
  out.setUint32(result.length - 4, crc32(result.subarray(0, result.length - 4)), true);
  return result;
}
