import { openSafetensors, readPytorch, readSafetensors } from '../../checkpoint/index.ts';

/** One tensor of a checkpoint. */
export interface TensorReport {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What `inspect` says of a checkpoint. */
export interface CheckpointReport {
  readonly kind: 'safetensors' | 'pytorch';
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
 * Reads a safetensors file whole, a tensor at a time, so that what is refused on loading (weights that are not finite)
 * is refused here.
 *
 * @param source a path, or the bytes themselves.
 */
export function inspectSafetensors(
  source: string | Uint8Array,
  file: string,
  bytes: number,
): CheckpointReport {
  if (source instanceof Uint8Array) {
    const { tensors, metadata } = readSafetensors(source, { source: file });
    return reportOf('safetensors', file, bytes, tensors, metadata);
  }
  const checkpoint = openSafetensors(source, { source: file });
  try {
    for (const name of checkpoint.entries.keys()) checkpoint.read(name);
    return reportOf('safetensors', file, bytes, checkpoint.entries, checkpoint.metadata);
  } finally {
    checkpoint.close();
  }
}

/**
 * The same of a PyTorch checkpoint: all there is from its top, so that the names show what `--root` may be; the
 * training's state is left.
 */
export function inspectPytorch(source: string | Uint8Array, file: string, bytes: number): CheckpointReport {
  const { tensors, metadata } = readPytorch(source, { source: file, root: '' });
  return reportOf('pytorch', file, bytes, tensors, metadata);
}

function reportOf(
  kind: CheckpointReport['kind'],
  file: string,
  bytes: number,
  entries: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>,
  metadata: ReadonlyMap<string, string>,
): CheckpointReport {
  const tensors = [...entries].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return {
    kind,
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
