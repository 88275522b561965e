import { describe, expect, it } from 'vitest';
import { ArgumentError, GraphError } from '../../src/errors.ts';
import { initialise, mamba2 } from '../../src/layers/index.ts';
import { modelFor } from '../../src/models/index.ts';
import { mamba2Model } from '../../src/models/mamba2.ts';
import { random } from '../../src/init/index.ts';
import { traceModel } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { verifyGolden } from '../support/verify-golden.ts';

const shape = { features: 4, states: 5, headWidth: 2, groups: 2 };
const grouped = mamba2(shape);
const stack = mamba2Model({ features: 4, states: 3, headWidth: 4, layers: 2 });

verifyGolden('mamba2');
verifyStream({ name: 'mamba2', model: grouped, parameters: initialise(grouped, 1) });
verifyStream({ name: 'mamba2 backbone', model: stack, parameters: initialise(stack, 2) });
verifyAdjoint({ name: 'mamba2', model: grouped, parameters: initialise(grouped, 3) });

const noise = (frames: number, width: number, seed = 5): Float64Array => {
  const source = random(seed);
  return Float64Array.from({ length: frames * width }, () => source.normal());
};

describe('mamba2', () => {
  it('gives neighbouring heads one B and C: without B of the second group its heads are silent', () => {
    const parameters = initialise(grouped, 4);
    const [inner, states, heads] = [8, 5, 4];
    // Rows of z, x, B, C, dt; channels of the convolution x, B, C.
    const second = { from: inner + states, to: inner + 2 * states };
    parameters.get('conv1d.weight')!.fill(0, second.from * 4, second.to * 4);
    parameters.get('conv1d.bias')!.fill(0, second.from, second.to);
    parameters.get('D')!.fill(0);
    const input = noise(40, 4);
    const only = (kept: (channel: number) => boolean): Float64Array => {
      const weight = Float64Array.from(parameters.get('out_proj.weight')!, (value, i) =>
        kept(i % inner) ? value : 0,
      );
      return evaluate(grouped, new Map(parameters).set('out_proj.weight', weight), { input })['output']!;
    };
    const half = (heads / 2) * 2;
    expect(only((channel) => channel >= half).every((y) => y === 0)).toBe(true);
    expect(only((channel) => channel < half).some((y) => Math.abs(y) > 1e-3)).toBe(true);
  });

  it('normalises each group by itself, or all as one', () => {
    const parameters = initialise(grouped, 6);
    // Fifty times louder heads of the first group leave the second alone only where it has a norm of its own.
    const louder = new Map(parameters).set(
      'D',
      parameters.get('D')!.map((d, head) => (head < 2 ? 50 * d : d)),
    );
    const weight = parameters.get('out_proj.weight')!.map((value, i) => (i % 8 < 4 ? 0 : value));
    const input = noise(30, 4);
    const change = (normGroups?: number): number => {
      const model = mamba2({ ...shape, normGroups });
      const [a, b] = [parameters, louder].map(
        (values) => evaluate(model, new Map(values).set('out_proj.weight', weight), { input })['output']!,
      );
      return relativeError(b!, a!);
    };
    expect(change()).toBe(0);
    expect(change(1)).toBeGreaterThan(0.1);
  });

  it('holds dt between its limits, and from above only where one is given', () => {
    const input = noise(30, 4);
    const response = (dtLimit: readonly [number, number] | undefined, bias: number): Float64Array => {
      const model = mamba2(dtLimit ? { ...shape, dtLimit } : shape);
      const parameters = initialise(model, 7);
      parameters.get('dt_bias')!.fill(bias);
      return evaluate(model, parameters, { input })['output']!;
    };
    expect(response([0, 1e-3], 30)).toEqual(response([0, 1e-3], 60));
    expect(response([0.5, 0.5], -30)).toEqual(response([0.5, 0.5], 30));
    expect(response(undefined, 30)).not.toEqual(response(undefined, 60));
  });

  it('trains on chunks of the scan as it streams', () => {
    const parameters = initialise(grouped, 8);
    const input = noise(500, 4);
    const step = evaluate(grouped, parameters, { input })['output']!;
    const long = evaluate(grouped, parameters, { input }, { form: 'long' })['output']!;
    expect(long).not.toEqual(step);
    expect(relativeError(long, step)).toBeLessThan(1e-12);
  });

  it('starts as published', () => {
    const model = mamba2({ features: 256, states: 4, headWidth: 1 });
    const parameters = initialise(model, 9);
    const A = parameters.get('A_log')!.map(Math.exp);
    expect(Math.min(...A)).toBeGreaterThanOrEqual(1);
    expect(Math.min(...A)).toBeLessThan(1.5);
    expect(Math.max(...A)).toBeGreaterThan(15.5);
    expect(Math.max(...A)).toBeLessThanOrEqual(16);
    const dt = parameters.get('dt_bias')!.map((b) => Math.log1p(Math.exp(b)));
    expect(Math.min(...dt)).toBeGreaterThan(0.000_999);
    expect(Math.max(...dt)).toBeLessThan(0.100_001);
    for (const name of ['D', 'norm.weight'])
      expect(parameters.get(name)!.every((value) => value === 1)).toBe(true);
  });

  it('does not follow another sample rate: its convolution counts frames', () => {
    const model = { ...grouped, sampleRate: 16_000 };
    const open = (): unknown => compile(model, initialise(model, 1), { sampleRate: 8000 });
    expect(open).toThrow(GraphError);
    expect(open).toThrow(/counts frames, not time/);
  });

  it('takes official configurations, and refuses what it cannot build', () => {
    const shapes = (format: string, config: Record<string, unknown>): Record<string, readonly number[]> =>
      Object.fromEntries(
        [...traceModel(modelFor(format, config)).parameters].map(([name, node]) => [name, node.shape]),
      );
    expect(shapes('mamba2-block', { d_model: 8, headdim: 4, d_state: 3, ngroups: 2 })).toEqual({
      'in_proj.weight': [2 * 16 + 2 * 2 * 3 + 4, 8],
      'conv1d.weight': [28, 1, 4],
      'conv1d.bias': [28],
      dt_bias: [4],
      A_log: [4],
      D: [4],
      'norm.weight': [16],
      'out_proj.weight': [8, 16],
    });
    const config = { hidden_size: 8, head_dim: 4, num_hidden_layers: 1, n_groups: 1 };
    expect(Object.keys(shapes('mamba2', config))).toContain('layers.0.mixer.dt_bias');
    expect(() => shapes('mamba2', { ...config, num_heads: 3 })).toThrow(
      /"num_heads" is 3.*give numbers that agree/,
    );
    expect(() => shapes('mamba2', { ...config, time_step_limit: [0.1, 0] })).toThrow(
      /"time_step_limit".*low ≤ high/,
    );
    expect(() => shapes('mamba2', { ...config, time_step_limit: [0, null] })).not.toThrow();
    expect(() => shapes('mamba2', { ...config, n_groups: 3 })).toThrow(ArgumentError);
    expect(() => mamba2({ features: 4, headWidth: 3 })).toThrow(/inner is 8, which heads of 3 do not fill/);
    expect(() => mamba2({ ...shape, normGroups: 3 })).toThrow(/3 groups do not divide inner 8/);
  });
});
