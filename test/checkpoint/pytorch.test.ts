import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCheckpoint, readPytorch, writeSafetensors, tensor } from '../../src/checkpoint/index.ts';
import { ArgumentError, FormatError } from '../../src/errors.ts';
import {
  bytesOf,
  checkpointOf,
  dictOf,
  floats,
  global,
  int,
  storage,
  tensorOp,
  unicode,
  zipOf,
} from './pytorch-support.ts';
import { thrownBy } from './support.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/pytorch/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'statewave-pytorch-'));
afterAll(() => rmSync(folder, { recursive: true }));

const quarters = (...counts: readonly number[]) => Float32Array.from(counts, (n) => n / 4);

/** What scripts/make-pytorch-fixtures.py put in: the shared storage holds 0, 1/4, 2/4, … 23/4. */
const STATE_DICT: Readonly<Record<string, ReturnType<typeof tensor>>> = {
  'layer.weight': tensor('F32', [2, 3], quarters(0, 1, 2, 3, 4, 5)),
  'layer.tied': tensor('F32', [2, 3], quarters(0, 1, 2, 3, 4, 5)),
  'view.offset': tensor('F32', [2, 2], quarters(5, 6, 7, 8)),
  'view.transposed': tensor('F32', [3, 2], quarters(0, 3, 1, 4, 2, 5)),
  'view.every_second': tensor('F32', [2, 2, 3], quarters(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23)),
  'view.expanded': tensor('F32', [2, 3], quarters(3, 4, 5, 3, 4, 5)),
  'view.long_axis_of_one': tensor('F32', [1, 4], quarters(2, 3, 4, 5)),
  scalar: tensor('F32', [], Float32Array.of(2.5)),
  empty: tensor('F32', [0, 3], new Float32Array(0)),
  double: tensor('F64', [2], Float64Array.of(0.1, -1e300)),
  half: tensor('F16', [3], Float32Array.of(1.5, -65504, 2 ** -24)),
  bfloat16: tensor('BF16', [2], Float32Array.of(1, -3.140625)),
  long: tensor('I64', [2], BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)),
  int: tensor('I32', [2], Int32Array.of(-5, 2 ** 31 - 1)),
  short: tensor('I16', [2], Int16Array.of(-32768, 7)),
  char: tensor('I8', [2], Int8Array.of(-128, 127)),
  byte: tensor('U8', [2], Uint8Array.of(0, 255)),
  bool: tensor('BOOL', [3], Uint8Array.of(1, 0, 1)),
  uint16: tensor('U16', [2], Uint16Array.of(1, 65535)),
  parameter: tensor('F32', [1], Float32Array.of(0.125)),
  parameter_with_state: tensor('F32', [1], Float32Array.of(0.25)),
};

/** Tensors by name with their elements as plain numbers, so that views compare like copies. */
const plain = (tensors: ReadonlyMap<string, ReturnType<typeof tensor>>) =>
  [...tensors].map(([name, { dtype, shape, data }]) => [
    name,
    dtype,
    [...shape],
    data.constructor.name,
    Array.from(data as Float64Array),
  ]);
const expected = plain(new Map(Object.entries(STATE_DICT)));

describe('a state_dict', () => {
  it.each([
    ['as torch.save writes it', 'state-dict.pth'],
    ['in protocol 4', 'state-dict-protocol4.pth'],
    ['in protocol 5', 'state-dict-protocol5.pth'],
    ['from a big-endian machine', 'state-dict-big-endian.pth'],
    ['deflated', 'state-dict-deflated.pth'],
    ['with zip64 entries', 'state-dict-zip64.pth'],
  ])('%s is read with every type and view', (_, name) => {
    const fromFile = readPytorch(fixture(name));
    expect(plain(fromFile.tensors)).toEqual(expected);
    expect(fromFile.source).toBe(fixture(name));
    expect(fromFile.metadata.size).toBe(0);
    const bytes = new Uint8Array(readFileSync(fixture(name)));
    const before = bytes.slice();
    expect(plain(readPytorch(bytes).tensors)).toEqual(expected);
    // Also where nothing in the file is aligned.
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(plain(readPytorch(shifted.subarray(1)).tensors)).toEqual(expected);
    expect(bytes).toEqual(before);
  });

  it('is not copied where it lies aligned in memory', () => {
    const buffer = new ArrayBuffer(readFileSync(fixture('state-dict.pth')).length);
    const bytes = new Uint8Array(buffer);
    bytes.set(readFileSync(fixture('state-dict.pth')));
    const { tensors } = readPytorch(bytes);
    expect(tensors.get('layer.weight')!.data.buffer).toBe(buffer);
    expect(tensors.get('view.transposed')!.data.buffer).not.toBe(buffer);
  });

  it('of 5,000 tensors fits what is reserved', () => {
    const one = tensorOp(storage(1), [1]);
    const names = Array.from(
      { length: 5000 },
      (_, i) => `encoder.layers.${i >> 4}.mixer.in_proj_${i & 15}.weight`,
    );
    const pickle = dictOf(Object.fromEntries(names.map((name) => [name, one])));
    const { tensors } = readPytorch(checkpointOf(pickle, { '0': floats(3) }));
    expect([...tensors.keys()]).toEqual(names);
    expect(tensors.get(names[4999])!.data[0]).toBe(3);
  });

  it('may have tensors without elements, wherever they claim to start', () => {
    const pickle = dictOf({ none: tensorOp(storage(0), [3, 0], [7, 7], 9) });
    const { tensors } = readPytorch(checkpointOf(pickle, { '0': new Uint8Array(0) }));
    expect(tensors.get('none')).toEqual(tensor('F32', [3, 0], new Float32Array(0)));
  });
});

