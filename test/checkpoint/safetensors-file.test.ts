import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  loadSafetensors,
  openSafetensors,
  saveSafetensors,
  tensor,
  writeSafetensors,
} from '../../src/checkpoint/index.ts';
import { FormatError, ParameterError } from '../../src/errors.ts';
import { entry, thrownBy } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = () => join(folder, `${files++}.safetensors`);

const model = new Map([
  ['D', tensor('F32', [2], Float32Array.of(1, -2))],
  ['half', tensor('BF16', [1], Float32Array.of(0.5))],
]);

describe('files', () => {
  it('are read tensor by tensor, and whole', () => {
    const path = fresh();
    saveSafetensors(path, model, { format: 's4d' });
    expect(new Uint8Array(readFileSync(path))).toEqual(writeSafetensors(model, { format: 's4d' }));
    using file = openSafetensors(path);
    expect([...file.entries.keys()]).toEqual(['D', 'half']);
    expect(file.entries.get('D')).toEqual({ dtype: 'F32', shape: [2], begin: 0, end: 8 });
    expect(file.metadata.get('format')).toBe('s4d');
    expect(file.read('half')).toEqual(model.get('half'));
    expect(new Map(file.readAll().tensors)).toEqual(model);
    expect(loadSafetensors(path).source).toBe(path);
    expect(thrownBy(() => file.read('hald'))).toBeInstanceOf(ParameterError);
    expect(() => file.read('hald')).toThrow(/no tensor "hald"; did you mean "half"\?/);
    file.close();
  });

  it('leave the rest readable when one tensor is not finite', () => {
    const path = fresh();
    const broken = new Map([...model, ['nan', tensor('F64', [1], Float64Array.of(NaN))]]);
    saveSafetensors(path, broken, {}, { allowNonFinite: true });
    using file = openSafetensors(path);
    expect(file.read('D')).toEqual(model.get('D'));
    expect(() => file.read('nan')).toThrow(/element 0 of tensor "nan" \(F64\) is NaN/);
    using lenient = openSafetensors(path, { allowNonFinite: true });
    expect(lenient.read('nan').data[0]).toBeNaN();
  });

  it('stay as they were when writing fails, and nothing is left beside them', () => {
    const path = fresh();
    saveSafetensors(path, model);
    const before = readFileSync(path);
    // The fault is in the last tensor: the temporary file exists by then.
    const broken = new Map([...model, ['z', tensor('F16', [1], Float32Array.of(Infinity))]]);
    expect(thrownBy(() => saveSafetensors(path, broken))).toBeInstanceOf(ParameterError);
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('that are cut while open are noticed', () => {
    const path = fresh();
    saveSafetensors(path, model);
    using file = openSafetensors(path);
    truncateSync(path, readFileSync(path).length - 3);
    expect(thrownBy(() => file.readAll())).toBeInstanceOf(FormatError);
    expect(() => file.readAll()).toThrow(/before its size said/);
  });

  it('that are none are refused with their path', () => {
    expect(() => openSafetensors(join(folder, 'none'))).toThrow(FormatError);
    expect(() => openSafetensors(join(folder, 'none'))).toThrow(/none: cannot be opened \(ENOENT/);
    const sub = join(folder, 'sub');
    mkdirSync(sub);
    expect(() => openSafetensors(sub)).toThrow(/sub: is no regular file/);
  });
});

/** Writes `8 bytes of length, header parts, then data bytes of nothing`. */
function writeRaw(path: string, headerLength: number, parts: Iterable<string>, dataLength: number): void {
  const handle = openSync(path, 'w');
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(headerLength));
  writeSync(handle, head);
  for (const part of parts) writeSync(handle, part);
  ftruncateSync(handle, 8 + headerLength + dataLength);
  closeSync(handle);
}

const MIB = 2 ** 20;
function* repeated(text: string, total: number): Generator<string> {
  const block = text.repeat(Math.ceil(MIB / text.length));
  for (let left = Math.floor(total / text.length) * text.length; left > 0; left -= block.length) {
    yield left < block.length ? block.slice(0, left) : block;
  }
}

/** Opens the file in a process of its own; gives the error's class and message, the time, and the memory taken. */
function openElsewhere(path: string): { name: string; message: string; ms: number; grownMiB: number } {
  const module = fileURLToPath(new URL('../../src/checkpoint/index.ts', import.meta.url));
  const script = `
    const { openSafetensors, saveSafetensors, tensor } = await import(${JSON.stringify(module)});
    const warm = ${JSON.stringify(`${path}.warm`)};
    saveSafetensors(warm, new Map([['a', tensor('F32', [1], Float32Array.of(1))]]), { a: 'b' });
    openSafetensors(warm).readAll();
    // Linux: resets the high-water mark, which otherwise tells of the start of the process.
    try { (await import('node:fs')).writeFileSync('/proc/self/clear_refs', '5'); } catch {}
    const rss = process.memoryUsage.rss();
    const peak = () => process.resourceUsage().maxRSS * 1024;
    const began = performance.now();
    let seen = { name: 'none', message: '' };
    try { openSafetensors(${JSON.stringify(path)}); } catch ({ name, message }) { seen = { name, message }; }
    const ms = performance.now() - began;
    console.log(JSON.stringify({ ...seen, ms, grownMiB: (Math.max(peak(), process.memoryUsage.rss()) - rss) / 2 ** 20 }));
  `;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return JSON.parse(out) as ReturnType<typeof openElsewhere>;
}

describe('files that lie are refused within a second and 16 MiB', () => {
  const LARGEST = 100_000_000;
  const lies: [string, RegExp, (path: string) => void][] = [
    [
      'a header of 100,000,001 bytes',
      /header of 100000001 bytes is larger than the 100000000/,
      (path) => writeRaw(path, LARGEST + 1, ['{}'], 0),
    ],
    [
      'a header of 2^64 - 1 bytes',
      /header of 18446744073709551615 bytes is larger/,
      (path) => writeFileSync(path, Buffer.alloc(24, 0xff)),
    ],
    [
      'a header longer than the file',
      /leads past the end of the file/,
      (path) => {
        writeRaw(path, LARGEST, ['{}'], 0);
        truncateSync(path, LARGEST);
      },
    ],
    ['100 MB of nothing for a header', /header byte 0: byte 0x00/, (path) => writeRaw(path, LARGEST, [], 0)],
    [
      '100 MB of brackets',
      /header byte 0: '\['/,
      (path) => writeRaw(path, LARGEST, repeated('[', LARGEST), 0),
    ],
    [
      '100 MB of white space',
      /the text ends where the header/,
      (path) => writeRaw(path, LARGEST, repeated(' ', LARGEST), 0),
    ],
    [
      '100 MB of metadata, then nonsense',
      /'x' where/,
      (path) => {
        const text = repeated('metadata', LARGEST - 100);
        writeRaw(
          path,
          LARGEST,
          (function* () {
            yield '{"__metadata__":{"a":"';
            yield* text;
            yield '"},x';
          })(),
          0,
        );
      },
    ],
    [
      'a name of 100 MB',
      /the header names more tensors, or longer names/,
      (path) =>
        writeRaw(
          path,
          LARGEST,
          (function* () {
            yield '{"';
            yield* repeated('n', LARGEST - 7);
            yield '":{}}';
          })(),
          0,
        ),
    ],
    [
      'a million empty tensors and a hole',
      /the header names more tensors/,
      (path) =>
        writeRaw(
          path,
          LARGEST,
          (function* () {
            for (let i = 0; i < 1_000_000; i++)
              yield `${i === 0 ? '{' : ','}"${i}":${entry('F32', [0], 0, 0)}`;
          })(),
          1,
        ),
    ],
    [
      'a shape of 100 MB',
      /has more than 64 numbers/,
      (path) =>
        writeRaw(
          path,
          LARGEST,
          (function* () {
            yield '{"w":{"shape":[1';
            yield* repeated(',1', LARGEST - 100);
          })(),
          0,
        ),
    ],
    [
      'a tensor of 2^52 bytes in a small file',
      /lead past the 16 bytes of data/,
      (path) => {
        const header = `{"w":${entry('F32', [2 ** 50], 0, 2 ** 52)}}`;
        writeRaw(path, header.length, [header], 16);
      },
    ],
  ];

  it.each(lies)('%s', (_, message, write) => {
    const path = fresh();
    write(path);
    const seen = openElsewhere(path);
    expect(seen.name).toBe('FormatError');
    expect(seen.message).toMatch(message);
    expect(seen.ms).toBeLessThan(1000);
    // When the engine collects is its own affair and only ever adds: the least of a few processes is what reading takes.
    let grown = seen.grownMiB;
    for (let i = 0; grown >= 16 && i < 3; i++) grown = Math.min(grown, openElsewhere(path).grownMiB);
    rmSync(path);
    expect(grown).toBeLessThan(16);
  });

  it('while a header of exactly 100,000,000 bytes that tells the truth is read', () => {
    const path = fresh();
    const info = `{"w":${entry('F32', [1], 0, 4)}}`;
    writeRaw(
      path,
      LARGEST,
      (function* () {
        yield info;
        yield* repeated(' ', LARGEST - info.length);
      })(),
      4,
    );
    using file = openSafetensors(path);
    expect([...file.read('w').data]).toEqual([0]);
  });

  it('and so is one with 7,000 tensors of ordinary names', () => {
    const scalar = tensor('F32', [1, 1], Float32Array.of(1));
    const names = Array.from({ length: 7000 }, (_, i) => `backbone.layers.${i}.mixer.in_proj.weight`);
    const path = fresh();
    saveSafetensors(path, new Map(names.map((name) => [name, scalar])));
    using file = openSafetensors(path);
    expect(file.entries.size).toBe(7000);
  });

  it('and a sparse file that says it holds 2^45 bytes opens, and refuses only what does not fit in memory', () => {
    const path = fresh();
    const header = `{"small":${entry('F32', [1], 0, 4)},"w":${entry('U8', [2 ** 40], 4, 4 + 2 ** 40)}}`;
    writeRaw(path, header.length, [header], 4 + 2 ** 40);
    using file = openSafetensors(path);
    expect([...file.read('small').data]).toEqual([0]);
    expect(thrownBy(() => file.read('w'))).toBeInstanceOf(FormatError);
    expect(() => file.read('w')).toThrow(/tensor of 1099511627776 bytes does not fit in memory/);
  });
});
