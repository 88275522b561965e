/** ZIP files that say one thing here and another there. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readPytorch } from '../../src/checkpoint/index.ts';
import { FormatError } from '../../src/errors.ts';
import {
  bytesOf,
  checkpointOf,
  dictOf,
  floats,
  joined,
  le,
  patched,
  storage,
  tensorOp,
  zipOf,
  type Entry,
} from './pytorch-support.ts';
import { thrownBy } from './support.ts';

const pickle = dictOf({ w: tensorOp(storage(2), [2]) });
const good: readonly Entry[] = [
  ['a/data.pkl', pickle],
  ['a/data/0', floats(1, 2)],
];
const file = zipOf(good);

/** Where the `nth` header with this signature starts. */
function find(bytes: Uint8Array, kind: readonly [number, number], nth = 0): number {
  const signature = Buffer.from([0x50, 0x4b, ...kind]);
  let at = -1;
  for (let i = 0; i <= nth; i++) at = Buffer.from(bytes).indexOf(signature, at + 1);
  return at;
}
const local = (nth = 0, bytes = file) => find(bytes, [3, 4], nth);
const central = (nth = 0, bytes = file) => find(bytes, [1, 2], nth);
const end = (bytes = file) => find(bytes, [5, 6]);

const torchFile = new Uint8Array(
  readFileSync(fileURLToPath(new URL('../../fixtures/pytorch/state-dict.pth', import.meta.url))),
);
const end64 = find(torchFile, [6, 6]);
const locator = find(torchFile, [6, 7]);

