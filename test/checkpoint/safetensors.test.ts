import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  readSafetensors,
  tensor,
  toFloat32,
  toFloat64,
  writeSafetensors,
} from '../../src/checkpoint/index.ts';
import type { Tensor } from '../../src/checkpoint/index.ts';
import { ArgumentError, FormatError, ParameterError } from '../../src/errors.ts';
import { missingShared, shared } from '../support/shared.ts';
import { entry, fileOf, thrownBy } from './support.ts';

const VECTORS = 'vectors/safetensors-bad';

describe.skipIf(missingShared(VECTORS))("the official library's own cases (needs ../shared)", () => {
  const verdicts = missingShared(VECTORS)
    ? {}
    : (JSON.parse(readFileSync(shared(VECTORS, 'expected.json'), 'utf8')) as Record<
        string,
        { expect: string }
      >);

  it('has a verdict for every file', () => {
    const files = readdirSync(shared(VECTORS)).filter((name) => name.endsWith('.safetensors'));
    expect(files.map((name) => name.replace('.safetensors', '')).sort()).toEqual(
      Object.keys(verdicts).sort(),
    );
    expect(files.length).toBeGreaterThanOrEqual(16);
  });

  it.each(Object.entries(verdicts))('%s', (name, verdict) => {
    const read = () =>
      readSafetensors(readFileSync(shared(VECTORS, `${name}.safetensors`)), { source: name });
    if (verdict.expect.startsWith('accept')) expect(read).not.toThrow();
    else expect(thrownBy(read)).toBeInstanceOf(FormatError);
  });
});

