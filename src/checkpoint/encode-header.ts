/** The header of a safetensors file, as the official writer (`tensor.rs`, `prepare`) writes it. */
import type { Header } from './header.ts';

/**
 * The 8 bytes of length and the header, padded with spaces to a multiple of 8 bytes.
 *
 * @param metadata written in the order of its keys' code points; left out when empty.
 */
export function encodeHeader({ tensors, metadata }: Header): Uint8Array {
  const parts: string[] = [];
  if (metadata.size > 0) {
    const texts = [...metadata].sort(([a], [b]) => compareCodePoints(a, b));
    const pairs = texts.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    parts.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  for (const [name, { dtype, shape, begin, end }] of tensors) {
    const info = `{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`;
    parts.push(`${JSON.stringify(name)}:${info}`);
  }
  const json = new TextEncoder().encode(`{${parts.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

/** The order of UTF-8 bytes, which is the one of code points; JavaScript's `<` compares UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i].codePointAt(0)! - right[i].codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
