import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { readWav } from '../../src/audio/index.ts';
import { reference } from '../../src/backends/reference/index.ts';
import type { RunOptions } from '../../src/cli/process/options.ts';
import { pipeline, type Listener } from '../../src/cli/process/pipeline.ts';
import { planRun } from '../../src/cli/process/plan.ts';
import { defineLayer, ops } from '../../src/index.ts';
import type { Model } from '../../src/signal/index.ts';
import { noise, scratch, writeWav } from './support.ts';

const path = scratch();
const options: RunOptions = { block: 100, precision: 'auto', nonfinite: 'throw' };

/** One frame back, and nothing else: counts frames, so it cannot follow another rate. */
const delay = defineLayer({
  name: 'one-frame-back',
  features: 1,
  sampleRate: 8000,
  apply: (_trace, x) => ops.delay(x, 1),
});

/** Says three frames more than it was told: an end rule. */
const longer = defineLayer({
  name: 'longer',
  features: 1,
  endPadding: () => 3,
  apply: (_trace, x) => ops.delay(x, 1),
});

async function run(
  model: Model,
  samples: Float32Array,
  given: Partial<RunOptions> = {},
): Promise<{ output: number[]; silence: number }> {
  await writeWav(path('in.wav'), samples, { sampleRate: 16_000, channels: 1, encoding: 'float32' });
  const reader = await readWav(path('in.wav'));
  const all = { ...options, ...given };
  let silence = 0;
  const listener: Listener = {
    progress() {},
    nonFinite() {},
    silence: (frames) => void (silence = frames),
    latency() {},
  };
  const plan = planRun(reader.info, model, all);
  try {
    const blocks = pipeline(reader, { model, parameters: {} }, plan, all, reference, listener);
    const output = (await lastValueFrom(blocks.pipe(toArray()))).flatMap((block) => [...block]);
    return { output, silence };
  } finally {
    await reader.close();
  }
}

describe('the way from file to file', () => {
  it('refuses a rate that the model cannot follow, and names the cure', async () => {
    await expect(run(delay, noise(10, 1))).rejects.toThrow(
      /was made for 8000 Hz and can't follow 16000 Hz.*--resample does that/,
    );
  });

  it("resamples to the model's rate and back, aligned and of the same length", async () => {
    // A tone well inside the band of 8 kHz; one frame back there is 125 µs, two frames here.
    const tone = (k: number): number => Math.sin((2 * Math.PI * 440 * k) / 16_000);
    const { output, silence } = await run(
      delay,
      Float32Array.from({ length: 4001 }, (_, k) => tone(k)),
      {
        resample: true,
      },
    );
    expect(output).toHaveLength(4001);
    expect(silence).toBe(0);
    for (let k = 500; k < 3500; k++) expect(Math.abs(output[k]! - tone(k - 2))).toBeLessThan(1e-5);
  });

  it("leaves out what a model's end rule says beyond the input", async () => {
    const samples = noise(250, 2);
    const { output } = await run(longer, samples);
    expect(output).toEqual([0, ...samples.subarray(0, 249)]);
  });

  it('fills up with silence, and says so, where a model has nothing more to say', async () => {
    const pairs = defineLayer({
      name: 'pairs',
      features: 1,
      apply: (_trace, x) => ops.channelsToFrames(ops.framesToChannels(x, 2), 2),
    });
    const { output, silence } = await run(
      pairs,
      Float32Array.from({ length: 5 }, (_, k) => k + 1),
    );
    expect(output.slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(output).toHaveLength(5);
    expect(silence).toBe(1);
  });

  it('refuses a model that takes other channels than the file has', async () => {
    const stereo = defineLayer({ name: 'stereo', features: 2, apply: (_trace, x) => ops.delay(x, 1) });
    await expect(run(stereo, noise(10, 3))).rejects.toThrow(/stereo takes 2 channels, the file has 1/);
  });
});
