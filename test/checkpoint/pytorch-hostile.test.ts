/** Pickles that ask for more than data, or for more of it than there is: each is refused by name. */
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPytorch } from '../../src/checkpoint/index.ts';
import { FormatError } from '../../src/errors.ts';
import {
  bytesOf,
  checkpointOf,
  dictOf,
  floats,
  global,
  int,
  le,
  PROTO2,
  storage,
  tensorOp,
  unicode,
} from './pytorch-support.ts';
import { thrownBy } from './support.ts';

const load = (pickle: Uint8Array) =>
  readPytorch(checkpointOf(pickle, { '0': floats(1, 2) }), { source: 'evil.pth' });
const good = tensorOp(storage(2), [2]);

/** A command that would leave a trace. */
const trace = join(tmpdir(), `statewave-pwned-${process.pid}`);
const command = unicode(`touch ${trace}`);

describe('a pickle that names or calls what is not allowed', () => {
  it.each<[string, Uint8Array, RegExp]>([
    [
      'GLOBAL os.system',
      bytesOf(PROTO2, global('os', 'system'), '(', command, 'tR.'),
      /evil\.pth: data\.pkl byte 2: "os\.system" is not allowed in a checkpoint, and was not run; export the state_dict alone .*safetensors/,
    ],
    [
      'GLOBAL posix.system behind a good tensor',
      bytesOf(dictOf({ w: good }).slice(0, -1), global('posix', 'system'), '(', command, 'tR0.'),
      /"posix\.system" is not allowed/,
    ],
    [
      'STACK_GLOBAL os.system',
      bytesOf(0x80, 4, 0x8c, 2, 'os', 0x8c, 6, 'system', 0x93, '(', command, 'tR.'),
      /byte 14: "os\.system" is not allowed/,
    ],
    [
      'STACK_GLOBAL of numbers',
      bytesOf(0x80, 4, int(1), int(2), 0x93, '.'),
      /STACK_GLOBAL without a module and a name/,
    ],
    [
      'builtins.eval',
      bytesOf(PROTO2, global('builtins', 'eval'), '(', unicode('1'), 'tR.'),
      /"builtins\.eval" is not allowed/,
    ],
    [
      '__builtin__.exec',
      bytesOf(PROTO2, global('__builtin__', 'exec'), '.'),
      /"__builtin__\.exec" is not allowed/,
    ],
    [
      'builtins.getattr',
      bytesOf(PROTO2, global('builtins', 'getattr'), '.'),
      /"builtins\.getattr" is not allowed/,
    ],
    [
      'a class of the training script',
      bytesOf(PROTO2, global('__main__', 'Net'), ')', 0x81, '}b.'),
      /"__main__\.Net" is not allowed/,
    ],
    [
      'an allowed module, another name',
      bytesOf(PROTO2, global('torch._utils', '_import_dotted_name'), '.'),
      /"torch\._utils\._import_dotted_name" is not allowed/,
    ],
    [
      'an allowed path, cut elsewhere',
      bytesOf(PROTO2, global('torch', '_utils._rebuild_tensor_v2'), '.'),
      /"torch\._utils\._rebuild_tensor_v2" is not allowed/,
    ],
    ['torch.load', bytesOf(PROTO2, global('torch', 'load'), '.'), /"torch\.load" is not allowed/],
    ['a name of JavaScript', bytesOf(PROTO2, global('constructor', 'constructor'), '.'), /is not allowed/],
    [
      'complex storages, with what to do',
      bytesOf(PROTO2, global('torch', 'ComplexFloatStorage'), '.'),
      /complex tensors are not read; save torch\.view_as_real/,
    ],
    ['a name without end', bytesOf(PROTO2, 'c', 'a'.repeat(300)), /does not end within 256 bytes/],
    [
      'a name of 300 characters',
      bytesOf(0x80, 4, unicode('a'.repeat(300)), unicode('b'), 0x93, '.'),
      /a name of 301/,
    ],
    ['REDUCE on a number', bytesOf(PROTO2, int(1), ')R.'), /REDUCE calls a number, which cannot be called/],
    [
      'REDUCE on a storage class',
      bytesOf(PROTO2, global('torch', 'FloatStorage'), ')R.'),
      /REDUCE calls torch\.FloatStorage, which cannot be called/,
    ],
    [
      'REDUCE on a dtype',
      bytesOf(PROTO2, global('torch', 'float32'), ')R.'),
      /REDUCE calls "torch\.float32"/,
    ],
    [
      'REDUCE without a tuple',
      bytesOf(PROTO2, global('collections', 'OrderedDict'), ']R.'),
      /REDUCE has a list for arguments/,
    ],
    ['INST', bytesOf(PROTO2, '(', command, 'ios\nsystem\n.'), /opcode INST is not allowed in a checkpoint/],
    ['OBJ', bytesOf(PROTO2, '(', global('collections', 'OrderedDict'), 'o.'), /opcode OBJ is not allowed/],
    [
      'NEWOBJ',
      bytesOf(PROTO2, global('collections', 'OrderedDict'), ')', 0x81, '.'),
      /opcode NEWOBJ is not allowed/,
    ],
    [
      'NEWOBJ_EX',
      bytesOf(0x80, 4, global('collections', 'OrderedDict'), ')}', 0x92, '.'),
      /opcode NEWOBJ_EX is not allowed/,
    ],
    ['EXT1', bytesOf(PROTO2, 0x82, 1, '.'), /opcode EXT1 is not allowed/],
    ['EXT2', bytesOf(PROTO2, 0x83, 1, 0, '.'), /opcode EXT2 is not allowed/],
    ['EXT4', bytesOf(PROTO2, 0x84, 1, 0, 0, 0, '.'), /opcode EXT4 is not allowed/],
    ['PERSID', bytesOf(PROTO2, 'P0\n.'), /opcode PERSID is not allowed/],
    ['NEXT_BUFFER', bytesOf(0x80, 5, 0x97, '.'), /opcode NEXT_BUFFER is not allowed/],
    ['a byte that is no opcode', bytesOf(PROTO2, 0xff, '.'), /0xff is no opcode/],
    [
      'BUILD of a tensor (__setstate__)',
      bytesOf(PROTO2, good, '}b.'),
      /BUILD \(__setstate__\) of a tensor is not allowed/,
    ],
    [
      'BUILD of a class',
      bytesOf(PROTO2, global('torch', 'Size'), '}b.'),
      /BUILD \(__setstate__\) of torch\.Size/,
    ],
    ['BUILD of a dict', bytesOf(PROTO2, '}}b.'), /BUILD \(__setstate__\) of a dictionary/],
    [
      'BUILD that sets __class__',
      bytesOf(PROTO2, global('collections', 'OrderedDict'), ')R}', unicode('__class__'), int(1), 'sb.'),
      /BUILD sets attribute "__class__"/,
    ],
    [
      'OrderedDict of arguments',
      bytesOf(PROTO2, global('collections', 'OrderedDict'), '(]tR.'),
      /OrderedDict is made of arguments/,
    ],
    [
      'a persistent id of another kind',
      bytesOf(PROTO2, '(', unicode('module'), global('torch', 'Size'), unicode('x'), 'tQ.'),
      /persistent id is no storage but "module", and was not looked up/,
    ],
    [
      'a persistent id that is a text',
      bytesOf(PROTO2, unicode('0'), 'Q.'),
      /persistent id is no storage but "0"/,
    ],
    [
      'a storage of no elements',
      bytesOf(PROTO2, storage(2, '0', 'torch.storage TypedStorage'), '.'),
      /a storage is of type torch\.storage\.TypedStorage, which holds no elements/,
    ],
    [
      'a storage of half an element',
      bytesOf(PROTO2, storage(-1), '.'),
      /not given by type, key, location and count/,
    ],
    [
      'a conjugate view',
      bytesOf(
        PROTO2,
        global('torch._utils', '_rebuild_tensor_v2'),
        '(',
        storage(2),
        int(0),
        '))',
        0x89,
        'N}',
        unicode('conj'),
        0x88,
        'stR.',
      ),
      /conjugate or negative view/,
    ],
    [
      'a tensor made of a text',
      bytesOf(
        PROTO2,
        global('torch._utils', '_rebuild_tensor_v2'),
        '(',
        unicode('x'),
        int(0),
        '))',
        0x89,
        'NtR.',
      ),
      /made of a text, not of a storage/,
    ],
    [
      'a parameter made of a text',
      bytesOf(PROTO2, global('torch._utils', '_rebuild_parameter'), '(', unicode('x'), 0x88, 'NtR.'),
      /a parameter is not made of a tensor/,
    ],
  ])('%s is refused by name', (_, pickle, message) => {
    expect(thrownBy(() => load(pickle))).toBeInstanceOf(FormatError);
    expect(() => load(pickle)).toThrow(message);
  });

  it('has run nothing', () => {
    const there = existsSync(trace);
    rmSync(trace, { force: true });
    expect(there).toBe(false);
  });
});

