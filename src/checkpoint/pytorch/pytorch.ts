/**
 * PyTorch's checkpoints (`.pt`, `.pth`, `.ckpt`, what `torch.save` of 1.6 and later writes) without Python, and
 * without running anything that a file asks for: its pickle is read as data, by a list of what is allowed.
 *
 * Source: pytorch `torch/serialization.py` (`_save`, `_load`), `torch/_utils.py`; CPython `Lib/pickletools.py`.
 */
import { FormatError } from '../../errors.ts';
import { ELEMENT, type DType } from '../dtype.ts';
import { decodeElements } from '../elements.ts';
import { quote } from '../message.ts';
import type { Checkpoint, ReadOptions } from '../safetensors.ts';
import { elementCount, type Tensor } from '../tensor.ts';
import { openArchive, type TorchArchive } from './archive.ts';
import { fileBytes, memoryBytes, type RandomAccess } from './bytes.ts';
import { flatten } from './flatten.ts';
import { findRoot } from './root.ts';
import { gather, viewFault } from './strided.ts';
import { survey } from './survey.ts';
import { unpickle } from './unpickle.ts';
import type { StoredTensor } from './values.ts';

export interface ReadPytorchOptions extends ReadOptions {
  /**
   * The keys that lead to the dictionary to read, joined by dots; `''` reads everything from the top. By default
   * the one dictionary that holds tensors, such as `state_dict` or `model`, beside the training's state.
   */
  readonly root?: string;
}

/**
 * What all tensors may take together, in times of what the storages hold, and a little beyond that: float16
 * takes twice, tied weights twice; a view that repeats one element a billion times (stride 0) does not pass.
 */
const MOST_EXPANSION = 8;
const EXPANSION_FREE_BYTES = 4 * 2 ** 20;

/**
 * Reads a PyTorch checkpoint.
 *
 * Tensors are named by their keys below the root, joined by dots, and copied to row-major order where they are
 * views. Beside them `metadata` has what is plain data, named from the top: texts as they are; numbers, lists
 * and dictionaries as JSON. The state of optimisers, schedulers and random generators is left.
 *
 * @param input a path, or the whole file: then aligned tensors are views of it, so do not change it afterwards.
 * @throws FormatError for anything that is not as the format says, for a pickle that asks for more than data
 *   (it names module, name and byte), for weights that are not finite, and when there are several models;
 *   ArgumentError when `root` leads nowhere.
 * @example
 * const { tensors, metadata } = readPytorch('checkpoint.pth', { root: 'model_state_dict' });
 * const kernel = toFloat64(tensors.get('encoder.0.kernel.C')!);
 * const epoch = Number(metadata.get('epoch'));
 */
export function readPytorch(input: Uint8Array | string, options: ReadPytorchOptions = {}): Checkpoint {
  const { source = typeof input === 'string' ? input : 'checkpoint' } = options;
  const file = typeof input === 'string' ? fileBytes(input, source) : memoryBytes(input);
  try {
    return read(file, source, options);
  } finally {
    file.close();
  }
}

function read(file: RandomAccess, source: string, options: ReadPytorchOptions): Checkpoint {
  const archive = openArchive(file, source);
  const top = unpickle(archive.pickle, source);
  survey(top, (what) => {
    throw new FormatError(`${source}: data.pkl: ${what}`);
  });
  const { tensors: views, metadata } = flatten(findRoot(top, options.root, source), source);
  checkStorages(views, archive, source);

  const storages = new StorageReader(archive);
  const tensors = new Map<string, Tensor>();
  for (const [name, view] of views) {
    const bytes = gather(storages.read(view), view);
    const info = { dtype: view.dtype, shape: [...view.shape], begin: 0, end: bytes.length };
    tensors.set(name, decodeElements(bytes, info, name, source, options.allowNonFinite ?? false));
  }
  return { source, tensors, metadata };
}

/** Holds every tensor against its storage and its storage against the archive, before any data is read. */
function checkStorages(
  views: ReadonlyMap<string, StoredTensor>,
  archive: TorchArchive,
  source: string,
): void {
  const known = new Map<string, StoredTensor>();
  let stored = 0;
  let taken = 0;
  for (const [name, view] of views) {
    const fail = (what: string): never => {
      throw new FormatError(`${source}: tensor ${quote(name)}: ${what}`);
    };
    const { storage } = view;
    const bytes = storage.count * ELEMENT[storage.dtype].bytes;
    const place = `storage data/${storage.key.slice(0, 64)}`;
    const before = known.get(storage.key);
    if (!before) {
      const entry = archive.entryOf(storage.key);
      if (!entry) return fail(`${place} is not in the archive; was the tensor on the device "meta"?`);
      if (entry.size !== bytes) {
        fail(
          `${place} has ${entry.size} bytes, and ${storage.count} elements of ${storage.dtype} take ${bytes}; the file is damaged`,
        );
      }
      known.set(storage.key, view);
      stored += bytes;
    } else if (before.dtype !== view.dtype || before.storage.count !== storage.count) {
      fail(
        `${place} is ${storage.count} elements seen as ${view.dtype} here, ${before.storage.count} seen as ${before.dtype} elsewhere; save a copy of one`,
      );
    }
    const fault = viewFault(view);
    if (fault) fail(fault);
    taken += elementCount(view.shape)! * inMemory(view.dtype);
  }
  if (taken > MOST_EXPANSION * stored + EXPANSION_FREE_BYTES) {
    throw new FormatError(
      `${source}: the tensors take ${taken} bytes, and their storages have ${stored}: views that repeat elements; save them after .contiguous()`,
    );
  }
}

/** Bytes of an element in memory, where the 16-bit floats are widened. */
const inMemory = (dtype: DType): number => (dtype === 'F16' || dtype === 'BF16' ? 4 : ELEMENT[dtype].bytes);

/** Reads each storage once, little-endian and aligned. */
class StorageReader {
  readonly #archive: TorchArchive;
  readonly #read = new Map<string, Uint8Array>();

  constructor(archive: TorchArchive) {
    this.#archive = archive;
  }

  read({ storage, dtype }: StoredTensor): Uint8Array {
    const known = this.#read.get(storage.key);
    if (known) return known;
    let bytes = this.#archive.read(this.#archive.entryOf(storage.key)!);
    // An untyped storage is swapped in the width of the tensors in it, which are all of one type by now.
    const width = ELEMENT[dtype].bytes;
    const swapped = this.#archive.bigEndian && width > 1;
    if (swapped || bytes.byteOffset % 8 !== 0) bytes = bytes.slice();
    if (swapped) swap(bytes, width);
    this.#read.set(storage.key, bytes);
    return bytes;
  }
}

function swap(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - (bytes.length % width));
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else buffer.swap64();
}
