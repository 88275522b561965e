/**
 * The names that a checkpoint's pickle may use, and what each stands for. It is a list of what is allowed: a
 * name that is not here is refused, and those that are here only ever make the plain data of `values.ts`.
 *
 * Source: pytorch `torch/_utils.py` (`_rebuild_tensor_v2`, `_rebuild_tensor_v3`, `_rebuild_parameter`,
 * `_rebuild_parameter_with_state`), `torch/serialization.py` (`persistent_id`, `persistent_load`),
 * `torch/_weights_only_unpickler.py` (`_get_allowed_globals`).
 */
import type { DType } from '../dtype.ts';
import { ELEMENT } from '../dtype.ts';
import { quote } from '../message.ts';
import { GlobalName, Inert, kindOf, PyDict, PyTuple, Storage, StoredTensor, type Value } from './values.ts';

/** The most axes a tensor may have; NumPy allows as many. */
const MAX_RANK = 64;

/** The longest path that is looked up; those of the list take some 40 characters. */
const MAX_PATH = 256;

/** Stops reading, with the place. */
export type Fail = (what: string) => never;

const STORAGES: Readonly<Record<string, DType>> = {
  'torch.FloatStorage': 'F32',
  'torch.DoubleStorage': 'F64',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};
const UNTYPED = 'torch.storage.UntypedStorage';

/** dtypes, by name; those without an element type here are data of a configuration alone. */
const DTYPE_NAMES: Readonly<Record<string, DType | undefined>> = {
  'torch.float32': 'F32',
  'torch.float64': 'F64',
  'torch.float16': 'F16',
  'torch.bfloat16': 'BF16',
  'torch.int64': 'I64',
  'torch.int32': 'I32',
  'torch.int16': 'I16',
  'torch.int8': 'I8',
  'torch.uint8': 'U8',
  'torch.uint16': 'U16',
  'torch.uint32': 'U32',
  'torch.uint64': 'U64',
  'torch.bool': 'BOOL',
  'torch.complex64': undefined,
  'torch.complex128': undefined,
};

type Call = (args: readonly Value[], fail: Fail) => Value;

const CALLS: Readonly<Record<string, Call>> = {
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor_v3': rebuildTensorOfType,
  'torch._utils._rebuild_parameter': rebuildParameter,
  'torch._utils._rebuild_parameter_with_state': rebuildParameter,
  'collections.OrderedDict': (args, fail) =>
    args.length === 0 ? new PyDict(true) : fail('OrderedDict is made of arguments; the pickle is damaged'),
  'torch.Size': ([lengths, ...more], fail) =>
    lengths instanceof PyTuple && more.length === 0
      ? lengths
      : fail('torch.Size is made of something else than a tuple; the pickle is damaged'),
  'torch.device': ([type, index, ...more], fail) =>
    typeof type === 'string' && (index === undefined || typeof index === 'number') && more.length === 0
      ? new Inert(index === undefined ? type : `${type}:${index}`)
      : fail('torch.device is made of something else than a name and a number; the pickle is damaged'),
};

/** Made once: a pickle may name them any number of times. */
const ALLOWED: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...[...Object.keys(CALLS), ...Object.keys(STORAGES), UNTYPED, 'torch.storage.TypedStorage'].map(
    (path) => [path, new GlobalName(path)] as const,
  ),
  ...Object.keys(DTYPE_NAMES).map((path) => [path, new Inert(path)] as const),
]);

const CURE =
  'export the state_dict alone (torch.save(model.state_dict(), path)), or convert it to safetensors';

/** The value that `module` and `name` stand for. */
export function findGlobal(module: string, name: string, fail: Fail): Value {
  if (module.length + name.length > MAX_PATH)
    fail(`a name of ${module.length + name.length} characters; ${CURE}`);
  const path = `${module}.${name}`;
  const found = ALLOWED.get(path);
  // "a.b" + "c" and "a" + "b.c" are one path here and two things for Python: names have no dots on the list.
  if (found !== undefined && !name.includes('.')) return found;
  if (/^torch\.Complex\w+Storage$/.test(path)) {
    fail(`${quote(path)}: complex tensors are not read; save torch.view_as_real of them`);
  }
  return fail(`${quote(path)} is not allowed in a checkpoint, and was not run; ${CURE}`);
}

/** What calling `callee` makes; nothing but the functions above can be called. */
export function callGlobal(callee: Value, args: Value, fail: Fail): Value {
  const call =
    callee instanceof GlobalName && Object.hasOwn(CALLS, callee.path) ? CALLS[callee.path] : undefined;
  if (!call) return fail(`REDUCE calls ${kindOf(callee)}, which cannot be called; ${CURE}`);
  if (!(args instanceof PyTuple))
    return fail(`REDUCE has ${kindOf(args)} for arguments; the pickle is damaged`);
  return call(args.items, fail);
}