describe('a training checkpoint', () => {
  it('gives the model below its key, and plain entries as metadata', () => {
    const { tensors, metadata } = readPytorch(fixture('training.pth'));
    expect(plain(tensors)).toEqual([
      ['encoder.weight', 'F32', [2], 'Float32Array', [1, -1]],
      ['encoder.bias', 'F32', [2], 'Float32Array', [2, -2]],
    ]);
    expect(Object.fromEntries(metadata)).toEqual({
      format: 's4d',
      config: '{"d_model":2,"dropout":0.5,"layers":[1,[2,3]],"name":"é","bias":true,"none":null}',
      epoch: '12',
      seed: '9223372036854775813',
      best: '"Infinity"',
      dtype: '"torch.float32"',
      device: '"cuda:0"',
      size: '[2,3]',
    });
  });

  it('gives what root names, dots in keys and all, or everything', () => {
    const names = (root: string, file = 'nested.pth') => [
      ...readPytorch(fixture(file), { root }).tensors.keys(),
    ];
    expect(names('discriminator')).toEqual(['w']);
    expect(names('generator')).toEqual(['net.0', 'net.deep.er.w.0', 'net.deep.er.w.1']);
    expect(names('generator.net.deep.er')).toEqual(['w.0', 'w.1']);
    expect(names('')).toEqual([
      'generator.net.0',
      'generator.net.deep.er.w.0',
      'generator.net.deep.er.w.1',
      'discriminator.w',
    ]);
    expect(names('', 'training.pth')).toContain('optimizer_state_dict.state.1.exp_avg');
    expect(readPytorch(fixture('nested.pth'), { root: 'discriminator' }).metadata.get('note')).toBe('two');
  });

  it('with several models asks which', () => {
    const error = thrownBy(() => readPytorch(fixture('nested.pth')));
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toMatch(
      /several keys: "generator" \(3 tensors\); "discriminator" \(1 tensors\); give one of them as root, or "" for all/,
    );
  });

  it.each([
    ['generatr', /no dictionary "generatr" in ""; is it "generator"\?/],
    ['generator.net.x', /no dictionary "x" in "generator.net"; there are "deep.er"/],
    ['note', /no dictionary "note"/],
    ['generator.', /no dictionary "" in "generator"/],
  ])('says what there is when root is %j', (root, message) => {
    expect(thrownBy(() => readPytorch(fixture('nested.pth'), { root }))).toBeInstanceOf(ArgumentError);
    expect(() => readPytorch(fixture('nested.pth'), { root })).toThrow(message);
  });

  it.each(['state_dict', 'model', 'model_state_dict', 'generator', 'params'])('below %j is found', (key) => {
    const inner = dictOf({ w: tensorOp(storage(1), [1]) }).slice(2, -1);
    const optimizer = dictOf({ m: tensorOp(storage(1), [1]) }).slice(2, -1);
    const pickle = dictOf({ epoch: int(3), [key]: inner, optimizer, lr_schedulers: optimizer });
    const { tensors, metadata } = readPytorch(checkpointOf(pickle, { '0': floats(7) }));
    expect(plain(tensors)).toEqual([['w', 'F32', [1], 'Float32Array', [7]]]);
    expect([...metadata]).toEqual([['epoch', '3']]);
  });

  it('takes plain entries among the tensors along, and leaves what is neither', () => {
    const pickle = dictOf({
      w: tensorOp(storage(1), [1]),
      sub: dictOf({ v: tensorOp(storage(1), [1]), steps: int(-4) }).slice(2, -1),
      raw: bytesOf('C', 2, 1, 2),
      kind: global('torch', 'FloatStorage'),
      mixed: bytesOf('](', int(1), tensorOp(storage(1), [1]), 'e'),
    });
    const { tensors, metadata } = readPytorch(checkpointOf(pickle, { '0': floats(7) }));
    expect([...tensors.keys()]).toEqual(['w', 'sub.v', 'mixed.1']);
    expect([...metadata]).toEqual([['sub.steps', '-4']]);
  });
});

