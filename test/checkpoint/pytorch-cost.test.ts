/** What lying checkpoints may cost: a second and 16 MiB at the most. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  bytesOf,
  checkpointOf,
  dictOf,
  floats,
  global,
  joined,
  le,
  PROTO2,
  storage,
  tensorOp,
  unicode,
  zipOf,
  type Entry,
} from './pytorch-support.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-pytorch-cost-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ROOM = 2 * 2 ** 20;
/** As many copies of the parts as a pickle may have, between a start and an end. */
function filled(start: Uint8Array, part: Uint8Array, finish: Uint8Array, most = Infinity): Uint8Array {
  const count = Math.min(most, Math.floor((ROOM - start.length - finish.length) / part.length));
  const out = new Uint8Array(start.length + count * part.length + finish.length);
  out.set(start);
  for (let i = 0; i < count; i++) out.set(part, start.length + i * part.length);
  out.set(finish, out.length - finish.length);
  return out;
}

const good = tensorOp(storage(2), [2]);
const data = { '0': floats(1, 2) };
const one = (pickle: Uint8Array) => checkpointOf(pickle, data);

type Lie = [name: string, message: RegExp, make: () => Uint8Array];

/** Those that are refused before they have taken much. */
const small: Lie[] = [
  [
    'os.system',
    /"os\.system" is not allowed/,
    () => one(bytesOf(PROTO2, global('os', 'system'), '(', unicode('id'), 'tR.')),
  ],
  [
    '2 MB of values on the stack',
    /more than 65536 values on the stack/,
    () => one(filled(PROTO2, bytesOf('N'), bytesOf('.'))),
  ],
  ['2 MB of marks', /more than 256 marks/, () => one(filled(PROTO2, bytesOf('('), bytesOf('.')))],
  [
    '2 MB of nothing done',
    /more than 1000000 opcodes/,
    () => one(filled(bytesOf(PROTO2), bytesOf('N0'), bytesOf('}.'))),
  ],
  [
    'a tuple doubled 40 times',
    /more than 1048576 values and characters/,
    () =>
      one(
        bytesOf(
          PROTO2,
          '}',
          unicode('a'),
          ')',
          'q',
          0,
          ...Array.from({ length: 40 }, () => bytesOf('h', 0, 0x86, 'q', 0)),
          's.',
        ),
      ),
  ],
  [
    'a dictionary of one tensor doubled 40 times',
    /more than 1048576 values and characters/,
    () =>
      one(
        bytesOf(
          PROTO2,
          '}',
          unicode('w'),
          good,
          'sq',
          0,
          ...Array.from({ length: 40 }, () =>
            bytesOf('0}', unicode('a'), 'h', 0, 's', unicode('b'), 'h', 0, 'sq', 0),
          ),
          '.',
        ),
      ),
  ],
  [
    'a text of 4 GB',
    /4294967280 bytes are due/,
    () => one(bytesOf(PROTO2, '}', 'X', le(2 ** 32 - 16, 4), 'a.')),
  ],
  [
    'an integer of 2 GB',
    /an integer of 2147483647 bytes/,
    () => one(bytesOf(PROTO2, 0x8b, le(2 ** 31 - 1, 4), '.')),
  ],
  [
    'a tensor of 4 TB in 8 bytes',
    /tensors take 4398046511104 bytes, and their storages have 8/,
    () => one(dictOf({ w: tensorOp(storage(2), [2 ** 20, 2 ** 20], [0, 0]) })),
  ],
  [
    'a storage of 8 GB',
    /data\/0 has 8 bytes, and 2147483647 elements of F32 take 8589934588/,
    () => one(dictOf({ w: tensorOp(storage(2 ** 31 - 1), [2 ** 31 - 1]) })),
  ],
  [
    'a bomb of 64 MB for a storage',
    /would unpack \d+ bytes to 67108864/,
    () =>
      zipOf([
        ['a/data.pkl', dictOf({ w: tensorOp(storage(2 ** 24), [2 ** 24]) })],
        ['a/data/0', new Uint8Array(2 ** 26), { deflate: true }],
      ]),
  ],
  [
    'a bomb of 64 MB for a pickle that says it is small',
    /"a\/data\.pkl" does not unpack to 100 bytes/,
    () => zipOf([['a/data.pkl', new Uint8Array(2 ** 26), { deflate: true, size: 100 }]]),
  ],
  [
    'a directory of 65,535 entries',
    /65535 entries/,
    () => {
      const file = one(dictOf({ w: good }));
      file.set(le(65_535, 2), file.length - 14);
      file.set(le(65_535, 2), file.length - 12);
      return file;
    },
  ],
];