/** `('storage', type, key, location, number of elements)`: the one kind of persistent id. */
export function storageOf(id: Value, fail: Fail): Storage {
  if (!(id instanceof PyTuple) || id.items[0] !== 'storage') {
    const kind = id instanceof PyTuple ? id.items[0] : id;
    return fail(
      `a persistent id is no storage but ${typeof kind === 'string' ? quote(kind) : kindOf(kind)}, and was not looked up; ${CURE}`,
    );
  }
  const [, type, key, location, count] = id.items;
  const path = type instanceof GlobalName ? type.path : '';
  const dtype = path === UNTYPED ? 'U8' : Object.hasOwn(STORAGES, path) ? STORAGES[path] : undefined;
  if (!dtype)
    return fail(`a storage is of type ${kindOf(type)}, which holds no elements; the pickle is damaged`);
  if (id.items.length !== 5 || typeof key !== 'string' || typeof location !== 'string' || !isNatural(count)) {
    return fail('a storage is not given by type, key, location and count; the pickle is damaged');
  }
  return new Storage(key, dtype, count, path === UNTYPED);
}

const isNatural = (value: Value | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** The tuple's own items, not a copy: a thousand tensors may share them. */
function naturals(value: Value | undefined, what: string, fail: Fail): readonly number[] {
  const items: readonly Value[] | undefined = value instanceof PyTuple ? value.items : undefined;
  if (!items || items.length > MAX_RANK || !items.every(isNatural)) {
    return fail(`a tensor's ${what} is no tuple of up to ${MAX_RANK} natural numbers; the pickle is damaged`);
  }
  return items;
}

/** `(storage, offset, size, stride, requires_grad, hooks[, metadata])` */
function rebuildTensor(args: readonly Value[], fail: Fail): Value {
  if (args.length < 6 || args.length > 7) return fail(`a tensor has ${args.length} arguments, not 6 or 7`);
  return viewOf(args, undefined, args[6], fail);
}

/** `(storage, offset, size, stride, requires_grad, hooks, dtype[, metadata])`: the types that have no storage class. */
function rebuildTensorOfType(args: readonly Value[], fail: Fail): Value {
  if (args.length < 7 || args.length > 8) return fail(`a tensor has ${args.length} arguments, not 7 or 8`);
  const name = args[6] instanceof Inert ? args[6].text : '';
  const dtype = Object.hasOwn(DTYPE_NAMES, name) ? DTYPE_NAMES[name] : undefined;
  if (!dtype)
    return fail(`a tensor is of dtype ${kindOf(args[6])}, which is not read; convert it to float32`);
  return viewOf(args, dtype, args[7], fail);
}

function viewOf(
  args: readonly Value[],
  dtype: DType | undefined,
  flags: Value | undefined,
  fail: Fail,
): Value {
  const [storage, offset, size, stride] = args;
  if (!(storage instanceof Storage)) return fail(`a tensor is made of ${kindOf(storage)}, not of a storage`);
  if (!isNatural(offset))
    return fail("a tensor's storage offset is no natural number; the pickle is damaged");
  // Views whose sign or conjugate torch takes while reading ({"neg": True}, {"conj": True}).
  if (flags !== undefined && flags !== null && !(flags instanceof PyDict && flags.entries.size === 0)) {
    return fail('a tensor is a conjugate or negative view; save it after .resolve_conj().resolve_neg()');
  }
  const shape = naturals(size, 'size', fail);
  const strides = naturals(stride, 'stride', fail);
  if (shape.length !== strides.length) {
    return fail(`a tensor has ${shape.length} lengths and ${strides.length} strides; the pickle is damaged`);
  }
  const type = dtype ?? storage.dtype;
  if (!storage.untyped && ELEMENT[type].bytes !== ELEMENT[storage.dtype].bytes) {
    return fail(`a tensor of ${type} lies in a storage of ${storage.dtype}; the pickle is damaged`);
  }
  return new StoredTensor(storage, type, shape, strides, offset);
}

/** `(data, requires_grad, hooks[, state])`: the tensor itself; attributes that somebody hung on it are left. */
function rebuildParameter(args: readonly Value[], fail: Fail): Value {
  const [data] = args;
  if (!(data instanceof StoredTensor) || args.length < 3 || args.length > 4) {
    return fail('a parameter is not made of a tensor; the pickle is damaged');
  }
  return data;
}
