import { describe, expect, it } from 'vitest';
import { ArgumentError, GraphError, ParameterError } from '../../src/errors.ts';
import { hippo, nplr, random } from '../../src/init/index.ts';
import { interleaved } from '../../src/layers/s4-block.ts';
import { dplrScan } from '../../src/ops/index.ts';
import { initialise, s4 } from '../../src/layers/index.ts';
import { modelFor, plainReadOuts } from '../../src/models/index.ts';
import { bilinear } from '../../src/discretize/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate, gradient } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { verifyGolden } from '../support/verify-golden.ts';
import { dlsim } from '../support/dlsim.ts';

const legs = s4({ features: 4, states: 8, systems: 2, channels: 2, sampleRate: 16_000 });
const legt = s4({ features: 2, states: 6, init: 'legt', dtTransform: 'softplus' });
const fourier = s4({ features: 2, states: 6, init: 'fourier', rank: 2 });

verifyGolden('s4');
verifyStream({ name: 's4 legs', model: legs, parameters: initialise(legs, 1) });
verifyStream({ name: 's4 legt', model: legt, parameters: initialise(legt, 1) });
verifyStream({
  name: 's4 at another rate',
  model: legs,
  parameters: initialise(legs, 2),
  options: { sampleRate: 44_100 },
});
verifyStream({
  name: 's4 in irregular time',
  model: legs,
  parameters: initialise(legs, 3),
  options: { irregular: true },
});
for (const [name, model] of Object.entries({ legs, legt, fourier }))
  verifyAdjoint({
    name: `s4 ${name}`,
    model,
    parameters: initialise(model, 4),
    withoutGradient: ['layer.kernel.l_kernel'],
  });

/** Random C̃ for a length of `frames`, as an imported checkpoint holds it. */
function imported(frames: number): { model: typeof legs; parameters: Map<string, Float64Array> } {
  const parameters = initialise(legs, 5).set('layer.kernel.l_kernel', Float64Array.of(frames));
  return { model: legs, parameters };
}

