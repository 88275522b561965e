import { lastValueFrom, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deinterleave, formatOf, interleave, mapChannels, mono, withFormat } from '../../operators/index.ts';
import { ArgumentError, StreamError } from '../../src/errors.ts';

const stereo = Float32Array.of(1, 10, 2, 20, 3, 30);

describe('planar edges', () => {
  it('take channels apart and put them together', async () => {
    const planes = await lastValueFrom(of(stereo).pipe(deinterleave(2)));
    expect(planes).toEqual([Float32Array.of(1, 2, 3), Float32Array.of(10, 20, 30)]);
    expect(await lastValueFrom(of(planes).pipe(interleave()))).toEqual(stereo);
    const wide = Float64Array.of(1, 2);
    expect(await lastValueFrom(of(wide).pipe(deinterleave(2), interleave()))).toEqual(wide);
  });

  it('refuse what does not fit', async () => {
    const ragged = of([new Float32Array(2), new Float32Array(3)]).pipe(interleave());
    await expect(lastValueFrom(ragged)).rejects.toThrow(/channel 1 has 3 values/);
    await expect(lastValueFrom(of([]).pipe(interleave()))).rejects.toThrow(StreamError);
    await expect(lastValueFrom(of(stereo).pipe(deinterleave(4)))).rejects.toThrow(/6 values/);
    expect(() => deinterleave(0)).toThrow(ArgumentError);
  });
});

describe('mixing', () => {
  const tagged = () => of(stereo.slice()).pipe(withFormat({ sampleRate: 8000, channels: 2 }));

  it('mono is the mean', async () => {
    const mixed = await lastValueFrom(tagged().pipe(mono()));
    expect(mixed).toEqual(Float32Array.of(5.5, 11, 16.5));
    expect(formatOf(mixed)).toEqual({ sampleRate: 8000, channels: 1 });
    expect(await lastValueFrom(of(stereo).pipe(mono(2)))).toEqual(mixed);
    await expect(lastValueFrom(tagged().pipe(mono(3)))).rejects.toThrow(
      /told of 3 channels, but the block has 2/,
    );
  });

  it('mapChannels multiplies every frame by the matrix', async () => {
    const mixed = await lastValueFrom(
      tagged().pipe(
        mapChannels([
          [0, 1],
          [1, 0],
          [0.5, 0.1],
        ]),
      ),
    );
    expect([...mixed]).toEqual([10, 1, 1.5, 20, 2, 3, 30, 3, 4.5]);
    expect(formatOf(mixed)).toEqual({ sampleRate: 8000, channels: 3 });
    for (const matrix of [[], [[]], [[1, 2], [3]], [[Number.NaN]]]) {
      expect(() => mapChannels(matrix)).toThrow(ArgumentError);
    }
  });
});
