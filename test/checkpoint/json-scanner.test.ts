import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner, JsonSyntaxError } from '../../src/checkpoint/json-scanner.ts';
import { thrownBy } from './support.ts';

function scannerOf(bytes: Uint8Array): JsonScanner {
  return new JsonScanner({ length: bytes.length, window: (offset) => bytes.subarray(offset, offset + 3) });
}

/** The string that a text holds as a whole, or undefined when the scanner refuses it. */
function scanString(bytes: Uint8Array): string | undefined {
  const scanner = scannerOf(bytes);
  try {
    const token = scanner.string();
    scanner.end();
    return scanner.text(token);
  } catch (error) {
    expect(error).toBeInstanceOf(JsonSyntaxError);
    return undefined;
  }
}

/** What the platform's own decoder and parser say, and the one thing in which the scanner is stricter. */
function oracle(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' && value.isWellFormed() ? value : undefined;
  } catch {
    return undefined;
  }
}

describe('the JSON scanner agrees with JSON.parse and TextDecoder', () => {
  const options = { seed: 7, numRuns: 5000 };

  it('on any escapes', () => {
    const piece = fc.constantFrom(
      '\\',
      '"',
      'u',
      'd83d',
      'de00',
      '\\ud83d',
      '\\ude00',
      '\\u00',
      'n',
      '/',
      'é',
      '\u{1F600}',
      '\t',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const bytes = new TextEncoder().encode(`"${pieces.join('')}"`);
        expect(scanString(bytes)).toBe(oracle(bytes));
      }),
      options,
    );
  });

  it('on any bytes', () => {
    const byte = fc.oneof(
      fc.nat({ max: 255 }),
      fc.constantFrom(
        0x7f,
        0x80,
        0xbf,
        0xc1,
        0xc2,
        0xe0,
        0x9f,
        0xa0,
        0xed,
        0xef,
        0xf0,
        0x8f,
        0x90,
        0xf4,
        0xf5,
      ),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 6 }), (inner) => {
        const bytes = Uint8Array.of(0x22, ...inner, 0x22);
        expect(scanString(bytes)).toBe(oracle(bytes));
      }),
      options,
    );
  });

  it('on every character of two or three bytes, and one of each plane', () => {
    for (let code = 0x80; code < 0x110000; code += code < 0x10000 ? 1 : 0x4321) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const char = String.fromCodePoint(code);
      if (scanString(new TextEncoder().encode(`"${char}"`)) !== char)
        throw new Error(`U+${code.toString(16)}`);
    }
  });

  it('on natural numbers, up to 2^53 - 1', () => {
    const literal = fc.oneof(
      fc.maxSafeNat().map(String),
      fc.bigInt({ min: 0n, max: 2n ** 70n }).map(String),
      fc.string({ unit: fc.constantFrom(...'0123456789-+.eE'), minLength: 1, maxLength: 20 }),
    );
    fc.assert(
      fc.property(literal, (text) => {
        const scanner = scannerOf(new TextEncoder().encode(text));
        const refused = thrownBy(() => {
          const value = scanner.natural('n');
          scanner.end();
          expect(String(value)).toBe(text);
        });
        const good = /^(0|[1-9]\d*)$/.test(text) && BigInt(text) <= Number.MAX_SAFE_INTEGER;
        expect(refused instanceof JsonSyntaxError).toBe(!good);
        if (good) expect(refused).toBeUndefined();
      }),
      options,
    );
  });
});
