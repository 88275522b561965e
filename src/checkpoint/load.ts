/** Checkpoints of either format, told apart by what is in them and not by their names. */
import { ArgumentError } from '../errors.ts';
import { fileBytes } from './pytorch/bytes.ts';
import { readPytorch, type ReadPytorchOptions } from './pytorch/pytorch.ts';
import { loadSafetensors } from './safetensors-file.ts';
import type { Checkpoint } from './safetensors.ts';

/**
 * Reads a safetensors file or a PyTorch checkpoint.
 *
 * @throws as `loadSafetensors` and `readPytorch`; ArgumentError for `root` with safetensors, which are flat.
 * @example
 * const { tensors, metadata } = loadCheckpoint('model.pth');
 */
export function loadCheckpoint(path: string, options: ReadPytorchOptions = {}): Checkpoint {
  const { source = path, root } = options;
  if (looksPytorch(startOf(path, source))) return readPytorch(path, options);
  if (root !== undefined) {
    throw new ArgumentError(
      `${source}: root ${JSON.stringify(root)} leads into a PyTorch checkpoint, and this is none; leave it out`,
    );
  }
  return loadSafetensors(path, options);
}

function startOf(path: string, source: string): Uint8Array {
  const file = fileBytes(path, source);
  try {
    return file.read(0, Math.min(9, file.length));
  } finally {
    file.close();
  }
}

/**
 * Whether a file is a PyTorch checkpoint, by its first 9 bytes, fewer only if there are no more.
 *
 * A ZIP file starts with "PK", a pickle with 0x80. So may a safetensors file, whose first 8 bytes are the length
 * of its header: but those lengths fit in 4 bytes, so that zeros follow, and then the header's brace.
 */
export function looksPytorch(start: Uint8Array): boolean {
  const zip = start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
  const pickle = start[0] === 0x80 && start[1] >= 2 && start[1] <= 5;
  const header = start.subarray(4, 8).every((byte) => byte === 0) && (start[8] === 0x7b || start[8] === 0x20);
  return (zip || pickle) && !header;
}
