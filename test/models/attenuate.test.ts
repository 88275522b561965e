import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeWav } from '../../src/audio/index.ts';
import { random } from '../../src/init/index.ts';
import { initialise } from '../../src/layers/index.ts';
import { attenuate, loadModel } from '../../src/models/index.ts';
import type { Model } from '../../src/signal/index.ts';
import { compile, type Parameters } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { chunkSizes, relativeError, verifyStream } from '../contract/stream.ts';
import { missingShared, shared } from '../support/shared.ts';
import { stirred } from '../support/stirred.ts';
import { measuredLatency } from './latency.ts';
import { smallAttenuate } from './small-denoisers.ts';

const small = attenuate(smallAttenuate);
const weights = initialise(small, 1);

verifyStream({ name: 'aTENNuate', model: small, parameters: weights, frames: 700 });
// Three patches; the zeros that the end rule appends are nobody's input.
verifyAdjoint({
  name: 'aTENNuate',
  model: { ...small, endPadding: undefined },
  parameters: weights,
  frames: 24,
});

/** The published structure, which alone decides on look-ahead and ends, with few channels. */
const slim = attenuate({ channels: [4, 4, 4, 4, 4, 4], modes: 3 });
/** Modes that forget soon, so that a single frame can be felt through all fourteen blocks. */
const slimWeights = new Map(
  [...stirred(slim, 7)].map(([name, values]) => {
    if (name.endsWith('.log_dt')) return [name, values.map(() => 0)];
    return [name, name.endsWith('.A') ? values.map((value, i) => (i % 2 === 0 ? 3 : value)) : values];
  }),
);
const PATCH = 256;

/** All that a stream gives, in chunks of one size or of random ones. */
function streamed(
  model: Model,
  parameters: Parameters,
  input: Float32Array,
  size: number | 'random',
): number[] {
  const stream = compile(model, parameters);
  const output: number[] = [];
  let at = 0;
  for (const count of chunkSizes(input.length, size)) {
    output.push(...stream.push(input.subarray(at, at + count)));
    at += count;
  }
  output.push(...stream.flush());
  return output;
}

describe('aTENNuate as published', () => {
  it('looks 1,255 frames ahead', () => {
    expect(compile(slim, slimWeights).latency).toBe(1255);
    expect(measuredLatency(slim, slimWeights, { period: PATCH, most: 1400 })).toBe(1255);
  });

  it('has the parameters of the published weights', () => {
    const count = [...initialise(attenuate(), 1).values()].reduce((sum, { length }) => sum + length, 0);
    expect(count).toBe(844_864);
  });

  describe.each([
    [7 * PATCH, 256],
    [7 * PATCH + 1, 255],
    [7 * PATCH + 255, 1],
    [1, 255],
  ])('at the end of %i frames', (length, zeros) => {
    const source = random(length);
    const input = Float32Array.from({ length }, () => source.normal());
    // The rule applied by hand, to a network that has none.
    const padded = new Float64Array(length + zeros);
    padded.set(input);
    const wanted = evaluate({ ...slim, endPadding: undefined }, slimWeights, { input: padded })['output']!;

    it.each([1, 3, 255, 256, 1024, 'random'] as const)(
      `appends ${zeros} zeros as signal, chunks of %s`,
      (size) => {
        const output = streamed(slim, slimWeights, input, size);
        expect(output).toHaveLength(length + zeros);
        expect(relativeError(output, wanted)).toBeLessThanOrEqual(1e-5);
      },
    );
  });
});

describe.skipIf(missingShared('models') || missingShared('golden', 'e2e', 'attenuate'))(
  'aTENNuate with its weights (needs ../shared)',
  () => {
    const samples = (...path: string[]): Float32Array =>
      decodeWav(readFileSync(shared(...path, 'p232_003.wav'))).samples as Float32Array;
    const load = (): { model: Model; parameters: Parameters } =>
      loadModel(shared('models', 'attenuate.safetensors'));

    it('gives the official output of a recording, its end included', () => {
      const { model, parameters } = load();
      const noisy = samples('data', 'vb-demand', 'noisy');
      const official = samples('golden', 'e2e', 'attenuate');
      const output = streamed(model, parameters, noisy, 2048).slice(0, noisy.length);
      expect(relativeError(output, official)).toBeLessThanOrEqual(1e-4);
    }, 60_000);

    it('gives the same bits in any chunking', () => {
      const { model, parameters } = load();
      const noisy = samples('data', 'vb-demand', 'noisy').subarray(0, 32_000);
      const whole = streamed(model, parameters, noisy, noisy.length);
      for (const size of [480, 1000, 'random'] as const)
        expect(streamed(model, parameters, noisy, size)).toEqual(whole);
    }, 60_000);
  },
);