describe('what is refused, and how it is said', () => {
  const good = entry('F32', [2], 0, 8);
  const one = (info: string) => `{"w":${info}}`;
  const cases: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /bad\.safetensors: 0 bytes is too short/],
    ['7 bytes', new Uint8Array(7), /7 bytes is too short/],
    [
      'a header past the end',
      fileOf('{}').subarray(0, 9),
      /2 bytes, leads past the end of the file \(9 bytes\)/,
    ],
    ['a header of 0 bytes', fileOf(''), /header byte 0: the text ends where the header/],
    ['no UTF-8 outside strings', fileOf(Uint8Array.of(0xff)), /header byte 0: byte 0xff .*no UTF-8/],
    ['no UTF-8 in a name', fileOf(Uint8Array.of(0x7b, 0x22, 0xc0, 0x80, 0x22)), /header byte 2: .*not UTF-8/],
    ['a surrogate written in UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22)), /not UTF-8/],
    ['a cut character', fileOf(Uint8Array.of(0x7b, 0x22, 0xe2, 0x82, 0x22)), /not UTF-8/],
    ['no JSON', fileOf('{'), /header byte 1: the text ends where a key is due/],
    ['an array', fileOf('[]'), /header byte 0: '\[' where the header is due/],
    ['null', fileOf('null'), /header byte 0: 'n' where the header/],
    ['a NUL-padded header', fileOf('{}\0\0'), /header byte 2: byte 0x00 where the end is due/],
    ['two objects', fileOf('{}{}'), /'\{' where the end is due/],
    ['a trailing comma', fileOf(`{"w":${good},}`, 8), /'\}' where a key/],
    ['a comment', fileOf('{}/**/'), /'\/' where the end is due/],
    ['equal names', fileOf(`{"w":${good},"w":${entry('F32', [1], 8, 12)}}`, 12), /tensor "w": appears twice/],
    [
      'names equal but for escapes',
      fileOf(`{"w":${good},"\\u0077":${entry('F32', [0], 8, 8)}}`, 8),
      /"w": appears twice/,
    ],
    ['metadata twice', fileOf('{"__metadata__":{},"__metadata__":{}}'), /"__metadata__" appears twice/],
    [
      'metadata twice, escaped',
      fileOf('{"__metadata__":{},"__metadata\\u005f_":{}}'),
      /"__metadata__" appears twice/,
    ],
    ['equal metadata keys', fileOf('{"__metadata__":{"a":"1","a":"2"}}'), /metadata "a": appears twice/],
    [
      'equal fields',
      fileOf(one('{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}'), 8),
      /"w": has dtype twice/,
    ],
    ['a NUL in a name', fileOf(`{"w\\u0000x":${good}}`, 8), /"w\\u0000x": the name holds a NUL/],
    ['half a surrogate pair', fileOf(`{"\\ud83d":${good}}`, 8), /half of a surrogate pair/],
    ['a pair the wrong way round', fileOf(`{"\\ude00\\ud83d":${good}}`, 8), /half of a surrogate pair/],
    [
      '__proto__',
      fileOf(`{"__proto__":${good}}`, 8),
      /"__proto__": the name uses the reserved word __proto__; rename/,
    ],
    ['constructor', fileOf(`{"constructor":${good}}`, 8), /"constructor": the name uses the reserved/],
    ['prototype', fileOf(`{"prototype":${good}}`, 8), /"prototype": the name uses the reserved/],
    ['__proto__ as a part', fileOf(`{"a.__proto__.b":${good}}`, 8), /uses the reserved word __proto__/],
    [
      '__proto__ as a metadata key',
      fileOf('{"__metadata__":{"__proto__":"x"}}'),
      /metadata "__proto__": the name uses/,
    ],
    ['metadata that is no object', fileOf('{"__metadata__":[]}'), /where __metadata__, an object, is due/],
    ['metadata null', fileOf('{"__metadata__":null}'), /where __metadata__, an object, is due/],
    [
      'a number in metadata',
      fileOf('{"__metadata__":{"epoch":3}}'),
      /metadata "epoch": header byte 25: '3' where a string/,
    ],
    [
      'a hole before',
      fileOf(one(entry('U8', [2], 1, 3)), 3),
      /tensor "w": starts at data byte 1, and bytes 0 to 1 belong to no/,
    ],
    [
      'a hole between',
      fileOf(`{"a":${good},"b":${entry('U8', [1], 9, 10)}}`, 10),
      /tensor "b": starts at data byte 9, and bytes 8 to 9/,
    ],
    [
      'an overlap',
      fileOf(`{"a":${good},"b":${entry('U8', [4], 4, 8)}}`, 8),
      /"b": starts at data byte 4, inside another/,
    ],
    ['shared bytes', fileOf(`{"a":${good},"b":${good}}`, 8), /starts at data byte 0, inside another/],
    ['trailing bytes', fileOf(one(good), 9), /1 bytes after the last tensor belong to none/],
    ['bytes of no tensor at all', fileOf('{}', 3), /3 bytes after the last tensor/],
    ['a cut file', fileOf(one(good), 7), /"w": data_offsets \[0, 8\] lead past the 7 bytes of data/],
    [
      'offsets beyond the shape',
      fileOf(one(entry('F32', [1], 0, 8)), 8),
      /shape \[1\] in F32 takes 4 bytes, but .* hold 8/,
    ],
    [
      'offsets that run backwards',
      fileOf(one(entry('F32', [0], 8, 0)), 8),
      /data_offsets \[8, 0\] run backwards/,
    ],
    [
      'one offset',
      fileOf(one('{"dtype":"U8","shape":[],"data_offsets":[0]}'), 1),
      /has no data_offsets \[begin, end\]/,
    ],
    [
      'three offsets',
      fileOf(one('{"dtype":"U8","shape":[],"data_offsets":[0,1,2]}'), 1),
      /more than 2 numbers/,
    ],
    [
      'a product beyond 2^53',
      fileOf(one(entry('U8', [2 ** 30, 2 ** 30], 0, 8)), 8),
      /size of shape \[1073741824, 1073741824\] in U8 overflows/,
    ],
    ['a size beyond 2^53', fileOf(one(entry('F64', [2 ** 52], 0, 8)), 8), /in F64 overflows/],
    [
      'a length beyond 2^53',
      fileOf(one('{"dtype":"U8","shape":[9007199254740992],"data_offsets":[0,8]}'), 8),
      /tensor "w": .*shape, an array of lengths, has 9007199254740992, beyond 2\^53/,
    ],
    [
      'a negative length',
      fileOf(one(entry('F32', [-2], 0, 8)), 8),
      /tensor "w": .*shape, .* has -2; it must be 0 or more/,
    ],
    ['a negative offset', fileOf(one(entry('F32', [2], -8, 0)), 8), /tensor "w": .*data_offsets, .* has -8/],
    [
      'a fraction',
      fileOf(one(entry('F32', [1.5], 0, 6)), 6),
      /tensor "w": .*shape, .* has 1\.5; it must be written in digits alone/,
    ],
    [
      'an exponent',
      fileOf(one('{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}'), 8),
      /has 2e0; it must be written in digits/,
    ],
    [
      'a leading zero',
      fileOf(one('{"dtype":"F32","shape":[02],"data_offsets":[0,8]}'), 8),
      /has 02; it must be written in digits/,
    ],
    [
      'a length as text',
      fileOf(one('{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}'), 8),
      /'"' where a number of shape/,
    ],
    [
      'a shape that is no array',
      fileOf(one('{"dtype":"F32","shape":2,"data_offsets":[0,8]}'), 8),
      /"w": .*where shape, an array/,
    ],
    [
      'too many axes',
      fileOf(one(entry('F32', Array(65).fill(1), 0, 4)), 4),
      /tensor "w": shape, an array of lengths, has more than 64 numbers/,
    ],
    ['no dtype', fileOf(one('{"shape":[2],"data_offsets":[0,8]}'), 8), /tensor "w": has no dtype/],
    [
      'an unknown field',
      fileOf(one('{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}'), 8),
      /"w": has a field "x"/,
    ],
    [
      'an unknown dtype',
      fileOf(one(entry('F128', [1], 0, 8)), 8),
      /unknown dtype "F128"; the known ones are BOOL/,
    ],
    [
      'F8_E4M3',
      fileOf(one(entry('F8_E4M3', [8], 0, 8)), 8),
      /dtype F8_E4M3, which statewave does not read; convert/,
    ],
    ['F4', fileOf(one(entry('F4', [16], 0, 8)), 8), /dtype F4, which statewave does not read/],
    ['an entry that is no object', fileOf('{"w":[]}'), /tensor "w": .*where an object with dtype/],
    [
      'NaN',
      fileOf(one(good), new Uint8Array(Float32Array.of(1, NaN).buffer)),
      /element 1 of tensor "w" \(F32\) is NaN; .*allowNonFinite/,
    ],
    [
      'an infinity in F64',
      fileOf(one(entry('F64', [1], 0, 8)), new Uint8Array(Float64Array.of(-Infinity).buffer)),
      /element 0 of tensor "w" \(F64\) is -Infinity/,
    ],
    [
      'an infinity in F16',
      fileOf(one(entry('F16', [1], 0, 2)), Uint8Array.of(0, 0x7c)),
      /\(F16\) is Infinity/,
    ],
    ['NaN in BF16', fileOf(one(entry('BF16', [1], 0, 2)), Uint8Array.of(0xc0, 0x7f)), /\(BF16\) is NaN/],
  ];

  it.each(cases)('%s', (_, bytes, message) => {
    const error = thrownBy(() => readSafetensors(bytes, { source: 'bad.safetensors' }));
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^bad\.safetensors: /);
    expect((error as Error).message.length).toBeLessThan(600);
  });

  it('keeps messages short when names are long', () => {
    const bytes = fileOf(`{${JSON.stringify('x'.repeat(100_000))}:{}}`);
    expect((thrownBy(() => readSafetensors(bytes)) as Error).message.length).toBeLessThan(300);
  });
});

