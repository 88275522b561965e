/** A checkpoint's dictionaries as flat names: tensors, and what is plain data as metadata. */
import { FormatError } from '../../errors.ts';
import { quote } from '../message.ts';
import { nameFault } from '../name-rules.ts';
import { isTrainingState, type Root } from './root.ts';
import {
  ByteString,
  GlobalName,
  Inert,
  PyDict,
  PyList,
  PyTuple,
  Storage,
  StoredTensor,
  type Key,
  type Value,
} from './values.ts';

/** What names may take, in bytes, as for safetensors: nested keys make names longer than the file. */
const NAME_BUDGET = 1.5 * 2 ** 20;
const NAME_COST = 128;

export interface Flat {
  /** By name below the root, such as `encoder.0.weight`. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** By name from the top: a text as it is, anything else as JSON. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Names every tensor below the root, and every plain entry beside and below it.
 *
 * @param root in a surveyed value, so that walking it ends.
 * @throws FormatError for names that a checkpoint may not use, and for two of the same name.
 */
export function flatten(root: Root, source: string): Flat {
  const flattener = new Flattener(source);
  flattener.tensorsOf(root.dict, '');
  flattener.plainOf(root.top, '', root, 0);
  return flattener;
}

class Flattener {
  readonly tensors = new Map<string, StoredTensor>();
  readonly metadata = new Map<string, string>();
  readonly #source: string;
  #budget = NAME_BUDGET;

  constructor(source: string) {
    this.#source = source;
  }

  tensorsOf(container: PyDict | PyList | PyTuple, prefix: string): void {
    for (const [key, value] of partsOf(container)) {
      if (value instanceof StoredTensor) this.#add(this.tensors, 'tensor', prefix, key, value);
      else if (isHolder(value)) this.tensorsOf(value, this.#join(prefix, key));
    }
  }

  /** `level`: keys of the root's path behind us; beyond its end we are in the root. */
  plainOf(dict: PyDict, prefix: string, root: Root, level: number): void {
    const inside = level >= root.path.length;
    for (const [key, value] of dict.entries) {
      const onPath = !inside && value instanceof PyDict && root.path[level] === key;
      if (!onPath && !inside && isTrainingState(key)) continue;
      const text = onPath ? undefined : plainText(value, this.#source);
      if (text !== undefined) this.#add(this.metadata, 'metadata', prefix, key, text);
      // Off the path only what is plain as a whole is taken: the rest is another model's.
      else if (value instanceof PyDict && (onPath || inside)) {
        this.plainOf(value, this.#join(prefix, key), root, inside ? level : level + 1);
      }
    }
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) {
      throw new FormatError(
        `${this.#source}: more entries, or longer names, than the ${NAME_BUDGET} bytes reserved for them hold; export the state_dict alone`,
      );
    }
  }

  #join(prefix: string, key: Key): string {
    const text = String(key);
    this.#spend(prefix.length + text.length);
    return `${prefix}${text}.`;
  }

  #add<V>(into: Map<string, V>, kind: string, prefix: string, key: Key, value: V): void {
    const text = String(key);
    this.#spend(NAME_COST + prefix.length + text.length);
    const name = prefix + text;
    const fault = nameFault(name) ?? (into.has(name) ? 'appears twice; rename one' : undefined);
    if (fault) throw new FormatError(`${this.#source}: ${kind} ${quote(name)}: the name ${fault}`);
    into.set(name, value);
  }
}

const partsOf = (container: PyDict | PyList | PyTuple): Iterable<[Key, Value]> =>
  container instanceof PyDict ? container.entries : container.items.entries();

const isHolder = (value: Value): value is PyDict | PyList | PyTuple =>
  (value instanceof PyDict || value instanceof PyList || value instanceof PyTuple) && value.tensors > 0;

/** A text as it is, other plain data as JSON; undefined for what is not plain. */
function plainText(value: Value, source: string): string | undefined {
  return typeof value === 'string' ? value : toJson(value, source);
}

/**
 * JSON of None, numbers, texts, lists, tuples, dictionaries, dtypes and devices (these as texts). NaN and the
 * infinities, which JSON lacks, are texts too. undefined where a tensor, bytes or a class is part of it.
 */
function toJson(value: Value, source: string): string | undefined {
  if (value instanceof Inert) return JSON.stringify(value.text);
  if (value instanceof PyDict) {
    const members: string[] = [];
    for (const [key, item] of value.entries) {
      const fault = nameFault(String(key));
      if (fault) throw new FormatError(`${source}: key ${quote(String(key))} ${fault}`);
      const text = toJson(item, source);
      if (text === undefined) return undefined;
      members.push(`${JSON.stringify(String(key))}:${text}`);
    }
    return `{${members.join(',')}}`;
  }
  if (value instanceof PyList || value instanceof PyTuple) {
    const items: string[] = [];
    for (const item of value.items) {
      const text = toJson(item, source);
      if (text === undefined) return undefined;
      items.push(text);
    }
    return `[${items.join(',')}]`;
  }
  if (value instanceof ByteString || value instanceof GlobalName) return undefined;
  if (value instanceof Storage || value instanceof StoredTensor) return undefined;
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(typeof value === 'number' && !Number.isFinite(value) ? String(value) : value);
}
