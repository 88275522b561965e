import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { initialise, lru, minGru, rgLru } from '../../src/layers/index.ts';
import { modelFor } from '../../src/models/index.ts';
import { compile } from '../../src/stream/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { verifyStream } from '../contract/stream.ts';
import { verifyGolden } from '../support/verify-golden.ts';

const ring = lru({ features: 3, states: 5, rMin: 0.8, rMax: 0.99 });
const gated = minGru({ features: 4, expansion: 1.5 });
const narrow = minGru({ features: 3 });
const griffin = rgLru({ features: 6, heads: 2, gateVariance: 1 });

verifyGolden('lru', 'rglru', 'rnn/min_gru');
for (const [name, model] of Object.entries({
  lru: ring,
  minGru: gated,
  'minGru without projection': narrow,
})) {
  verifyStream({ name, model, parameters: initialise(model, 1) });
  verifyAdjoint({ name, model, parameters: initialise(model, 2) });
}
verifyStream({ name: 'rgLru', model: griffin, parameters: initialise(griffin, 1) });
verifyAdjoint({ name: 'rgLru', model: griffin, parameters: initialise(griffin, 2) });

describe('lru', () => {
  it('starts in its ring, with γ for a state of unit variance', () => {
    const model = lru({ features: 2, states: 500, rMin: 0.9, rMax: 0.95, maxPhase: 1 });
    const parameters = initialise(model, 3);
    const radius = parameters.get('nu_log')!.map((nu) => Math.exp(-Math.exp(nu)));
    expect(Math.min(...radius)).toBeGreaterThanOrEqual(0.9);
    expect(Math.max(...radius)).toBeLessThanOrEqual(0.95);
    // Uniform over the area of the ring: |λ|² has the mean of its ends.
    const mean = radius.reduce((sum, r) => sum + r * r, 0) / 500;
    expect(Math.abs(mean - (0.81 + 0.9025) / 2)).toBeLessThan(0.005);
    parameters
      .get('gamma_log')!
      .forEach((gamma, i) => expect(Math.exp(2 * gamma)).toBeCloseTo(1 - radius[i] ** 2, 12));
    expect(Math.max(...parameters.get('theta_log')!.map(Math.exp))).toBeLessThanOrEqual(1);
  });

  it('stays finite in a ring that reaches from the centre to the circle', () => {
    const model = lru({ features: 1, states: 2000 });
    for (const values of initialise(model, 4).values()) expect(values.every(Number.isFinite)).toBe(true);
  });

  it('refuses a ring that is none', () => {
    expect(() => modelFor('lru', { d_model: 1, d_hidden: 2, r_min: 0.9, r_max: 0.5 })).toThrow(ArgumentError);
    expect(() => modelFor('lru', { d_model: 1, d_hidden: 2, r_max: 1.5 })).toThrow(/r_max 1.5/);
  });
});

describe('rgLru', () => {
  it('does not scale the first frame of a fresh stream, nor the first one after a reset of its state', () => {
    const parameters = initialise(griffin, 5);
    const frame = Float32Array.of(1, -1, 2, 0.5, -0.5, 1);
    const stream = compile(griffin, parameters, { nonFinite: 'reset' });
    const first = stream.push(frame);
    stream.push(frame);
    // All that was before is forgotten at the frame that is not finite, which itself counts as zeros.
    stream.push(new Float32Array(6).fill(Number.NaN));
    const fresh = compile(griffin, parameters);
    fresh.push(new Float32Array(6));
    expect(stream.push(frame)).toEqual(fresh.push(frame));
    stream.reset();
    expect(stream.push(frame)).toEqual(first);
  });

  it('starts with decays in its ring', () => {
    const decays = initialise(rgLru({ features: 400, heads: 4 }), 6)
      .get('recurrent_param')!
      .map((p) => Math.exp(-Math.log1p(Math.exp(p))));
    expect(Math.min(...decays)).toBeGreaterThan(0.9);
    expect(Math.max(...decays)).toBeLessThan(0.99901);
  });

  it('refuses heads that do not divide the channels', () => {
    expect(() => rgLru({ features: 6, heads: 4 })).toThrow(/6 channels in 4 heads/);
  });
});

it.each([ring, gated, griffin])('$name counts frames, and is refused at another rate', (model) => {
  const atHome = { ...model, sampleRate: 16_000 };
  expect(() => compile(atHome, initialise(model, 1), { sampleRate: 8000 })).toThrow(
    /counts frames, not time/,
  );
});