/** Those that fill what is reserved: each is read in a process that has read nothing else. */
const filling: Lie[] = [
  [
    '2 MB of lists in a list',
    /values up to here take more than the \d+ bytes/,
    () => one(filled(bytesOf(PROTO2, ']'), bytesOf(']a'), bytesOf('.'))),
  ],
  [
    '2 MB of tuples of one, nested',
    /values up to here take more than the \d+ bytes/,
    () => one(filled(bytesOf(PROTO2, '}', unicode('a'), 'N'), bytesOf(0x85), bytesOf('s.'))),
  ],
  [
    'a nest of 50,000 tuples',
    /more than 64 containers, one inside the other/,
    () => one(filled(bytesOf(PROTO2, '}', unicode('a'), 'N'), bytesOf(0x85), bytesOf('s.'), 50_000)),
  ],
  [
    '2 MB of texts, all of them remembered',
    /values up to here take more/,
    () => one(filled(bytesOf(PROTO2, 0x80, 4), bytesOf(0x8c, 1, 'a', 0x94, '0'), bytesOf('N.'))),
  ],
  [
    '2 MB of entries of one dictionary',
    /values up to here take more/,
    () => {
      const pickle = filled(bytesOf(PROTO2, '}'), bytesOf('J', 0, 0, 0, 0, 'Ns'), bytesOf('.'));
      for (let at = 4, i = 0; at + 7 < pickle.length; at += 7, i++) pickle.set(le(i * 977, 4), at);
      return one(pickle);
    },
  ],
  [
    '2 MB of dictionaries with an entry',
    /values up to here take more/,
    () => one(filled(bytesOf(PROTO2, ']'), bytesOf('}NNsa'), bytesOf('.'))),
  ],
  [
    '2 MB of wide integers',
    /values up to here take more/,
    () =>
      one(filled(bytesOf(PROTO2, ']'), bytesOf(0x8a, 9, new Uint8Array(8).fill(255), 1, 'a'), bytesOf('.'))),
  ],
  [
    '2 MB of byte strings',
    /values up to here take more/,
    () => one(filled(bytesOf(PROTO2, ']'), bytesOf('C', 0, 'a'), bytesOf('.'))),
  ],
  [
    '2 MB of tensors of 64 axes that share their shape',
    /values up to here take more/,
    () => {
      const shape = bytesOf('(', ...Array.from({ length: 64 }, () => bytesOf('K', 1)), 't');
      const start = bytesOf(
        PROTO2,
        global('torch._utils', '_rebuild_tensor_v2'),
        'q',
        0,
        '0(',
        storage(2),
        'K',
        0,
        shape,
        shape,
        0x89,
        'Ntq',
        1,
        '0]',
      );
      return one(filled(start, bytesOf('h', 0, 'h', 1, 'Ra'), bytesOf('.')));
    },
  ],
  [
    'a text of a megabyte that is shown a thousand times',
    /more than 1048576 values and characters/,
    () =>
      one(
        filled(
          bytesOf(
            PROTO2,
            '}',
            unicode('w'),
            good,
            's',
            unicode('a'.repeat(1_000_000)),
            'q',
            0,
            '0',
            unicode('l'),
            ']',
          ),
          bytesOf('h', 0, 'a'),
          bytesOf('s.'),
          1000,
        ),
      ),
  ],
  [
    'a key of 100 kB above a thousand tensors',
    /more entries, or longer names, than the 1572864 bytes/,
    () => {
      const names = joined(Array.from({ length: 1000 }, (_, i) => bytesOf(unicode(String(i)), 'h', 0)));
      const inner = bytesOf(good, 'q', 0, '0}(', names, 'u');
      return one(bytesOf(PROTO2, '}', unicode('z'), good, 's', unicode('k'.repeat(100_000)), inner, 's.'));
    },
  ],
  [
    'a directory of 8,000 entries, and a nest',
    /values up to here take more/,
    () =>
      zipOf([
        ['a/data.pkl', filled(bytesOf(PROTO2, '}', unicode('a'), 'N'), bytesOf(0x85), bytesOf('s.'))],
        ...Array.from({ length: 7999 }, (_, i): Entry => [`a/data/${i}`, new Uint8Array(0)]),
      ]),
  ],
];

/**
 * Reads the files, one after the other, in a process of its own; gives each error's class and message, the time,
 * and the memory taken since the first.
 */
function readElsewhere(
  paths: readonly string[],
): { name: string; message: string; ms: number; grownMiB: number }[] {
  const module = fileURLToPath(new URL('../../src/checkpoint/index.ts', import.meta.url));
  const warm = fileURLToPath(new URL('../../fixtures/pytorch/training.pth', import.meta.url));
  const script = `
    const { readPytorch } = await import(${JSON.stringify(module)});
    readPytorch(${JSON.stringify(warm)});
    // Linux: resets the high-water mark, which otherwise tells of the start of the process.
    try { (await import('node:fs')).writeFileSync('/proc/self/clear_refs', '5'); } catch {}
    const rss = process.memoryUsage.rss();
    const peak = () => Math.max(process.resourceUsage().maxRSS * 1024, process.memoryUsage.rss());
    const seen = [];
    for (const path of ${JSON.stringify(paths)}) {
      const began = performance.now();
      let error = { name: 'none', message: '' };
      try { readPytorch(path); } catch ({ name, message }) { error = { name, message }; }
      seen.push({ ...error, ms: performance.now() - began, grownMiB: (peak() - rss) / 2 ** 20 });
    }
    console.log(JSON.stringify(seen));
  `;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return JSON.parse(out) as ReturnType<typeof readElsewhere>;
}

function expectRefused(lies: readonly Lie[]): void {
  const paths = lies.map(([, , make], i) => {
    const path = join(folder, `${i}.pth`);
    writeFileSync(path, make());
    return path;
  });
  // When the engine collects is its own affair and only ever adds: the least of a few processes is what reading takes.
  const runs = [readElsewhere(paths)];
  const grown = (i: number): number => Math.min(...runs.map((run) => run[i].grownMiB));
  while (runs.length < 4 && lies.some((_, i) => grown(i) >= 16)) runs.push(readElsewhere(paths));
  for (const [i, seen] of runs[0].entries()) {
    const [name, message] = lies[i];
    expect(seen.message, name).toMatch(message);
    expect(seen.name, name).toBe('FormatError');
    expect(seen.ms, name).toBeLessThan(1000);
    expect(grown(i), name).toBeLessThan(16);
  }
}

describe('checkpoints that lie are refused within a second and 16 MiB', () => {
  it.each(filling)('%s', (...lie) => expectRefused([lie]));

  it('all that are small, one after the other', () => expectRefused(small));
});
