/** What a checkpoint's pickle may hold, as data. Nothing here has behaviour of the file's own. */
import type { DType } from '../dtype.ts';
import { quote } from '../message.ts';

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | ByteString
  | PyTuple
  | PyList
  | PyDict
  | Storage
  | StoredTensor
  | Inert
  | GlobalName;

/** What a dictionary's keys may be. */
export type Key = string | number | bigint | boolean | null;

export const isKey = (value: Value): value is Key => value === null || typeof value !== 'object';

/**
 * A value with parts. The fields are filled by `survey`, which looks at shared parts once: a field here costs
 * less memory than a table of all containers.
 */
class Container {
  /** Values and characters when every shared part is written out each time; 0 before, -1 during the survey. */
  weight = 0;
  /** Levels below this one. */
  height = 0;
  /** Tensors below this one. */
  tensors = 0;
}

export class PyTuple extends Container {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }
}

export class PyList extends Container {
  readonly items: Value[] = [];
}

/** A dict or an OrderedDict; both keep the order of their keys. */
export class PyDict extends Container {
  readonly ordered: boolean;
  /** Made when first needed: every tensor of a checkpoint brings an empty dictionary of hooks. */
  #entries: Map<Key, Value> | undefined;
  constructor(ordered = false) {
    super();
    this.ordered = ordered;
  }
  get entries(): ReadonlyMap<Key, Value> {
    return this.#entries ?? NO_ENTRIES;
  }
  set(key: Key, value: Value): void {
    this.#entries ??= new Map();
    this.#entries.set(key, value);
  }
}
const NO_ENTRIES: ReadonlyMap<Key, Value> = new Map();

export const isContainer = (value: Value): value is PyTuple | PyList | PyDict =>
  value instanceof PyTuple || value instanceof PyList || value instanceof PyDict;

/** bytes; of no use in a checkpoint but now and then there. */
export class ByteString {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** The archive's entry `data/<key>`: `count` elements of `dtype`. */
export class Storage {
  readonly key: string;
  readonly dtype: DType;
  readonly count: number;
  /** Saved as UntypedStorage: the tensor brings the element type. */
  readonly untyped: boolean;
  constructor(key: string, dtype: DType, count: number, untyped: boolean) {
    this.key = key;
    this.dtype = dtype;
    this.count = count;
    this.untyped = untyped;
  }
}

/** A view of a storage; offset and strides count elements of `dtype`. */
export class StoredTensor {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  constructor(
    storage: Storage,
    dtype: DType,
    shape: readonly number[],
    strides: readonly number[],
    offset: number,
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
  }
}

/** A device or a dtype, as PyTorch writes it: `cuda:0`, `torch.float32`. */
export class Inert {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A name from the list of allowed ones, not yet called. What a call makes is in `globals.ts`. */
export class GlobalName {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

/** How messages name a value's kind. */
export function kindOf(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof PyTuple) return 'a tuple';
  if (value instanceof PyList) return 'a list';
  if (value instanceof PyDict) return 'a dictionary';
  if (value instanceof ByteString) return 'bytes';
  if (value instanceof Storage) return 'a storage';
  if (value instanceof StoredTensor) return 'a tensor';
  if (value instanceof Inert) return quote(value.text);
  if (value instanceof GlobalName) return value.path;
  return typeof value === 'string' ? 'a text' : typeof value === 'boolean' ? 'a truth value' : 'a number';
}
