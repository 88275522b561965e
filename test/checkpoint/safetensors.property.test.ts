import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPES, readSafetensors, tensor, writeSafetensors } from '../../src/checkpoint/index.ts';
import type { DType, Tensor, TensorData } from '../../src/checkpoint/index.ts';
import { ELEMENT } from '../../src/checkpoint/dtype.ts';
import { fromBF16Bits, fromF16Bits } from '../../src/checkpoint/half.ts';
import { parseHeader } from '../../src/checkpoint/header.ts';
import { FormatError } from '../../src/errors.ts';

/** Any elements of a type, from any bytes: also NaN (of one payload for the 16-bit types), infinities, -0. */
function elements(dtype: DType, bytes: Uint8Array): TensorData {
  const count = Math.floor(bytes.length / ELEMENT[dtype].bytes);
  const buffer = bytes.slice(0, count * ELEMENT[dtype].bytes).buffer;
  if (dtype === 'F16') return Float32Array.from(new Uint16Array(buffer), fromF16Bits);
  if (dtype === 'BF16') return Float32Array.from(new Uint16Array(buffer), fromBF16Bits);
  return new ELEMENT[dtype].array(buffer, 0, count);
}

const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({ dtype: fc.constantFrom(...DTYPES), shape: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }) })
  .chain(({ dtype, shape }) => {
    const length = shape.reduce((a, b) => a * b, 1) * ELEMENT[dtype].bytes;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => tensor(dtype, shape, elements(dtype, bytes)));
  });

/** Any text that UTF-8 can write, with many escapes among it. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', '\\', '/', '\n', '\t', '\u0001', '\u007f'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
});
const anyName = anyText.filter(
  (name) =>
    !name.includes('\0') &&
    !/(^|\.)(__proto__|constructor|prototype)(\.|$)/.test(name) &&
    name !== '__metadata__',
);
const anyCheckpoint = fc.record({
  tensors: fc.array(fc.tuple(anyName, anyTensor), { maxLength: 6 }).map((pairs) => new Map(pairs)),
  metadata: fc.array(fc.tuple(anyName, anyText), { maxLength: 4 }).map((pairs) => new Map(pairs)),
});

const options = { seed: 20_240_501, numRuns: 300 };

describe('safetensors', () => {
  it('reads back what it wrote, bit for bit', () => {
    fc.assert(
      fc.property(anyCheckpoint, ({ tensors, metadata }) => {
        const bytes = writeSafetensors(tensors, metadata, { allowNonFinite: true });
        const back = readSafetensors(bytes, { allowNonFinite: true });
        expect(new Map(back.metadata)).toEqual(metadata);
        expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, { dtype, shape, data }] of tensors) {
          const got = back.tensors.get(name)!;
          expect([got.dtype, got.shape]).toEqual([dtype, shape]);
          const [a, b] = [got.data, data].map((d) => Buffer.from(d.buffer, d.byteOffset, d.byteLength));
          expect(a.equals(b)).toBe(true);
        }
        // Writing is a function of the content.
        expect(writeSafetensors(back.tensors, back.metadata, { allowNonFinite: true })).toEqual(bytes);
      }),
      options,
    );
  });

  it('reads the same header through windows of any size', () => {
    fc.assert(
      fc.property(anyCheckpoint, fc.integer({ min: 1, max: 9 }), ({ tensors, metadata }, size) => {
        const file = writeSafetensors(tensors, metadata, { allowNonFinite: true });
        const length = Number(new DataView(file.buffer).getBigUint64(0, true));
        const text = file.subarray(8, 8 + length);
        const dataLength = file.length - 8 - length;
        // One buffer for every window, as a file has: nobody may hold on to an old one.
        const buffer = new Uint8Array(size);
        const window = (offset: number) => {
          const part = text.subarray(offset, offset + size);
          buffer.set(part);
          return buffer.subarray(0, part.length);
        };
        const whole = parseHeader({ length, window: (offset) => text.subarray(offset) }, dataLength, 'a');
        expect(parseHeader({ length, window }, dataLength, 'a')).toEqual(whole);
      }),
      options,
    );
  });

  it('throws nothing but FormatError at damaged files', () => {
    const mutation = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), at: fc.nat(), value: fc.nat({ max: 255 }) }),
      // Where headers break: structure, digits and letters of other fields.
      fc.record({
        kind: fc.constant('set' as const),
        at: fc.nat(),
        value: fc.constantFrom(...Buffer.from('{}[]",:\\-.e0129 ')),
      }),
      fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.nat({ max: 8 }) }),
      fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), value: fc.nat({ max: 255 }) }),
    );
    let refused = 0;
    fc.assert(
      fc.property(
        anyCheckpoint,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (checkpoint, mutations) => {
          let bytes = [
            ...writeSafetensors(checkpoint.tensors, checkpoint.metadata, { allowNonFinite: true }),
          ];
          for (const { kind, at, value } of mutations) {
            const i = at % Math.max(1, bytes.length);
            if (kind === 'set') bytes[i] = value;
            else if (kind === 'cut') bytes = [...bytes.slice(0, i), ...bytes.slice(i + value)];
            else bytes.splice(i, 0, value);
          }
          const began = performance.now();
          try {
            const { tensors } = readSafetensors(Uint8Array.from(bytes));
            // What is taken fits in the file: no element comes from anywhere else.
            const held = [...tensors.values()].reduce(
              (sum, t) => sum + t.data.length * ELEMENT[t.dtype].bytes,
              0,
            );
            expect(held).toBeLessThan(bytes.length);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
            refused++;
          }
          expect(performance.now() - began).toBeLessThan(1000);
        },
      ),
      { ...options, numRuns: 3000 },
    );
    // The mutations do hit: a test that damages nothing would pass as well.
    expect(refused).toBeGreaterThan(1500);
  });

  it('throws nothing but FormatError at any bytes after a header length that fits', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0019.-e wdtypeshapF32a_ofs\u00e9') }),
        (text) => {
          const header = new TextEncoder().encode(text);
          const file = new Uint8Array(8 + header.length);
          new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
          file.set(header, 8);
          try {
            readSafetensors(file);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
      { ...options, numRuns: 3000 },
    );
  });
});
