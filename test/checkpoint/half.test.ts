import { describe, expect, it } from 'vitest';
import { fromBF16Bits, fromF16Bits, toBF16Bits, toF16Bits } from '../../src/checkpoint/index.ts';

const FORMATS = [
  { name: 'F16', to: toF16Bits, from: fromF16Bits, infinity: 0x7c00 },
  { name: 'BF16', to: toBF16Bits, from: fromBF16Bits, infinity: 0x7f80 },
];

describe.each(FORMATS)('$name', ({ to, from, infinity }) => {
  it('gives every finite and infinite bit pattern back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if ((bits & 0x7fff) > infinity) continue;
      if (to(from(bits)) !== bits)
        throw new Error(`${bits.toString(16)} became ${to(from(bits)).toString(16)}`);
    }
  });

  it('ascends with its bits', () => {
    for (let bits = 1; bits <= infinity; bits++) {
      if (!(from(bits) > from(bits - 1))) throw new Error(`${bits.toString(16)} is not above its neighbour`);
    }
  });

  it('rounds to the nearer neighbour, and halfway to the even one', () => {
    for (let bits = 0; bits < infinity - 1; bits++) {
      const [low, high] = [from(bits), from(bits + 1)];
      const middle = low + (high - low) / 2;
      // A step of float64 beside the middle: far less than one of float32, so that rounding twice would show.
      const nudge = middle * 2 ** -52;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const got = [to(middle - nudge), to(middle), to(middle + nudge), to(-middle)];
      const want = [bits, even, bits + 1, even | 0x8000];
      if (got.join() !== want.join()) throw new Error(`around ${middle}: ${got.join()}, not ${want.join()}`);
    }
  });

  it('overflows to infinity from half a step above its largest number', () => {
    const largest = from(infinity - 1);
    const step = largest - from(infinity - 2);
    expect(to(largest + step / 2)).toBe(infinity);
    expect(to((largest + step / 2) * (1 - 2 ** -52))).toBe(infinity - 1);
    expect(to(-Number.MAX_VALUE)).toBe(infinity | 0x8000);
    expect(to(Infinity)).toBe(infinity);
  });

  it('keeps NaN, the sign of zero, and flushes what is less than half of its smallest number', () => {
    expect(from(to(NaN))).toBeNaN();
    expect(to(-0)).toBe(0x8000);
    expect(Object.is(from(0x8000), -0)).toBe(true);
    expect(to(from(1) / 2)).toBe(0);
    expect(to((from(1) / 2) * (1 + 2 ** -52))).toBe(1);
    expect(to(-Number.MIN_VALUE)).toBe(0x8000);
  });
});

describe('known bit patterns', () => {
  it.each([
    [0x3c00, 1],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0xc000, -2],
  ])('F16 %i is %d', (bits, value) => expect(fromF16Bits(bits)).toBe(value));

  it('BF16 is the upper half of float32', () => {
    const float = new Float32Array(1);
    const word = new Uint32Array(float.buffer);
    for (let bits = 0; bits < 0x10000; bits++) {
      word[0] = bits << 16;
      if (!Object.is(fromBF16Bits(bits), float[0]))
        throw new Error(`${bits.toString(16)} is not ${float[0]}`);
    }
  });
});
