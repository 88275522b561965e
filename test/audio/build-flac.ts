/**
 * A FLAC file of verbatim and constant subframes (RFC 9639): larger than one should be, and enough to test a reader.
 *
 * @param channels samples of 16 bits by channel.
 */
export function buildFlac(channels: readonly Int16Array[], { block = 256 } = {}): Uint8Array {
  const frames = channels[0]!.length;
  const out: number[] = [...'fLaC'].map((c) => c.charCodeAt(0));
  const info = new DataView(new ArrayBuffer(34));
  info.setUint16(0, block);
  info.setUint16(2, block);
  const packed = (16_000n << 44n) | (BigInt(channels.length - 1) << 41n) | (15n << 36n) | BigInt(frames);
  info.setBigUint64(10, packed);
  out.push(0x80, 0, 0, 34, ...new Uint8Array(info.buffer));
  for (let at = 0, number = 0; at < frames; at += block, number++) {
    const count = Math.min(block, frames - at);
    // Fixed block size, 16-bit count of the block behind the number, 16 kHz (the decoder is not told STREAMINFO's),
    // independent channels.
    const frame = [0xff, 0xf8, 0x75, ((channels.length - 1) << 4) | 0x08, ...utf8(number)];
    frame.push((count - 1) >> 8, (count - 1) & 0xff);
    frame.push(crc(frame, 0x07, 8));
    for (const samples of channels) {
      const some = samples.subarray(at, at + count);
      const constant = some.every((value) => value === some[0]);
      frame.push(constant ? 0 : 0b10);
      for (const value of constant ? some.subarray(0, 1) : some)
        frame.push((value >> 8) & 0xff, value & 0xff);
    }
    const sum = crc(frame, 0x8005, 16);
    for (const byte of frame) out.push(byte);
    out.push(sum >> 8, sum & 0xff);
  }
  return Uint8Array.from(out);
}

/** The frame's number, coded as UTF-8 codes a character. */
const utf8 = (number: number): number[] => [...new TextEncoder().encode(String.fromCodePoint(number))];

function crc(bytes: readonly number[], polynomial: number, bits: number): number {
  const top = 2 ** (bits - 1);
  const mask = 2 ** bits - 1;
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++) sum = (sum & top ? (sum << 1) ^ polynomial : sum << 1) & mask;
  }
  return sum;
}
