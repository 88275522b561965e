import { from, lastValueFrom, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { formatOf, resample, withFormat } from '../../operators/index.ts';
import { createResampler } from '../../src/audio/index.ts';
import { ArgumentError, StreamError } from '../../src/errors.ts';
import { concatenated, noise, ragged } from './models.ts';

const stereo = noise(2000);
const whole = (quality?: 'best'): number[] => {
  const resampler = createResampler({ from: 48_000, to: 16_000, channels: 2, ...(quality && { quality }) });
  return [...resampler.process(stereo), ...resampler.end()];
};

describe('resample', () => {
  it('gives what the resampler gives, however the blocks are cut, and says what they are', async () => {
    const format = { sampleRate: 48_000, channels: 2 };
    const blocks = await lastValueFrom(
      from(ragged(stereo, 2)).pipe(withFormat(format), resample(16_000), toArray()),
    );
    expect([...concatenated(blocks)]).toEqual(whole());
    for (const block of blocks) expect(formatOf(block)).toEqual({ sampleRate: 16_000, channels: 2 });
  });

  it('is told what blocks are that say nothing themselves', async () => {
    const options = { from: 48_000, channels: 2, quality: 'best' } as const;
    const blocks = await lastValueFrom(
      of(Float64Array.from(stereo)).pipe(resample(16_000, options), toArray()),
    );
    expect([...concatenated(blocks)]).toEqual(whole('best'));
  });

  it('refuses what it can not know', async () => {
    const block = of(new Float32Array(4));
    expect(() => resample(0.5)).toThrow(ArgumentError);
    await expect(lastValueFrom(block.pipe(resample(8000)))).rejects.toThrow(/carry no rate; give { from }/);
    const marked = block.pipe(withFormat({ sampleRate: 8000, channels: 1 }));
    await expect(lastValueFrom(marked.pipe(resample(4000, { from: 16_000 })))).rejects.toThrow(StreamError);
    const [a, b] = [8000, 16_000].map((sampleRate) => block.pipe(withFormat({ sampleRate, channels: 1 })));
    const mixed = from([await lastValueFrom(a!), await lastValueFrom(b!)]).pipe(resample(4000));
    await expect(lastValueFrom(mixed)).rejects.toThrow(/at 16000 Hz behind one of 1 at 8000; one stream/);
  });
});
