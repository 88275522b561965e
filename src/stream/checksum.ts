import { encodeUtf8 } from './utf8.ts';

/** CRC-32 (IEEE 802.3, reflected), for snapshots. */
const table = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** 64-bit FNV-1a in two 32-bit halves, as 16 hexadecimal digits: tells models apart, is no secret. */
export class Hash {
  #low = 0x84222325;
  #high = 0xcbf29ce4;

  bytes(data: Uint8Array): this {
    let low = this.#low;
    let high = this.#high;
    for (const byte of data) {
      low ^= byte;
      // × 0x100000001b3, in 16-bit pieces so that nothing exceeds 2^53.
      const product = (low & 0xffff) * 0x1b3;
      const middle = (low >>> 16) * 0x1b3 + Math.floor(product / 65536);
      const carry = Math.floor(middle / 65536);
      high = (Math.imul(high, 0x1b3) + Math.imul(low, 0x100) + carry) >>> 0;
      low = (((middle & 0xffff) << 16) | (product & 0xffff)) >>> 0;
    }
    this.#low = low;
    this.#high = high;
    return this;
  }

  text(value: string): this {
    return this.bytes(encodeUtf8(`${value}\n`));
  }

  numbers(values: Float64Array): this {
    return this.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  digest(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }
}