describe('files of other formats', () => {
  it('are refused with what to do', () => {
    expect(() => readPytorch(fixture('legacy.pth'))).toThrow(
      /legacy format \(before 1\.6.*torch\.save it again/,
    );
    expect(() => readPytorch(fixture('script.pth'))).toThrow(/TorchScript archive.*state_dict/);
    expect(() => readPytorch(bytesOf(0x80, 4, 'N.'))).toThrow(/bare pickle/);
    const tar = new Uint8Array(1024);
    tar.set(bytesOf('ustar'), 257);
    expect(() => readPytorch(tar)).toThrow(/tar file/);
    expect(() => readPytorch(zipOf([['word/document.xml', bytesOf('x')]]))).toThrow(
      /ZIP file without data\.pkl \(it has "word\/document\.xml"\)/,
    );
    expect(() => readPytorch(new Uint8Array(0))).toThrow(/no PyTorch checkpoint/);
    expect(() => readPytorch(join(folder, 'none'))).toThrow(/none: cannot be opened \(ENOENT/);
    expect(() => readPytorch(folder)).toThrow(/is no regular file/);
  });

  it('are told apart by content', () => {
    const path = join(folder, 'model.bin');
    const pair = new Map([['D', tensor('F32', [2], Float32Array.of(1, -2))]]);
    writeFileSync(path, writeSafetensors(pair, { format: 's4d' }));
    expect([...loadCheckpoint(path).metadata]).toEqual([['format', 's4d']]);
    expect(() => loadCheckpoint(path, { root: 'model' })).toThrow(ArgumentError);
    expect(plain(loadCheckpoint(fixture('state-dict.pth')).tensors)).toEqual(expected);
    expect([...loadCheckpoint(fixture('nested.pth'), { root: 'discriminator' }).tensors.keys()]).toEqual([
      'w',
    ]);
    expect(() => loadCheckpoint(fixture('legacy.pth'))).toThrow(/legacy format/);
    writeFileSync(path, 'hello');
    expect(() => loadCheckpoint(path)).toThrow(/too short for a safetensors file/);
  });

  it('are told apart also where a header of safetensors is as long as a pickle starts', () => {
    const path = join(folder, 'pickle-like');
    // 0x0280 = 640 bytes: the file starts with 80 02, like a pickle of protocol 2.
    const frame = '{"__metadata__":{"k":""}}'.length;
    const bytes = writeSafetensors(new Map(), { k: 'v'.repeat(640 - frame) });
    expect([...bytes.subarray(0, 2)]).toEqual([0x80, 2]);
    writeFileSync(path, bytes);
    expect(loadCheckpoint(path).metadata.get('k')).toHaveLength(640 - frame);
  });
});

describe('contents', () => {
  const load = (pickle: Uint8Array, data: Uint8Array = floats(1, 2), options = {}) =>
    readPytorch(checkpointOf(pickle, { '0': data }), { source: 'model.pth', ...options });
  const one = tensorOp(storage(2), [2]);

  it('that are not finite are refused unless allowed', () => {
    const pickle = dictOf({ w: one });
    expect(() => load(pickle, floats(1, NaN))).toThrow(/element 1 of tensor "w" \(F32\) is NaN/);
    expect(() => load(pickle, floats(-Infinity, 1))).toThrow(FormatError);
    expect(load(pickle, floats(1, NaN), { allowNonFinite: true }).tensors.get('w')!.data[1]).toBeNaN();
  });

  it.each([
    ['a NUL', dictOf({ 'a\0b': one }), /tensor "a\\u0000b": the name holds a NUL/],
    ['__proto__', dictOf({ 'x.__proto__': one }), /the name uses the reserved word __proto__/],
    [
      'constructor, nested',
      dictOf({ w: one, constructor: dictOf({ w: one }).slice(2, -1) }),
      /"constructor\.w": the name uses the reserved word constructor/,
    ],
    ['__proto__ in metadata', dictOf({ w: one, ['__proto__']: int(1), prototype: int(2) }), /reserved word/],
    [
      '__proto__ inside a configuration',
      dictOf({ w: one, config: bytesOf('}', unicode('__proto__'), int(1), 's') }),
      /key "__proto__" uses the reserved word/,
    ],
    [
      'the same name twice by dots',
      dictOf({ 'a.b': one, a: dictOf({ b: one }).slice(2, -1) }),
      /"a\.b": the name appears twice/,
    ],
    [
      'the same key twice',
      bytesOf(0x80, 2, '}(', unicode('w'), one, unicode('w'), one, 'u.'),
      /key "w" appears twice/,
    ],
    ['a tensor alone', bytesOf(0x80, 2, one, '.'), /holds a tensor instead of a dictionary/],
    ['a list', bytesOf(0x80, 2, '](', one, 'e.'), /holds a list instead of a dictionary/],
    ['nothing', dictOf({ epoch: int(1) }), /holds no tensors of a model/],
    [
      'the optimiser alone',
      dictOf({ optimizer: dictOf({ w: one }).slice(2, -1) }),
      /holds no tensors of a model/,
    ],
  ])('with %s are refused', (_, pickle, message) => {
    expect(thrownBy(() => load(pickle))).toBeInstanceOf(FormatError);
    expect(() => load(pickle)).toThrow(message);
  });

  it.each([
    [
      'a wrong size',
      dictOf({ w: tensorOp(storage(3), [2]) }),
      /data\/0 has 8 bytes, and 3 elements of F32 take 12/,
    ],
    ['no entry', dictOf({ w: tensorOp(storage(2, '7'), [2]) }), /data\/7 is not in the archive/],
    ['a key that climbs', dictOf({ w: tensorOp(storage(2, '../data.pkl'), [2]) }), /is not in the archive/],
    [
      'too few elements',
      dictOf({ w: tensorOp(storage(2), [3]) }),
      /shape \[3\].*leads past its storage of 8 bytes/,
    ],
    ['an offset beyond', dictOf({ w: tensorOp(storage(2), [2], [1], 1) }), /from element 1 leads past/],
    ['strides beyond', dictOf({ w: tensorOp(storage(2), [2], [2]) }), /strides \[2\].*leads past/],
    [
      'negative strides',
      dictOf({ w: tensorOp(storage(2), [2], [-1], 1) }),
      /stride is no tuple of up to 64 natural/,
    ],
    ['strides of another rank', dictOf({ w: tensorOp(storage(2), [2], [1, 1]) }), /1 lengths and 2 strides/],
    [
      'too many axes',
      dictOf({ w: tensorOp(storage(2), Array<number>(65).fill(1)) }),
      /size is no tuple of up to 64/,
    ],
    [
      'a shape beyond counting',
      dictOf({ w: tensorOp(storage(2), [2 ** 30, 2 ** 30, 2 ** 30], [0, 0, 0]) }),
      /more elements than can be counted/,
    ],
    [
      'a billion repetitions',
      dictOf({ w: tensorOp(storage(2), [2 ** 30], [0]) }),
      /tensors take 4294967296 bytes, and their storages have 8/,
    ],
    [
      'two types in one storage',
      dictOf({ a: one, b: tensorOp(storage(2, '0', 'torch IntStorage'), [2]) }),
      /seen as I32 here, 2 seen as F32 elsewhere/,
    ],
  ])('with a storage of %s are refused', (_, pickle, message) => {
    expect(thrownBy(() => load(pickle))).toBeInstanceOf(FormatError);
    expect(() => load(pickle)).toThrow(message);
  });

  it.each([
    ['a byte order of its own', 'byteorder', 'middle', /byte order "middle"/],
    ['a newer layout', 'version', '11\n', /layout version "11"/],
    ['a layout that is no number', 'version', 'x', /layout version "x"/],
    ['a novel for a version', 'version', 'x'.repeat(17), /version takes 17 bytes/],
  ])('with %s are refused', (_, name, text, message) => {
    const file = zipOf([
      ['a/data.pkl', dictOf({ w: one })],
      ['a/data/0', floats(1, 2)],
      [`a/${name}`, bytesOf(text)],
    ]);
    expect(thrownBy(() => readPytorch(file))).toBeInstanceOf(FormatError);
    expect(() => readPytorch(file)).toThrow(message);
  });
});
