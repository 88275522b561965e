import { describe, expect, it } from 'vitest';
import { deviation, worst } from '../../src/conformance/compare.ts';
import type { Golden } from '../../src/conformance/golden.ts';
import { lossOf } from '../../src/conformance/ways/grad.ts';

describe('deviation', () => {
  it('is relative to the peak of the official tensor, and says where it is largest', () => {
    expect(deviation([1, -3.5, 2], [1, -4, 1.9], 'output')).toEqual({
      error: 0.125,
      place: 'output[1] is -3.5, official -4',
    });
  });

  it('is absolute where the peak is 0, or where asked', () => {
    expect(deviation([0.5, 0], [0, 0], 'x').error).toBe(0.5);
    expect(deviation([3.5], [4], 'x', 'absolute').error).toBe(0.5);
  });

  it('is infinite for NaN and for another number of values', () => {
    expect(deviation([Number.NaN, 1], [1, 1], 'x').error).toBe(Infinity);
    expect(deviation([1], [Number.NaN], 'x').error).toBe(Infinity);
    expect(deviation([1, 2], [1, 2, 3], 'x')).toEqual({
      error: Infinity,
      place: 'x has 2 values, 3 are official',
    });
  });

  it('of nothing is no agreement', () => {
    expect(worst([]).error).toBe(Infinity);
    expect(
      worst([deviation([1], [1], 'a'), deviation([1], [2], 'b'), deviation([1], [1.5], 'c')]).place,
    ).toMatch(/^b/);
  });
});

describe('lossOf', () => {
  const golden = (note: string, ...tensors: string[]): Golden =>
    ({ note, path: 'case.safetensors', has: (name: string) => tensors.includes(name) }) as Golden;

  // The notes of the official vectors as they are.
  it.each([
    ['float32; grad.* of sum(y*cos(0.1*flat_index(y)))', ['output'], 'output'],
    ['grad of sum(output*cos(0.1*flat_index))', ['output'], 'output'],
    [
      'grad of sum(output.parallel*cos(0.1*flat_index)), compare to 1e-3',
      ['output.parallel'],
      'output.parallel',
    ],
  ])('%s', (note, tensors, tensor) => {
    const loss = lossOf(golden(note, ...tensors));
    expect(loss.tensor).toBe(tensor);
    expect(loss.weight(7)).toBe(Math.cos(0.1 * 7));
  });

  it('takes the plain sum', () => {
    const loss = lossOf(golden('batch_first; grad of output.sum()', 'output'));
    expect([loss.tensor, loss.weight(0), loss.weight(9)]).toEqual(['output', 1, 1]);
  });

  it('refuses a note that states none', () => {
    expect(() => lossOf(golden('float32'))).toThrow(/case\.safetensors: the note does not state the loss/);
  });
});
