import { describe, expect, it } from 'vitest';
import { bilinear } from '../../src/discretize/index.ts';
import { initialise } from '../../src/layers/index.ts';
import { modelFor, s4Model } from '../../src/models/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { verifyStream } from '../contract/stream.ts';

const sizes = { inputs: 2, outputs: 3, features: 4, layers: 2, states: 4, sampleRate: 8000 };
for (const [name, model] of [
  ['S4 model', s4Model(sizes)],
  ['S4 model, norms before, no pool', s4Model({ ...sizes, preNorm: true, pool: 'none' })],
  [
    'S4 model of an amplifier',
    s4Model({ ...sizes, norm: 'none', averageInput: true, pool: 'none', discretization: bilinear }),
  ],
] as const) {
  verifyStream({ name, model, parameters: initialise(model, 1) });
  verifyStream({ name: `${name}, half the rate`, model, parameters: initialise(model, 1), options: { sampleRate: 4000 } }); // prettier-ignore
  verifyAdjoint({ name, model, parameters: initialise(model, 2), step: 1e-5 });
}

describe('s4Model', () => {
  it('answers at its last frame from the mean over all of them', () => {
    const model = s4Model({ ...sizes, layers: 1 });
    const parameters = initialise(model, 3);
    const each = s4Model({ ...sizes, layers: 1, pool: 'none' });
    const input = Float64Array.from({ length: 20 }, (_, i) => Math.sin(i));
    const pooled = evaluate(model, parameters, { input })['output']!.slice(-3);
    const frames = evaluate(each, parameters, { input })['output']!;
    // The decoder is affine, so the mean may stand before or behind it.
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let k = 0; k < 10; k++) sum += frames[3 * k + c]!;
      expect(pooled[c]).toBeCloseTo(sum / 10, 12);
    }
  });

  it('leaves out modes beyond the band limit, at the rate it runs at', () => {
    const limited = s4Model({ ...sizes, layers: 1, bandLimit: 1 });
    const free = s4Model({ ...sizes, layers: 1 });
    // dt A_imag = 0.75π at 8 kHz and 1.5π at 4 kHz.
    const parameters = new Map(
      [...initialise(free, 4)].map(([name, values]) => [
        name,
        name.endsWith('A_imag') ? values.map(() => 0.75 * Math.PI) : name.endsWith('log_dt') ? values.fill(0) : values, // prettier-ignore
      ]),
    );
    const input = Float64Array.from({ length: 40 }, (_, i) => Math.cos(i * i));
    const at = (model: typeof free, sampleRate: number): Float64Array =>
      evaluate(model, parameters, { input }, { sampleRate })['output']!;
    expect(at(limited, 8000)).toEqual(at(free, 8000));
    const silent = new Map([...parameters].map(([name, v]) => [name, name.endsWith('kernel.C') ? v.map(() => 0) : v])); // prettier-ignore
    expect(at(limited, 4000)).toEqual(evaluate(free, silent, { input }, { sampleRate: 4000 })['output']);
    expect(at(limited, 4000)).not.toEqual(at(free, 4000));
  });

  it('keeps its phase at another rate where inputs are averaged', () => {
    const options = { inputs: 1, outputs: 1, features: 4, layers: 2, states: 8, sampleRate: 48_000, norm: 'none', pool: 'none', discretization: bilinear } as const; // prettier-ignore
    const parameters = initialise(s4Model(options), 6);
    /** The answer to a slow sine, from 10 ms on, at 48 kHz and at every other frame of 96 kHz. */
    const difference = (averageInput: boolean): number => {
      const model = s4Model({ ...options, averageInput });
      const at = (sampleRate: number): Float64Array => {
        const input = Float64Array.from({ length: sampleRate / 50 }, (_, k) => 0.3 * Math.sin((2 * Math.PI * 1000 * k) / sampleRate)); // prettier-ignore
        return evaluate(model, parameters, { input }, { sampleRate })['output']!;
      };
      const [slow, fast] = [at(48_000).slice(480), at(96_000).filter((_, k) => k % 2 === 0).slice(480)]; // prettier-ignore
      const mean = slow.reduce((sum, y) => sum + y, 0) / slow.length;
      const energy = slow.reduce((sum, y) => sum + (y - mean) ** 2, 0);
      return slow.reduce((sum, y, k) => sum + (y - fast[k]!) ** 2, 0) / energy;
    };
    expect(difference(true)).toBeLessThan(0.25 * difference(false));
  });

  it('is built by its format', () => {
    const model = modelFor('s4-model', { d_input: 1, d_output: 10, d_model: 4, n_layers: 2, d_state: 4 });
    const stream = compile(model, initialise(model, 5));
    expect(stream.push(Float32Array.of(1, 2, 3))).toHaveLength(30);
  });
});
