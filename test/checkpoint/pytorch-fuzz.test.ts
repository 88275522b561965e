/** Damaged checkpoints: whatever happens to the bytes, the reader ends soon, with weights or with a FormatError. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPytorch } from '../../src/checkpoint/index.ts';
import { openZip } from '../../src/checkpoint/pytorch/zip.ts';
import { memoryBytes } from '../../src/checkpoint/pytorch/bytes.ts';
import { unpickle } from '../../src/checkpoint/pytorch/unpickle.ts';
import { FormatError } from '../../src/errors.ts';
import { zipOf, type Entry } from './pytorch-support.ts';
import { thrownBy } from './support.ts';

const read = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../fixtures/pytorch/${name}`, import.meta.url))));

function entriesOf(file: Uint8Array): Entry[] {
  const zip = openZip(memoryBytes(file), 'fixture');
  return [...zip.entries.values()].map((entry) => [entry.name, zip.read(entry)]);
}

const files = ['state-dict.pth', 'state-dict-protocol4.pth', 'training.pth', 'nested.pth'].map(read);
const parts = files.map(entriesOf);
const pickles = parts.map((entries) => entries.find(([name]) => name.endsWith('/data.pkl'))![1]);

/** The outcome of reading: undefined, or what was thrown; a second is more than any may take. */
function outcome(bytes: Uint8Array): unknown {
  const began = performance.now();
  const thrown = thrownBy(() => readPytorch(bytes, { allowNonFinite: true, root: '' }));
  expect(performance.now() - began).toBeLessThan(1000);
  return thrown;
}

const edit = fc.record({
  kind: fc.constantFrom('set', 'flip', 'flip', 'flip', 'insert', 'remove', 'repeat'),
  at: fc.noBias(fc.nat({ max: 2 ** 20 - 1 })).map((place) => place / 2 ** 20),
  byte: fc.oneof(
    fc.nat({ max: 255 }),
    fc.constantFrom(0, 0x7f, 0x80, 0xff, ...'(.}]tuRbqhQcXrj'.split('').map((c) => c.charCodeAt(0))),
  ),
  length: fc.integer({ min: 1, max: 12 }),
});
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const out = [...bytes];
  for (const { kind, at, byte, length } of edits) {
    const place = Math.floor(at * out.length);
    if (kind === 'set') out[place] = byte;
    else if (kind === 'flip') out[place] ^= 1 << (byte & 7);
    else if (kind === 'insert') out.splice(place, 0, byte);
    else if (kind === 'remove') out.splice(place, length);
    else out.splice(place, 0, ...out.slice(place, place + length));
  }
  return Uint8Array.from(out);
}

const which = fc.nat({ max: files.length - 1 });
const edits = fc.array(edit, { minLength: 1, maxLength: 2 });

describe('a damaged checkpoint', () => {
  it('with its pickle cut at any byte is refused', () => {
    for (const pickle of pickles) {
      expect(unpickle(pickle, 'whole')).toBeDefined();
      for (let length = 0; length < pickle.length; length++) {
        expect(thrownBy(() => unpickle(pickle.subarray(0, length), 'cut'))).toBeInstanceOf(FormatError);
      }
    }
  });

  it('with any bytes changed throws FormatError alone', () => {
    fc.assert(
      fc.property(which, edits, (file, edits) => {
        const thrown = outcome(mutate(files[file], edits));
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(FormatError);
      }),
      { seed: 20_250_301, numRuns: 1500 },
    );
  });

  it('with its pickle changed, checksums made right, throws FormatError alone', () => {
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(which, edits, (file, edits) => {
        const changed = parts[file].map(([name, content]): Entry => [
          name,
          name.endsWith('/data.pkl') ? mutate(content, edits) : content,
        ]);
        const thrown = outcome(zipOf(changed));
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(FormatError);
        seen[thrown === undefined ? 'read' : 'refused']++;
      }),
      { seed: 20_250_302, numRuns: 2000 },
    );
    // Both happen: changes that hit a name's letter or a number are nobody's to notice.
    expect(seen.read).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(500);
  });

  it('made of random opcodes throws FormatError alone', () => {
    const opcode = fc.oneof(
      fc.constantFrom(
        ...'(.0}])tuseaRbQN'.split('').map((c) => c.charCodeAt(0)),
        0x85,
        0x86,
        0x87,
        0x88,
        0x94,
        0x93,
      ),
      fc.nat({ max: 255 }),
    );
    fc.assert(
      fc.property(fc.array(opcode, { maxLength: 60 }), (opcodes) => {
        const thrown = thrownBy(() => unpickle(Uint8Array.from([0x80, 2, ...opcodes]), 'random'));
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(FormatError);
      }),
      { seed: 20_250_303, numRuns: 5000 },
    );
  });
});
