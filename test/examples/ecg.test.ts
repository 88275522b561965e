import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { compile } from 'statewave';
import { decodeWav } from 'statewave/audio';
import { beats, steepness } from '../../examples/ecg/beats.ts';

const recording = fileURLToPath(new URL('../../fixtures/ecg/mit-bih-208.wav', import.meta.url));
const {
  samples,
  info: { sampleRate },
} = decodeWav(new Uint8Array(readFileSync(recording)));

/** Beats found offline, looking both ways: the highest slope within a quarter of a second each way. */
function offline(signal: Float32Array, rate: number): number[] {
  const energy = compile(steepness(rate), {}, { precision: 'float64' }).push(signal);
  const reach = Math.round(rate / 4);
  const high = [...energy].sort((a, b) => a - b)[Math.floor(0.97 * energy.length)]!;
  const found: number[] = [];
  for (let k = reach; k < energy.length; k++) {
    const around = energy.subarray(k - reach, k + reach + 1);
    if (energy[k]! > high / 5 && energy[k] === Math.max(...around)) found.push(k / rate);
  }
  return found;
}

describe('heartbeats', () => {
  const live = (block: number): Promise<{ time: number; rate: number }[]> => {
    const stream = compile(steepness(sampleRate), {});
    const blocks = Array.from({ length: Math.ceil(samples.length / block) }, (_, i) =>
      stream.push(samples.subarray(i * block, (i + 1) * block)),
    );
    return lastValueFrom(from(blocks).pipe(beats(sampleRate), toArray()));
  };

  it('are found live as they are offline, looking both ways', async () => {
    const found = await live(36);
    const expected = offline(samples, sampleRate);
    // 98 a minute over the whole record (2,955 beats in 30 minutes); faster in this one.
    expect(expected.length).toBeGreaterThan(95);
    expect(expected.length).toBeLessThan(120);
    const near = (time: number, list: readonly number[]): boolean =>
      list.some((other) => Math.abs(other - time) < 0.1);
    const times = found.map(({ time }) => time);
    expect(expected.filter((time) => near(time, times)).length / expected.length).toBeGreaterThan(0.95);
    expect(times.filter((time) => near(time, expected)).length / times.length).toBeGreaterThan(0.95);
    expect(found.slice(1).every(({ rate }) => rate > 25 && rate < 240)).toBe(true);
  });

  it('do not depend on how the recording is cut', async () => {
    expect(await live(7)).toEqual(await live(1000));
  });
});