describe('a pickle that does not hold together', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', bytesOf(), /byte 0: 1 bytes are due and 0 are left/],
    ['no end', bytesOf(PROTO2, 'N'), /byte 3: 1 bytes are due/],
    ['protocol 1', bytesOf(0x80, 1, 'N.'), /pickle protocol 1;/],
    ['protocol 6', bytesOf(0x80, 6, 'N.'), /pickle protocol 6;/],
    ['bytes after the end', bytesOf(PROTO2, '}.N'), /1 bytes follow the end/],
    ['two values', bytesOf(PROTO2, '}}.'), /values left over/],
    ['an open mark', bytesOf(PROTO2, '(}.'), /values left over/],
    ['an empty stack', bytesOf(PROTO2, '.'), /the stack is empty/],
    ['a value below a mark', bytesOf(PROTO2, '](N', 0x86, '.'), /the stack is empty/],
    ['no mark', bytesOf(PROTO2, 't.'), /there is no mark/],
    ['an empty memo', bytesOf(PROTO2, 'h', 3, '.'), /memo 3 is empty/],
    [
      'a memo with a gap',
      bytesOf(PROTO2, 'Nr', le(2 ** 32 - 1, 4), '.'),
      /memo 4294967295 comes after 0 others/,
    ],
    ['an item of a list', bytesOf(PROTO2, ']NNs.'), /SETITEM of a list/],
    ['an append to a dictionary', bytesOf(PROTO2, '}Na.'), /APPEND to a dictionary/],
    ['a key without a value', bytesOf(PROTO2, '}(Nu.'), /a key without a value/],
    ['a list for a key', bytesOf(PROTO2, '}]Ns.'), /a list is the key/],
    ['a text of no UTF-8', bytesOf(PROTO2, 'X', le(2, 4), 0xc3, 0x28, '.'), /a text is no UTF-8/],
    ['half a surrogate pair', bytesOf(PROTO2, 'X', le(3, 4), 0xed, 0xa0, 0x80, '.'), /a text is no UTF-8/],
    [
      'a text longer than the file',
      bytesOf(PROTO2, 'X', le(2 ** 32 - 1, 4), 'a.'),
      /4294967295 bytes are due and 2 are left/,
    ],
    [
      'a text of 2^64 - 1 bytes',
      bytesOf(0x80, 4, 0x8d, le(2n ** 64n - 1n, 8), 'a.'),
      /bytes are due and 2 are left/,
    ],
    ['bytes longer than the file', bytesOf(0x80, 3, 'B', le(2 ** 31, 4), 'a.'), /2147483648 bytes are due/],
    ['bytes of 2^63', bytesOf(0x80, 4, 0x8e, le(2n ** 63n, 8), 'a.'), /bytes are due and 2 are left/],
    [
      'a frame longer than the file',
      bytesOf(0x80, 4, 0x95, le(2n ** 60n, 8), 'N.'),
      /a frame of \d+ bytes, and 2 are left/,
    ],
    [
      'an integer of 255 bytes',
      bytesOf(PROTO2, 0x8a, 255, new Uint8Array(255), '.'),
      /an integer of 255 bytes/,
    ],
    ['an integer of 2 GB', bytesOf(PROTO2, 0x8b, le(2 ** 31 - 1, 4), '.'), /an integer of 2147483647 bytes/],
    ['an integer of -1 bytes', bytesOf(PROTO2, 0x8b, le(2 ** 32 - 1, 4), '.'), /an integer of -1 bytes/],
  ])('%s is refused with its place', (_, pickle, message) => {
    expect(thrownBy(() => load(pickle))).toBeInstanceOf(FormatError);
    expect(() => load(pickle)).toThrow(message);
  });

  it('a container that holds itself is refused', () => {
    const list = bytesOf(PROTO2, '}', unicode('a'), ']q', 0, 'h', 0, 'as.');
    expect(() => load(list)).toThrow(/a container holds itself/);
    const dict = bytesOf(PROTO2, '}q', 0, unicode('a'), 'h', 0, 's.');
    expect(() => load(dict)).toThrow(/a container holds itself/);
  });
});

