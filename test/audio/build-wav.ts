/** What a WAV file of the tests is made of; everything can be made to lie. */
export interface BuildOptions {
  readonly form?: 'RIFF' | 'RIFX' | 'RF64' | 'BW64';
  readonly tag?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits?: number;
  readonly container?: number;
  readonly extensible?: { readonly validBits: number; readonly mask?: number };
  readonly fmtExtra?: readonly number[];
  readonly blockAlign?: number;
  readonly byteRate?: number;
  readonly riffSize?: number;
  readonly dataSize?: number;
  readonly before?: readonly Uint8Array[];
  readonly after?: readonly Uint8Array[];
  readonly pad?: boolean;
  readonly ds64?: { readonly riff: bigint; readonly data: bigint };
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** A chunk with its padding. */
export function chunk(
  id: string,
  content: Uint8Array,
  { size = content.length, big = false, pad = true } = {},
): Uint8Array {
  const head = new Uint8Array(8);
  head.set(bytesOf(id));
  new DataView(head.buffer).setUint32(4, size, !big);
  return concat([head, content, new Uint8Array(pad ? content.length % 2 : 0)]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A WAV file around `data`, written without anything of the project. */
export function buildWav(data: Uint8Array, o: BuildOptions = {}): Uint8Array {
  const { form = 'RIFF', tag = 1, channels = 1, rate = 8000, bits = 16, pad = true } = o;
  const big = form === 'RIFX';
  const container = o.container ?? Math.ceil(bits / 8);
  const align = o.blockAlign ?? container * channels;
  const fmt = new DataView(new ArrayBuffer(o.extensible ? 40 : 16));
  fmt.setUint16(0, o.extensible ? 0xfffe : tag, !big);
  fmt.setUint16(2, channels, !big);
  fmt.setUint32(4, rate, !big);
  fmt.setUint32(8, o.byteRate ?? rate * align, !big);
  fmt.setUint16(12, align, !big);
  fmt.setUint16(14, bits, !big);
  if (o.extensible) {
    fmt.setUint16(16, 22, !big);
    fmt.setUint16(18, o.extensible.validBits, !big);
    fmt.setUint32(20, o.extensible.mask ?? 0, !big);
    fmt.setUint32(24, tag, !big);
    const tail = big ? [0, 0, 0, 0x10] : [0, 0, 0x10, 0];
    [...tail, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71].forEach((byte, i) => fmt.setUint8(28 + i, byte));
  }
  const parts: Uint8Array[] = [];
  if (o.ds64) {
    const ds64 = new DataView(new ArrayBuffer(28));
    ds64.setBigUint64(0, o.ds64.riff, true);
    ds64.setBigUint64(8, o.ds64.data, true);
    parts.push(chunk('ds64', new Uint8Array(ds64.buffer)));
  }
  parts.push(...(o.before ?? []));
  parts.push(chunk('fmt ', concat([new Uint8Array(fmt.buffer), Uint8Array.from(o.fmtExtra ?? [])]), { big }));
  parts.push(chunk('data', data, { size: o.dataSize ?? data.length, big, pad }));
  parts.push(...(o.after ?? []));
  const body = concat([bytesOf('WAVE'), ...parts]);
  return chunk(form, body, { size: o.riffSize ?? body.length, big, pad: false });
}

/** Whole numbers as samples of `container` bytes, two's complement. */
export function integers(values: readonly bigint[], container: number, big = false): Uint8Array {
  const out = new Uint8Array(values.length * container);
  values.forEach((value, i) => {
    for (let k = 0; k < container; k++) {
      const byte = Number((BigInt.asUintN(8 * container, value) >> BigInt(8 * k)) & 255n);
      out[i * container + (big ? container - 1 - k : k)] = byte;
    }
  });
  return out;
}

/** Bytes as a stream in pieces of the given lengths, over and over; counts what was asked for. */
export function streamOf(bytes: Uint8Array, pieces: readonly number[]) {
  const state = { pulled: 0, returned: false };
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = pieces[i % pieces.length]!;
        state.pulled += Math.min(size, bytes.length - at);
        yield bytes.subarray(at, at + size);
        at += size;
      }
    } finally {
      state.returned = true;
    }
  }
  return { stream: generate(), state };
}