describe('a ZIP file', () => {
  it('of another writer is read: deflated, with folders, in any order, with other files beside', () => {
    const bytes = zipOf([
      ['a/', new Uint8Array(0)],
      ['a/data/', new Uint8Array(0)],
      ['a/data/0', floats(1, 2), { deflate: true }],
      ['a/.data/serialization_id', bytesOf('7')],
      ['a/data.pkl', pickle, { deflate: true }],
    ]);
    expect([...readPytorch(bytes).tensors.get('w')!.data]).toEqual([1, 2]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['no end record', file.slice(0, -1), /ZIP end record is not at the end/],
    ['bytes after its end', joined([file, bytesOf('x')]), /ZIP end record is not at the end/],
    ['a comment', zipOf(good, 'hello'), /ZIP end record is not at the end/],
    ['bytes before its start', joined([bytesOf('PK', 3, 4), file]), /does not end at byte/],
    ['several parts', patched(file, end() + 4, le(1, 2)), /one part of a ZIP file in several parts/],
    ['fewer entries than it counts', patched(file, end() + 8, le(3, 2), le(3, 2)), /no entry at its byte/],
    [
      'more entries than it counts',
      patched(file, end() + 8, le(1, 2), le(1, 2)),
      /bytes after its last entry/,
    ],
    ['a directory elsewhere', patched(file, end() + 16, le(0, 4)), /does not end at byte/],
    ['a directory of 4 GB', patched(file, end() + 12, le(2 ** 32 - 1, 4)), /does not end at byte/],
    ['an entry twice', zipOf([...good, good[1]]), /"a\/data\/0" appears twice/],
    ['two pickles', zipOf([...good, ['b/data.pkl', pickle]]), /has 2 entries data\.pkl/],
    ['a name that climbs', zipOf([...good, ['a/../../etc/passwd', pickle]]), /a name that leads elsewhere/],
    ['an absolute name', zipOf([...good, ['/etc/passwd', pickle]]), /a name that leads elsewhere/],
    ['a name of Windows', zipOf([...good, ['C:\\evil', pickle]]), /a name that leads elsewhere/],
    ['a name with a NUL', zipOf([...good, ['a/data/0\0x', pickle]]), /a name that leads elsewhere/],
    ['a folder with content', zipOf([...good, ['a/x/', pickle]]), /folder "a\/x\/" has content/],
    [
      'an encrypted entry',
      patched(patched(file, central() + 8, le(0x801, 2)), local() + 6, le(0x801, 2)),
      /"a\/data\.pkl" is encrypted or of a kind not read/,
    ],
    [
      'an entry of another method',
      patched(patched(file, central() + 10, le(14, 2)), local() + 8, le(14, 2)),
      /packed by method 14/,
    ],
    [
      'another name in the local header',
      patched(file, local(1) + 30, 'b'),
      /another name than the directory/,
    ],
    [
      'another method in the local header',
      patched(file, local() + 8, le(8, 2)),
      /other flags or another method/,
    ],
    [
      'another size in the local header',
      patched(file, local(1) + 22, le(4, 4)),
      /other sizes or another checksum/,
    ],
    [
      'another checksum in the local header',
      patched(file, local(1) + 14, le(4, 4)),
      /other sizes or another checksum/,
    ],
    ['a local header elsewhere', patched(file, local(1), 'X'), /local header is not at byte \d+;/],
    [
      'a local header beyond the end',
      patched(file, central(1) + 42, le(2 ** 31, 4)),
      /"a\/data\/0" leads into the directory/,
    ],
    [
      'data that lead into the directory',
      patched(file, local(1) + 28, le(60_000, 2)),
      /data lead into what follows/,
    ],
    [
      'a stored entry of two sizes',
      zipOf([good[0], ['a/data/0', floats(1, 2), { size: 1 << 30 }]]),
      /is stored, yet takes 8 bytes for 1073741824/,
    ],
    [
      'entries one inside the other',
      // The second is made to cover the third.
      zipOf([
        good[0],
        ['a/data/0', floats(1, 2), { size: 60, packed: 60 }],
        ['a/data/1', new Uint8Array(99)],
      ]),
      /"a\/data\/0" and "a\/data\/1" share bytes/,
    ],
    ['a changed byte', patched(file, local(1) + 38, 0x55), /does not have the checksum.*set_crc32_options/],
    [
      'a deflated entry that is longer than it says',
      zipOf([good[0], ['a/data/0', floats(1, 2, 3), { deflate: true, size: 8 }]]),
      /"a\/data\/0" does not unpack to 8 bytes/,
    ],
    [
      'a deflated pickle that is longer than it says',
      zipOf([['a/data.pkl', pickle, { deflate: true, size: 20 }], good[1]]),
      /"a\/data\.pkl" does not unpack to 20 bytes/,
    ],
    [
      'a deflated pickle that is shorter than it says',
      zipOf([['a/data.pkl', pickle, { deflate: true, size: 9999 }], good[1]]),
      /unpacks to \d+ bytes, not 9999/,
    ],
    [
      'a deflated entry that is none',
      patched(zipOf([['a/data.pkl', pickle, { deflate: true }]]), 30 + 10, 0xff, 0xff),
      /does not unpack/,
    ],
    [
      'a bomb',
      zipOf([good[0], ['a/data/0', new Uint8Array(4 * 2 ** 20), { deflate: true }]]),
      /would unpack \d+ bytes to 4194304, which no weights do/,
    ],
    [
      'a pickle of 3 MB',
      checkpointOf(new Uint8Array(3 * 2 ** 20)),
      /data\.pkl takes 3145728 bytes, more than/,
    ],
    [
      '20,000 entries',
      patched(patched(file, end() + 8, le(20_000, 2)), end() + 10, le(20_000, 2)),
      /20000 entries/,
    ],
    [
      'a size in a zip64 field that is missing',
      patched(file, central() + 24, le(2 ** 32 - 1, 4)),
      /no zip64 field that fits/,
    ],
    [
      'a zip64 locator that leads elsewhere',
      patched(torchFile, locator + 8, le(7, 8)),
      /zip64 locator does not lead/,
    ],
    [
      'a zip64 locator beyond the file',
      patched(torchFile, locator + 8, le(2n ** 63n, 8)),
      /zip64 locator does not lead/,
    ],
    ['a damaged zip64 record', patched(torchFile, end64, 'XX'), /zip64 end record is damaged/],
    [
      'two end records that differ',
      patched(torchFile, end64 + 24, le(7, 8), le(7, 8)),
      /the two ZIP end records say different things/,
    ],
  ])('with %s is refused', (_, bytes, message) => {
    expect(thrownBy(() => readPytorch(bytes))).toBeInstanceOf(FormatError);
    expect(() => readPytorch(bytes)).toThrow(message);
  });

  it('cut anywhere is refused', () => {
    for (const bytes of [file, torchFile]) {
      for (let length = 0; length < bytes.length; length++) {
        expect(thrownBy(() => readPytorch(bytes.subarray(0, length)))).toBeInstanceOf(FormatError);
      }
    }
  });
});
