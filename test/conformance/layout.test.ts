import { array, assert, integer, property, shuffledSubarray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesOf, parseLayout } from '../../src/conformance/layout.ts';
import { FormatError } from '../../src/errors.ts';

const count = (n: number): Float64Array => Float64Array.from({ length: n }, (_, i) => i);

describe('framesOf', () => {
  it.each([
    // 2 items, 3 channels, 2 frames: channel-major in the file.
    [
      'B,C,T',
      [2, 3, 2],
      [
        [0, 2, 4, 1, 3, 5],
        [6, 8, 10, 7, 9, 11],
      ],
      3,
    ],
    [
      'B,T,C',
      [2, 2, 3],
      [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10, 11],
      ],
      3,
    ],
    ['T,C', [2, 3], [[0, 1, 2, 3, 4, 5]], 3],
    ['T', [4], [[0, 1, 2, 3]], 1],
    [
      'B,T',
      [2, 3],
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      1,
    ],
    // Heads outside of time: a frame gathers them.
    ['B,H,T,K', [1, 2, 2, 2], [[0, 1, 4, 5, 2, 3, 6, 7]], 4],
    ['B,T,H,K', [1, 2, 2, 2], [[0, 1, 2, 3, 4, 5, 6, 7]], 4],
  ])('%s of %j', (layout, shape, items, width) => {
    const found = framesOf(shape, count(shape.reduce((a, b) => a * b)), parseLayout(layout, 'test')('input'));
    expect(found.items.map((item) => [...item])).toEqual(items);
    expect(found.width).toBe(width);
    expect(found.frames).toBe(items[0].length / width);
  });

  it('gives a tensor of fewer axes the first of them', () => {
    const gate = framesOf([1, 2, 3], count(6), ['B', 'T', 'H', 'K']);
    expect(gate).toMatchObject({ frames: 2, width: 3 });
    const dt = framesOf([5], count(5), ['T', 'C']);
    expect(dt).toMatchObject({ frames: 5, width: 1 });
  });

  it('reads a layout for each tensor', () => {
    const layout = parseLayout('Q,K,V,Z,Angles: B,T,H,*; ADT,DT,Trap: B,H,T', 'test');
    expect(layout('Z')).toEqual(['B', 'T', 'H', '*']);
    expect(layout('DT')).toEqual(['B', 'H', 'T']);
    expect(layout('output')).toEqual(['B', 'T', 'H', '*']);
    expect(framesOf([2, 3, 4], count(24), layout('DT'))).toMatchObject({ frames: 4, width: 3 });
    expect(framesOf([2, 5, 3, 4], count(120), layout('Q'))).toMatchObject({ frames: 5, width: 12 });
    expect(framesOf([2, 5, 3], count(30), layout('Q'))).toMatchObject({ frames: 5, width: 3 });
  });

  it('moves every number, once', () => {
    assert(
      property(
        shuffledSubarray(['B', 'T', 'H', 'K', 'C'], { minLength: 1 }).filter((axes) => axes.includes('T')),
        array(integer({ min: 1, max: 4 }), { minLength: 5, maxLength: 5 }),
        (layout, extents) => {
          const shape = layout.map((_, i) => extents[i]);
          const size = shape.reduce((a, b) => a * b, 1);
          const { items, frames, width } = framesOf(shape, count(size), layout);
          expect(items.flatMap((item) => [...item]).sort((a, b) => a - b)).toEqual([...count(size)]);
          expect(items.length * frames * width).toBe(size);
          expect(frames).toBe(shape[layout.indexOf('T')]);
        },
      ),
    );
  });

  it.each([
    [[2, 3, 4], 'C,T', /\[2, 3, 4\] does not fit the layout "C,T"/],
    [[2, 3], 'B,C,T', /leaves no time axis T/],
    [[2], '', /does not fit/],
    [[2, 3], 'B,T,H,*', /does not fit/],
  ])('refuses %j as %s', (shape, layout, message) => {
    const axes = parseLayout(layout, 'test')('input');
    expect(() => framesOf(shape, count(24), axes)).toThrow(FormatError);
    expect(() => framesOf(shape, count(24), axes)).toThrow(message);
  });
});
