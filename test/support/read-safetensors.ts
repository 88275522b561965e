import { readFileSync } from 'node:fs';

export interface GoldenTensor {
  readonly shape: readonly number[];
  /** The values widened to float64, row-major. */
  readonly values: Float64Array;
}

export interface GoldenFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
  /** The tensor's values; a missing name fails the test with the names that there are. */
  values(name: string): Float64Array;
}

/** Reads F32 and F64 tensors. A test-only reader, so that numerical tests do not lean on the one under test elsewhere. */
export function readSafetensors(path: string): GoldenFile {
  const bytes = new Uint8Array(readFileSync(path)).buffer;
  const start = 8 + Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.slice(8, start))) as Record<string, never>;
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, never>;
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets } = entry as {
      dtype: string;
      shape: number[];
      data_offsets: number[];
    };
    const data = bytes.slice(start + data_offsets[0], start + data_offsets[1]);
    if (dtype !== 'F32' && dtype !== 'F64') throw new Error(`${path}: ${name} is ${dtype}, not F32 or F64`);
    const values = dtype === 'F64' ? new Float64Array(data) : Float64Array.from(new Float32Array(data));
    tensors.set(name, { shape, values });
  }
  const values = (name: string): Float64Array => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`${path} has no tensor ${name}; it has ${[...tensors.keys()].join(', ')}`);
    return tensor.values;
  };
  return { metadata, tensors, values };
}