describe('what a pickle may hold', () => {
  it('includes the opcodes of every protocol for plain data', () => {
    const long = (value: bigint, width: number) => bytesOf(0x8a, width, le(value, width));
    // POP takes a mark, POP_MARK what lies above one.
    const rest = dictOf({ w: good, pops: bytesOf('N(0'), pop: bytesOf('(NN1', int(5), '0', int(6)) });
    expect(Object.fromEntries(load(rest).metadata)).toEqual({ pops: 'null', pop: '6' });
    const members = dictOf({
      w: good,
      longs: bytesOf('](', long(-1n, 1), long(-129n, 2), long(2n ** 63n, 9), 0x8a, 0, 0x8b, le(1, 4), 7, 'e'),
      float: bytesOf('G', Uint8Array.of(0xc0, 0x04, 0, 0, 0, 0, 0, 0)),
      ints: bytesOf('](K', 255, 'M', 0xff, 0xff, int(-2), 'e'),
      wide: bytesOf(0x8d, le(2, 8), 'hi'),
      one: bytesOf(']', int(1), 'a', int(2), 'a'),
      memo: bytesOf(unicode('x'), 'r', le(0, 4), '0j', le(0, 4), 0x85),
    });
    expect(Object.fromEntries(load(members).metadata)).toEqual({
      longs: '[-1,-129,9223372036854775808,0,7]',
      float: '-2.5',
      ints: '[255,65535,-2]',
      wide: 'hi',
      one: '[1,2]',
      memo: '["x"]',
    });
  });
});
