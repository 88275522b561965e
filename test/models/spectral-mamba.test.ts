import { describe, expect, it } from 'vitest';
import { initialise } from '../../src/layers/index.ts';
import { modelFor, spectralMamba } from '../../src/models/index.ts';
import { traceModel } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { measuredLatency } from './latency.ts';

const small = { window: 8, features: 4, layers: 2, inner: 6, states: 2, taps: 2 };
const model = spectralMamba(small);

verifyStream({ name: 'spectral Mamba', model, parameters: initialise(model, 1), frames: 300 });
verifyAdjoint({ name: 'spectral Mamba', model, parameters: initialise(model, 2), frames: 40, step: 2e-5 });

/** As `fixtures/models/denoiser` has it. */
const shipped = { window: 320, d_model: 96, n_layer: 4, d_inner: 132, taps: 2, cutoff: 40, keep: 0.1 };

const rumbling = spectralMamba({ ...small, sampleRate: 1000, cutoff: 40, keep: 0.1 });
verifyStream({
  name: 'spectral Mamba behind a high-pass',
  model: rumbling,
  parameters: initialise(rumbling, 1),
  frames: 300,
});
verifyAdjoint({
  name: 'spectral Mamba behind a high-pass',
  model: rumbling,
  parameters: initialise(rumbling, 2),
  frames: 40,
  step: 2e-5,
});

describe('spectralMamba', () => {
  it('passes a signal through where its filter is zero', () => {
    const parameters = new Map(
      [...initialise(model, 3)].map(([name, values]) => [name, name.startsWith('output.') ? values.fill(0) : values]), // prettier-ignore
    );
    const input = Float32Array.from({ length: 100 }, (_, k) => Math.sin(k * 0.3));
    const stream = compile(model, parameters);
    const output = Float32Array.from([...stream.push(input), ...stream.flush()]);
    expect(output).toHaveLength(100);
    expect(relativeError(output.slice(8), input.slice(8))).toBeLessThan(1e-6);
  });

  it('takes rumble away where its filter is zero, as a Butterworth high-pass of second order', () => {
    const model = spectralMamba({ ...small, window: 32, cutoff: 40 });
    const parameters = new Map(
      [...initialise(model, 3)].map(([name, values]) => [name, name.startsWith('output.') ? values.fill(0) : values]), // prettier-ignore
    );
    const stream = compile(model, parameters);
    for (const frequency of [0, 10, 20, 40, 80, 400]) {
      stream.reset();
      const input = Float32Array.from({ length: 24_000 }, (_, k) =>
        Math.cos((2 * Math.PI * frequency * k) / 16_000),
      );
      const output = stream.push(input).slice(8000);
      const ratio = (frequency / 40) ** 2;
      // The hold advances the low-pass part by half a frame: some √2 ω / 2 = 0.011 of its input.
      expect(Math.abs(Math.max(...output) - ratio / Math.hypot(1, ratio))).toBeLessThan(0.012);
    }
  });

  it('keeps a share of what it hears', () => {
    const parameters = initialise(model, 8);
    const input = Float32Array.from({ length: 200 }, (_, k) => Math.sin(k * 0.3) + Math.sin(k * k));
    const run = (keep: number): Float32Array =>
      compile(spectralMamba({ ...small, keep }), parameters).push(input) as Float32Array;
    const [none, some] = [run(0), run(0.25)];
    // From the second window on the transform gives back what went in.
    const wanted = none.map((y, k) => 0.75 * y + 0.25 * input[k]!);
    expect(relativeError(some.slice(8), wanted.slice(8))).toBeLessThan(1e-6);
    expect(() => spectralMamba({ ...small, keep: 1 })).toThrow(/keep is 1; give a share/);
  });

  it('does not mind how loud it is, once it has heard the level', () => {
    const parameters = initialise(model, 4);
    const input = Float32Array.from({ length: 16_000 * 4 }, (_, k) => 0.1 * Math.sin(k * k));
    const run = (gain: number): Float32Array =>
      compile(model, parameters).push(input.map((x) => gain * x)) as Float32Array;
    const [plain, loud] = [run(1), run(10)];
    const tail = plain.length - 8000;
    expect(relativeError(loud.slice(tail).map((y) => y / 10), plain.slice(tail))).toBeLessThan(0.02); // prettier-ignore
  });

  it('looks 319 samples ahead, 20 ms, in fewer than 300,000 weights', () => {
    const full = modelFor('spectral-mamba', shipped);
    const stream = compile(full, initialise(full, 5));
    expect(stream.latency).toBe(319);
    const weights = [...traceModel(full).parameters.values()].reduce((sum, node) => sum + node.shape.reduce((a, b) => a * b, 1), 0); // prettier-ignore
    expect(weights).toBeLessThan(300_000);
    expect(measuredLatency(model, initialise(model, 6), { period: 4, most: 32 })).toBe(7);
  });
});