describe('what is accepted', () => {
  it('takes white space around the header, and keys in any order', () => {
    const header = ' \n\t{ "w" : { "data_offsets" : [ 0 , 8 ] , "shape":[\r2], "dtype":"F32" } } \n';
    expect(readSafetensors(fileOf(header, 8)).tensors.get('w')!.shape).toEqual([2]);
  });

  it('takes tensors listed in another order than they lie in, and empty ones between', () => {
    const header = `{"b":${entry('U8', [2], 1, 3)},"e":${entry('F32', [3, 0], 1, 1)},"a":${entry('U8', [], 0, 1)}}`;
    const { tensors } = readSafetensors(fileOf(header, Uint8Array.of(7, 8, 9)));
    expect([...tensors.keys()]).toEqual(['a', 'e', 'b']);
    expect([...tensors.get('b')!.data]).toEqual([8, 9]);
    expect(tensors.get('a')!.shape).toEqual([]);
    expect(tensors.get('e')!.data.length).toBe(0);
  });

  it('reads escapes and characters beyond the BMP in names and metadata', () => {
    const header = `{"__metadata__":{"k\\u00e9":"\\ud83d\\ude00 \u{1F600}\\n"},"\\"\\/\u{1F600}":${entry('U8', [], 0, 1)}}`;
    const { tensors, metadata } = readSafetensors(fileOf(header, 1));
    expect([...tensors.keys()]).toEqual(['"/\u{1F600}']);
    expect(metadata.get('ké')).toBe('\u{1F600} \u{1F600}\n');
  });

  it('takes NaN and infinities when told to', () => {
    const bytes = fileOf(
      `{"w":${entry('F32', [2], 0, 8)}}`,
      new Uint8Array(Float32Array.of(NaN, -Infinity).buffer),
    );
    expect([...readSafetensors(bytes, { allowNonFinite: true }).tensors.get('w')!.data]).toEqual([
      NaN,
      -Infinity,
    ]);
  });

  it('gives views of aligned data and copies of the rest', () => {
    const file = writeSafetensors(new Map([['w', tensor('F64', [2], Float64Array.of(1, 2))]]));
    expect(readSafetensors(file).tensors.get('w')!.data.buffer).toBe(file.buffer);
    const shifted = new Uint8Array(file.length + 1).subarray(1);
    shifted.set(file);
    const copy = readSafetensors(shifted).tensors.get('w')!.data;
    expect(copy.buffer).not.toBe(shifted.buffer);
    expect([...copy]).toEqual([1, 2]);
  });
});

