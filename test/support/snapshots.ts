import { crc32 } from '../../src/stream/checksum.ts';

/** A snapshot that says another number of frames; the state of a stream that heard only silence fits any. */
export function withFrames(snapshot: Uint8Array, frames: number): Uint8Array {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset);
  const length = view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(snapshot.subarray(12, 12 + length))) as {
    frames: number;
  };
  const text = new TextEncoder().encode(JSON.stringify({ ...header, frames }));
  const body = snapshot.subarray(12 + length, snapshot.length - 4);
  const changed = new Uint8Array(12 + text.length + body.length + 4);
  changed.set(snapshot.subarray(0, 8));
  changed.set(text, 12);
  changed.set(body, 12 + text.length);
  const out = new DataView(changed.buffer);
  out.setUint32(8, text.length, true);
  out.setUint32(changed.length - 4, crc32(changed.subarray(0, changed.length - 4)), true);
  return changed;
}
