import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeWav, siSdr } from '../../src/audio/index.ts';
import { random } from '../../src/init/index.ts';
import { initialise } from '../../src/layers/index.ts';
import { cleanUMamba, loadModel, onRecordings, runningLevel } from '../../src/models/index.ts';
import { defineLayer, type Model } from '../../src/signal/index.ts';
import { add, delay, mul } from '../../src/ops/index.ts';
import { compile, type Parameters } from '../../src/stream/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { missingShared, shared } from '../support/shared.ts';
import { smallCleanUMamba } from './small-denoisers.ts';

/** What `compile` makes of a whole recording, cut to its length. */
function denoised(model: Model, parameters: Parameters, samples: Float32Array): Float32Array {
  const stream = compile(model, parameters);
  return Float32Array.from([...stream.push(samples), ...stream.flush()].slice(0, samples.length));
}

const network = cleanUMamba(smallCleanUMamba('lstm'));
const levelled = runningLevel(network);
const parameters = initialise(levelled, 3);
verifyStream({ name: 'runningLevel', model: levelled, parameters, frames: 500 });
verifyAdjoint({
  name: 'runningLevel',
  model: runningLevel({ ...network, endPadding: undefined }),
  parameters,
  frames: 30,
});

describe('runningLevel', () => {
  const through = defineLayer({ name: 'through', features: 2, apply: (_trace, x) => x });
  const sine = Float32Array.from({ length: 2 * 4000 }, (_, i) => 0.3 * Math.sin(i));

  it('gives back what it took away: nothing happens to a signal that nothing happens to', () => {
    expect(relativeError(denoised(runningLevel(through), {}, sine), sine)).toBeLessThan(1e-6);
  });

  it('is the running mean of the square, from what is believed at the start', () => {
    // A layer that gives the frame before: it is divided by its own level, and multiplied by the level of today.
    const late = runningLevel(defineLayer({ name: 'late', features: 1, apply: (_trace, x) => delay(x, 1) }), {
      seconds: 0.01,
      prior: { rms: 0.5, seconds: 0.002 },
      sampleRate: 1000,
    });
    const source = random(4);
    const input = Float32Array.from({ length: 60 }, () => source.normal());
    let power = 0.25;
    let level = 0;
    let before = 0;
    const wanted = Array.from(input, (x, k) => {
      power += (x * x - power) / Math.min(k + 1 + 2, 10);
      const divided = before;
      level = Math.sqrt(power + 1e-8);
      before = x / level;
      return divided * level;
    });
    expect(relativeError(denoised(late, {}, input), wanted)).toBeLessThan(1e-6);
  });

  it('has seconds of memory, whatever the sample rate', () => {
    // What comes out of it is the level itself.
    const layer = defineLayer({
      name: 'ones',
      features: 1,
      sampleRate: 1000,
      apply: (_trace, x) => add(mul(x, 0), 1),
    });
    const model = runningLevel(layer, { seconds: 0.5, prior: { rms: 0.5, seconds: 0.002 } });
    const source = random(9);
    const input = Float32Array.from({ length: 800 }, () => source.normal());
    const twice = Float32Array.from({ length: 1600 }, (_, k) => input[k >> 1]!);
    const slow = compile(model, {}).push(input) as Float32Array;
    const fast = compile(model, {}, { sampleRate: 2000 }).push(twice) as Float32Array;
    const everySecond = slow.map((_, k) => fast[2 * k + 1]!);
    expect(relativeError(everySecond.slice(0, 490), slow.slice(0, 490))).toBeLessThan(1e-6);
    // From then on it forgets a frame at a time: by thousandths otherwise at another rate.
    expect(relativeError(everySecond, slow)).toBeLessThan(2e-3);
  });

  it('keeps each channel at a level of its own', () => {
    // What comes out of it is the level itself.
    const ones = defineLayer({ name: 'ones', features: 2, apply: (_trace, x) => add(mul(x, 0), 1) });
    const input = Float32Array.from({ length: 2 * 3000 }, (_, i) => (i % 2 === 0 ? 1 : -0.01));
    const [loud, quiet] = denoised(runningLevel(ones), {}, input).slice(-2);
    // 0.3 s of a root mean square of 0.1 were believed beforehand, 4,800 frames.
    expect(loud!).toBeCloseTo(Math.sqrt((3000 + 48) / 7800), 5);
    expect(quiet!).toBeCloseTo(Math.sqrt((0.3 + 48) / 7800), 5);
  });

  it('stays finite in silence', () => {
    const output = denoised(levelled, parameters, new Float32Array(2000));
    expect(output.every(Number.isFinite)).toBe(true);
  });
});

describe.skipIf(missingShared('models') || missingShared('data', 'vb-demand'))(
  'CleanUMamba on raw recordings (needs ../shared)',
  () => {
    const read = (folder: string, name: string): Float32Array =>
      decodeWav(readFileSync(shared('data', 'vb-demand', folder, name))).samples as Float32Array;
    // Each costs about a second; the whole table is in docs/models/denoisers.md.
    const names = missingShared('data', 'vb-demand')
      ? []
      : readdirSync(shared('data', 'vb-demand', 'noisy')).filter((_, i) => i % 4 === 0);

    it.each(['Experiment_CleanU_Mamba', 'CleanUMamba-3N-E6_pruned-500k'])(
      '%s is within 0.3 dB of the offline code, which divides a clip by its standard deviation',
      (checkpoint) => {
        const loaded = loadModel(shared('models', `${checkpoint}.safetensors`));
        const differences = names.map((name) => {
          const [noisy, clean] = [read('noisy', name), read('clean', name)];
          const level = deviation(noisy) + 1e-3;
          const scaled = noisy.map((x) => x / level);
          const offline = siSdr(denoised(loaded.model, loaded.parameters, scaled), clean);
          return siSdr(denoised(onRecordings(loaded), loaded.parameters, noisy), clean) - offline;
        });
        const mean = differences.reduce((sum, value) => sum + value, 0) / names.length;
        expect(names.length).toBe(5);
        expect(Math.abs(mean)).toBeLessThanOrEqual(0.3);
      },
      60_000,
    );
  },
);

/** As torch's `std`. */
function deviation(samples: Float32Array): number {
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  return Math.sqrt(samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (samples.length - 1));
}
