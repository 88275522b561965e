import { describe, expect, it } from 'vitest';
import { runConformance } from '../../src/conformance/index.ts';
import { initialise, mamba } from '../../src/layers/index.ts';
import { mambaModel } from '../../src/models/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { verifyStream } from '../contract/stream.ts';
import { verifyGolden } from '../support/verify-golden.ts';

const mixer = mamba({ features: 4, states: 3, inner: 6, dtRank: 2 });
const normed = mamba({ features: 4, states: 3, inner: 6, dtRank: 2, innerNorms: 1e-6, bias: true });
const stack = mambaModel({ features: 4, states: 3, layers: 2 });

verifyStream({ name: 'mamba', model: mixer, parameters: initialise(mixer, 1), frames: 600 });
verifyStream({
  name: 'mamba with inner norms',
  model: normed,
  parameters: initialise(normed, 2),
  frames: 600,
});
verifyStream({ name: 'mamba stack', model: stack, parameters: initialise(stack, 3), frames: 600 });
verifyAdjoint({ name: 'mamba', model: mixer, parameters: initialise(mixer, 4) });
verifyAdjoint({
  name: 'mamba with inner norms',
  model: normed,
  parameters: initialise(normed, 5),
  frames: 6,
});

describe('mamba', () => {
  verifyGolden('mamba/selective_scan_ref', 'half');

  it('agrees with the official backbone; its inner signal is compared by nobody', async () => {
    const path = new URL('../../fixtures/golden/mamba/model.safetensors', import.meta.url).pathname;
    const { lines } = await runConformance({ paths: [path] });
    expect(lines.filter(({ verdict }) => verdict !== 'ok').map(({ way }) => way)).toEqual(['output.layer0']);
    expect(lines.map(({ way }) => way)).toEqual(expect.arrayContaining(['block', 'step', 'chunks', 'grad']));
  });

  it('starts with A = −1 … −N and steps in the range that was asked for', () => {
    const parameters = initialise(mamba({ features: 8, states: 4, dt: { min: 0.01, max: 0.02 } }), 6);
    expect(
      [...parameters.get('A_log')!.subarray(0, 4)].map((a) => Math.round(Math.exp(a) * 1e9) / 1e9),
    ).toEqual([1, 2, 3, 4]);
    for (const bias of parameters.get('dt_proj.bias')!) {
      const dt = Math.log1p(Math.exp(bias));
      expect(dt).toBeGreaterThan(0.0099);
      expect(dt).toBeLessThan(0.0201);
    }
  });

  it('a step is the bias once: with weights of zero, dt is softplus of it', () => {
    const model = mamba({ features: 1, states: 1, inner: 1, dtRank: 1, taps: 1 });
    const one = new Map(initialise(model, 7));
    const set = (name: string, ...values: number[]): void => void one.set(name, Float64Array.from(values));
    // x = SiLU(u), z = u, δ = 0, B = C = x, A = −1, no D: y[0] = softplus(1) x³ SiLU(u)
    set('in_proj.weight', 1, 1);
    set('conv1d.weight', 1);
    set('conv1d.bias', 0);
    set('x_proj.weight', 0, 1, 1);
    set('dt_proj.bias', 1);
    set('A_log', 0);
    set('D', 0);
    set('out_proj.weight', 1);
    const x = 2 / (1 + Math.exp(-2));
    const { output } = evaluate(model, one, { input: Float64Array.of(2) });
    expect(output![0]).toBeCloseTo(Math.log1p(Math.E) * x ** 3 * x, 12);
  });

  it('refuses another rate: its convolution counts frames', () => {
    const model = { ...mixer, sampleRate: 16_000 };
    expect(() => compile(model, initialise(mixer, 1), { sampleRate: 8000 })).toThrow(
      /convolution\) counts frames/,
    );
  });
});
