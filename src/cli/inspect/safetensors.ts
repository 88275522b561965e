import { openSafetensors, readSafetensors } from '../../checkpoint/index.ts';

/** One tensor of a checkpoint. */
export interface TensorReport {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What `inspect` says of a checkpoint. */
export interface SafetensorsReport {
  readonly kind: 'safetensors';
  readonly file: string;
  readonly bytes: number;
  /** As the metadata state it: the architecture, or merely the framework that wrote the file (`pt`). */
  readonly format: string | null;
  /** The configuration, parsed where it is JSON. */
  readonly config: unknown;
  /** Numbers in all tensors. */
  readonly parameters: number;
  readonly tensors: readonly TensorReport[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a checkpoint whole, a tensor at a time, so that what is refused on loading (weights that are not finite)
 * is refused here.
 *
 * @param source a path, or the bytes themselves.
 */
export function inspectSafetensors(
  source: string | Uint8Array,
  file: string,
  bytes: number,
): SafetensorsReport {
  if (source instanceof Uint8Array) {
    const { tensors, metadata } = readSafetensors(source, { source: file });
    return reportOf(file, bytes, tensors, metadata);
  }
  const checkpoint = openSafetensors(source, { source: file });
  try {
    for (const name of checkpoint.entries.keys()) checkpoint.read(name);
    return reportOf(file, bytes, checkpoint.entries, checkpoint.metadata);
  } finally {
    checkpoint.close();
  }
}

function reportOf(
  file: string,
  bytes: number,
  entries: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>,
  metadata: ReadonlyMap<string, string>,
): SafetensorsReport {
  const tensors = [...entries].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return {
    kind: 'safetensors',
    file,
    bytes,
    format: metadata.get('format') ?? null,
    config: parsed(metadata.get('config')),
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    tensors,
    metadata: Object.fromEntries(metadata),
  };
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