describe('s4', () => {
  it.each(['legs', 'legt', 'fourier'] as const)(
    'runs the HiPPO matrix of %s that it starts from',
    (measure) => {
      const [n, dt, frames] = [8, 0.05, 60];
      const { W, P, B, V } = nplr(measure, n, { bClip: Infinity });
      const source = random(6);
      const C = Float64Array.from({ length: n }, () => source.normal());
      const half = n / 2;
      // 2 Re(C V x̃) of one of each pair.
      const c = new Float64Array(n);
      for (let j = 0; j < half; j++) {
        for (let i = 0; i < n; i++) {
          c[2 * j] += 2 * C[i] * V.re[i * half + j];
          c[2 * j + 1] += 2 * C[i] * V.im[i * half + j];
        }
      }
      const rank = P.re.length / half;
      const u = Float64Array.from({ length: frames }, () => source.normal());
      const ours = evaluate(
        {
          name: 'hippo',
          inputs: { input: [1] },
          build: (t, { input }) => ({
            output: dplrScan(input!, {
              lambda: t.literal(interleaved(W), [1, half, 2]),
              p: t.literal(interleaved(P), [rank, 1, half, 2]),
              b: t.literal(interleaved(B), [1, half, 2]),
              c: t.literal(c, [1, half, 2]),
              dt: t.literal([dt]),
            }),
          }),
        },
        {},
        { input: u },
      )['output'];
      const dense = hippo(measure, n);
      const system = { n, inputs: 1, outputs: 1, A: dense.A, B: dense.B, C, D: new Float64Array(1) };
      const { A, B: bBar } = bilinear.dense(system, dt);
      // The layers' output sees the state behind the update.
      const { x, last } = dlsim({ ...system, A, B: bBar }, u);
      const states = [...x.subarray(n), ...last];
      const expected = Float64Array.from({ length: frames }, (_, k) =>
        C.reduce((sum, weight, i) => sum + weight * states[k * n + i], 0),
      );
      expect(relativeError(ours, expected)).toBeLessThan(1e-11);
    },
  );

  it('undoes C̃, as can be checked by hand in a system of one pair', () => {
    const { model, parameters } = imported(200);
    const plain = plainReadOuts(model, parameters);
    expect(plain.get('layer.kernel.l_kernel')).toEqual(Float64Array.of(0));
    expect(plain.get('layer.kernel.C')).not.toEqual(parameters.get('layer.kernel.C'));
    const input = Float64Array.from({ length: 4 * 300 }, (_, i) => Math.sin(i * 0.31));
    expect(
      relativeError(
        evaluate(model, plain, { input })['output'],
        evaluate(model, parameters, { input })['output'],
      ),
    ).toBeLessThan(1e-12);
    // C of C̃ at L = 1 is found by hand in a system of one pair without its low-rank part.
    const one = s4({ features: 1, states: 2 });
    const small = initialise(one, 7).set('layer.kernel.l_kernel', Float64Array.of(1));
    small.set('layer.kernel.P', new Float64Array(2));
    const C = small.get('layer.kernel.C')!;
    const dt = Math.exp(small.get('layer.kernel.inv_dt')![0]);
    const a = [-Math.exp(small.get('layer.kernel.A_real')![0]), -small.get('layer.kernel.A_imag')![0]];
    const [zRe, zIm] = [(a[0] * dt) / 2, (a[1] * dt) / 2];
    const size = (1 - zRe) ** 2 + zIm ** 2;
    const [aRe, aIm] = [((1 + zRe) * (1 - zRe) - zIm ** 2) / size, (2 * zIm) / size];
    const [dRe, dIm] = [1 - aRe, -aIm];
    const expected = [
      (C[0] * dRe + C[1] * dIm) / (dRe ** 2 + dIm ** 2),
      (C[1] * dRe - C[0] * dIm) / (dRe ** 2 + dIm ** 2),
    ];
    expect(relativeError(plainReadOuts(one, small).get('layer.kernel.C')!, expected)).toBeLessThan(1e-12);
  });

  it('undoes C̃ at the rate that it was trained at, whatever rate it runs at', () => {
    const { model, parameters } = imported(64);
    const plain = plainReadOuts(model, parameters);
    const input = new Float32Array(4 * 100).fill(0.5);
    const at = (values: Map<string, Float64Array>) =>
      compile(model, values, { sampleRate: 48_000, precision: 'float64' }).push(input);
    expect(relativeError(at(parameters), at(plain))).toBeLessThan(1e-12);
  });

  it('trains C, and says how to get it where C̃ is stored', () => {
    const { model, parameters } = imported(64);
    const input = new Float64Array(4 * 5).fill(1);
    const slope = (values: Map<string, Float64Array>) =>
      gradient(model, values, { input }, ({ output }) => ({ output: output.map(() => 1) }));
    expect(() => slope(parameters)).toThrow(GraphError);
    expect(() => slope(parameters)).toThrow(/64 frames.*plainReadOuts/);
    expect(
      slope(plainReadOuts(model, parameters))
        .parameters.get('layer.kernel.C')!
        .some((d) => d !== 0),
    ).toBe(true);
  });

  it('refuses what the low-rank kernel has not, by name', () => {
    expect(() => modelFor('s4', { mode: 's4', d_model: 2, d_state: 4, init: 'legt' })).toThrow(ArgumentError);
    expect(() => modelFor('s4', { mode: 's4', d_model: 2, d_state: 4, init: 'legt' })).toThrow(
      /rank 1.*at least 2/,
    );
    expect(() => modelFor('s4', { d_model: 2, d_state: 4, init: 'diag-lin' })).toThrow(/"init".*legs, legt/);
    expect(() => modelFor('s4', { d_model: 2, d_state: 4, dt_tie: false })).toThrow(/"dt_tie" is false/);
    const half = initialise(legs, 1).set('layer.kernel.l_kernel', Float64Array.of(0.5));
    expect(() => compile(legs, half)).toThrow(ParameterError);
    expect(() => compile(legs, half)).toThrow(/0\.5 frames \(l_kernel\).*whole number/);
    expect(() => s4({ features: 3, systems: 2 })).toThrow(/2 systems for 3 channels/);
    expect(() => s4({ features: 1, states: 7 })).toThrow(/even/);
  });
});
