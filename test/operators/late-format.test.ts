import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { ssm } from '../../operators/index.ts';
import { formatOf, isAnyOther, mark } from '../../operators/core/format.ts';
import { biquadFilter } from '../../src/layers/index.ts';

// In a file of its own: what formats there are is known for the whole process.
it('asks blocks for their format as soon as there is another one', () => {
  const running = { sampleRate: 48_000, channels: 1 };
  expect(isAnyOther(undefined)).toBe(false);
  expect(isAnyOther(running)).toBe(false);
  const source = new Subject<Float32Array>();
  const seen: unknown[] = [];
  source
    .pipe(ssm(biquadFilter([{ type: 'lowpass', frequency: 1000 }]), {}, { sampleRate: 48_000 }))
    .subscribe({
      next: (block) => seen.push(formatOf(block)),
      error: (error: Error) => seen.push(error.message),
    });
  source.next(new Float32Array(4));
  source.next(mark(new Float32Array(4), { ...running }));
  expect(seen).toEqual([running, running]);
  expect(isAnyOther(running)).toBe(false);
  expect(isAnyOther(undefined)).toBe(true);
  const other = mark(new Float32Array(4), { sampleRate: 44_100, channels: 1 });
  expect(isAnyOther(running)).toBe(true);
  source.next(other);
  expect(seen[2]).toMatch('runs on 1 channel at 48000 Hz, but this block is 1 channel at 44100 Hz');
});

it('marks a block anew', () => {
  const block = mark(new Float32Array(2), { sampleRate: 1, channels: 1 });
  expect(formatOf(mark(block, { sampleRate: 2, channels: 2 }))).toEqual({ sampleRate: 2, channels: 2 });
});
