import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodePlain, encodePlain } from '../../src/stream/utf8.ts';

test('what runs where there is no TextEncoder gives the bytes that TextEncoder gives', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect([...encodePlain(text)]).toEqual([...new TextEncoder().encode(text)]);
    }),
  );
});

test('and reads them back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(decodePlain(new TextEncoder().encode(text))).toBe(text);
    }),
  );
  expect(decodePlain(Uint8Array.of(0xff, 0xfe))).toBe('\ufffd');
});

test('a lone surrogate becomes U+FFFD', () => {
  expect([...encodePlain('a\ud800b')]).toEqual([...new TextEncoder().encode('a\ufffdb')]);
});
