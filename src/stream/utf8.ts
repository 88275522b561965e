/**
 * UTF-8 of text and back, by the engine where it has that: an AudioWorklet has neither `TextEncoder` nor `TextDecoder`.
 */
const native =
  'TextDecoder' in globalThis
    ? { encoder: new globalThis.TextEncoder(), decoder: new globalThis.TextDecoder() }
    : undefined;

/** Bytes of a text; lone surrogates become U+FFFD. */
export const encodeUtf8 = (text: string): Uint8Array => native?.encoder.encode(text) ?? encodePlain(text);

/** The text of bytes; U+FFFD for what is no UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string => native?.decoder.decode(bytes) ?? decodePlain(bytes);

const PERCENT = 0x25;

/** @internal By the escapes of URIs, which every engine knows. */
export function encodePlain(text: string): Uint8Array {
  const escaped = encodeURIComponent(text.toWellFormed());
  const bytes = new Uint8Array(escaped.length);
  let length = 0;
  for (let i = 0; i < escaped.length; i++) {
    const code = escaped.charCodeAt(i);
    if (code === PERCENT) {
      bytes[length++] = Number.parseInt(escaped.slice(i + 1, i + 3), 16);
      i += 2;
    } else {
      bytes[length++] = code;
    }
  }
  return bytes.slice(0, length);
}

/** @internal A single U+FFFD where the bytes as a whole are no UTF-8. */
export function decodePlain(bytes: Uint8Array): string {
  let escaped = '';
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  try {
    return decodeURIComponent(escaped);
  } catch {
    return '\ufffd';
  }
}