describe('writing', () => {
  const all: [string, Tensor][] = [
    ['z.bool', tensor('BOOL', [3], Uint8Array.of(1, 0, 1))],
    ['u8', tensor('U8', [2], Uint8Array.of(0, 255))],
    ['i8', tensor('I8', [2], Int8Array.of(-128, 127))],
    ['i16', tensor('I16', [2], Int16Array.of(-2, 3))],
    ['u16', tensor('U16', [1], Uint16Array.of(65535))],
    ['f16', tensor('F16', [1, 2], Float32Array.of(0.5, -65504))],
    ['bf16', tensor('BF16', [2], Float32Array.of(1, -3.140625))],
    ['i32', tensor('I32', [1], Int32Array.of(-7))],
    ['u32', tensor('U32', [1], Uint32Array.of(4294967295))],
    ['f32', tensor('F32', [2, 1], Float32Array.of(1.5, -2.25))],
    ['a.f32', tensor('F32', [], Float32Array.of(0.1))],
    ['empty', tensor('F32', [2, 0], new Float32Array(0))],
    ['f64', tensor('F64', [1], Float64Array.of(Math.PI))],
    ['i64', tensor('I64', [1], BigInt64Array.of(-(2n ** 63n)))],
    ['u64', tensor('U64', [1], BigUint64Array.of(2n ** 64n - 1n))],
    ['\u{1F600}', tensor('F32', [1], Float32Array.of(2))],
    ['\uffee"\\\n\u0001/', tensor('F32', [1], Float32Array.of(3))],
  ];
  const metadata = { config: '{"a": "é\t"}' };

  // What safetensors 0.8.0 (Python, `safetensors.serialize`) writes for these tensors, base64.
  const OFFICIAL = `
EAQAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJjb25maWciOiJ7XCJhXCI6IFwiw6lcdFwifSJ9LCJ1NjQiOnsiZHR5cGUiOiJV
NjQiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlswLDhdfSwiaTY0Ijp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOlsxXSwi
ZGF0YV9vZmZzZXRzIjpbOCwxNl19LCJmNjQiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlsx
NiwyNF19LCJhLmYzMiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMjQsMjhdfSwiZW1wdHki
OnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsMF0sImRhdGFfb2Zmc2V0cyI6WzI4LDI4XX0sImYzMiI6eyJkdHlwZSI6IkYz
MiIsInNoYXBlIjpbMiwxXSwiZGF0YV9vZmZzZXRzIjpbMjgsMzZdfSwi77+uXCJcXFxuXHUwMDAxLyI6eyJkdHlwZSI6IkYz
MiIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzM2LDQwXX0sIvCfmIAiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzFd
LCJkYXRhX29mZnNldHMiOls0MCw0NF19LCJ1MzIiOnsiZHR5cGUiOiJVMzIiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMi
Ols0NCw0OF19LCJpMzIiOnsiZHR5cGUiOiJJMzIiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOls0OCw1Ml19LCJiZjE2
Ijp7ImR0eXBlIjoiQkYxNiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzUyLDU2XX0sImYxNiI6eyJkdHlwZSI6IkYx
NiIsInNoYXBlIjpbMSwyXSwiZGF0YV9vZmZzZXRzIjpbNTYsNjBdfSwidTE2Ijp7ImR0eXBlIjoiVTE2Iiwic2hhcGUiOlsx
XSwiZGF0YV9vZmZzZXRzIjpbNjAsNjJdfSwiaTE2Ijp7ImR0eXBlIjoiSTE2Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRz
IjpbNjIsNjZdfSwiaTgiOnsiZHR5cGUiOiJJOCIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzY2LDY4XX0sInU4Ijp7
ImR0eXBlIjoiVTgiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls2OCw3MF19LCJ6LmJvb2wiOnsiZHR5cGUiOiJCT09M
Iiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbNzAsNzNdfX0gIP//////////AAAAAAAAAIAYLURU+yEJQM3MzD0AAMA/
AAAQwAAAQEAAAABA//////n///+AP0nAADj/+////v8DAIB/AP8BAAE=`;

  it('writes the bytes that the official library writes, in whatever order tensors come', () => {
    const official = new Uint8Array(Buffer.from(OFFICIAL, 'base64'));
    expect(writeSafetensors(new Map(all), metadata)).toEqual(official);
    expect(writeSafetensors(new Map([...all].reverse()), new Map(Object.entries(metadata)))).toEqual(
      official,
    );
  });

  it('sorts metadata by key and leaves none out', () => {
    const bytes = writeSafetensors(new Map(), { b: '2', a: '1' });
    expect(new TextDecoder().decode(bytes.subarray(8))).toBe('{"__metadata__":{"a":"1","b":"2"}}      ');
    expect(new TextDecoder().decode(writeSafetensors(new Map()).subarray(8))).toBe('{}      ');
  });

  it('reads a view in the middle of a buffer, and no more of it', () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const { tensors } = readSafetensors(writeSafetensors(new Map([['w', tensor('F32', [2], data)]])));
    expect([...tensors.get('w')!.data]).toEqual([2, 3]);
  });

  const write = (name: string, t: Tensor, texts = {}) =>
    thrownBy(() => writeSafetensors(new Map([[name, t]]), texts));
  const w = tensor('F32', [1], Float32Array.of(1));

  it.each([
    ['__proto__', /reserved word/],
    ['a\0', /NUL/],
    ['\ud83d', /surrogate/],
    ['__metadata__', /rename/],
  ])('refuses the name %j', (name, message) => {
    const error = write(name, w);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(message);
  });

  it('refuses metadata that is no text, data that does not fit, and data of another class', () => {
    expect((write('w', w, { epoch: 3 }) as Error).message).toMatch(
      /metadata "epoch" is "3", no well-formed text/,
    );
    expect((write('w', w, { note: '\udc00' }) as Error).message).toMatch(/no well-formed text/);
    const misfit = write('w', { ...w, shape: [2, 3] });
    expect(misfit).toBeInstanceOf(ArgumentError);
    expect((misfit as Error).message).toMatch(/tensor "w": shape \[2, 3\] has 6 elements, the data 1/);
    expect((write('w', { ...w, dtype: 'F64' }) as Error).message).toMatch(
      /held in a Float64Array, not in a Float32Array/,
    );
  });

  it('refuses what is not finite, or not finite once rounded, unless told to write it', () => {
    const nan = tensor('F32', [2], Float32Array.of(1, NaN));
    expect(write('w', nan)).toBeInstanceOf(ParameterError);
    expect((write('w', nan) as Error).message).toMatch(/element 1 of tensor "w" is NaN/);
    const large = tensor('F16', [1], Float32Array.of(1e6));
    expect((write('w', large) as Error).message).toMatch(
      /is 1000000, beyond the 65504 of F16; write it as F32/,
    );
    const bytes = writeSafetensors(new Map([['w', large]]), {}, { allowNonFinite: true });
    expect([...readSafetensors(bytes, { allowNonFinite: true }).tensors.get('w')!.data]).toEqual([Infinity]);
  });
});

describe('conversion', () => {
  it('widens every type exactly', () => {
    expect([...toFloat64(tensor('I64', [2], BigInt64Array.of(-5n, 2n ** 53n)))]).toEqual([-5, 2 ** 53]);
    expect([...toFloat64(tensor('BOOL', [3], Uint8Array.of(0, 1, 2)))]).toEqual([0, 1, 1]);
    expect([...toFloat64(tensor('U32', [1], Uint32Array.of(4294967295)))]).toEqual([4294967295]);
    expect([...toFloat64(tensor('F32', [1], Float32Array.of(0.1)))]).toEqual([Math.fround(0.1)]);
  });

  it('refuses integers that a double would change', () => {
    const t = tensor('I64', [2], BigInt64Array.of(0n, 2n ** 53n + 1n));
    expect(() => toFloat64(t)).toThrow(
      /I64 element 1 is 9007199254740993, which float64 cannot hold exactly/,
    );
  });

  it('rounds to float32 in a new array', () => {
    const t = tensor('F32', [1], Float32Array.of(0.5));
    expect(toFloat32(t)).toEqual(t.data);
    expect(toFloat32(t)).not.toBe(t.data);
    expect([...toFloat32(tensor('F64', [1], Float64Array.of(0.1)))]).toEqual([Math.fround(0.1)]);
  });
});
