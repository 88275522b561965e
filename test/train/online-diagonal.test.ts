import { describe, expect, it } from 'vitest';
import { discretizations } from '../../src/discretize/index.ts';
import { GraphError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { initialise } from '../../src/layers/index.ts';
import { compile, snapshotNumbers } from '../../src/stream/index.ts';
import { gradient } from '../../src/train/index.ts';
import { learnedParameters, onlineDiagonal } from '../../src/train/online/index.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';

const FRAMES = 200;
const source = random(5);
const input = Float64Array.from({ length: 2 * FRAMES }, () => source.normal());
const target = Float64Array.from({ length: 2 * FRAMES }, () => source.normal());
const steps = Float64Array.from({ length: FRAMES }, () => source.uniform(0.2, 3));

describe('real-time recurrent learning', () => {
  for (const poles of ['complex', 'real'] as const) {
    for (const discretization of discretizations) {
      for (const irregular of [false, true]) {
        const name = `${poles} poles, ${discretization.name}${irregular ? ', irregular time' : ''}`;
        it(`${name}: the gradients of back-propagation`, () => {
          const model = onlineDiagonal({
            features: 2,
            states: 3,
            poles,
            discretization,
            interval: Infinity,
            dt: { min: 0.02, max: 0.2 },
            sampleRate: 10,
          });
          const parameters = initialise(model, 3);
          const stream = compile(model, parameters, { precision: 'float64', irregular });
          const blocks = irregular ? { input, target, dt: steps } : { input, target };
          const y = stream.push(blocks);
          const expected = gradient(
            model.still,
            parameters,
            irregular ? { input, dt: steps } : { input },
            ({ output }) => ({ output: output!.map((value, i) => value - target[i]!) }),
            { irregular },
          );
          expect(relativeError(y, expected.outputs['output']!)).toBeLessThan(1e-12);
          const sections = snapshotNumbers(stream.snapshot());
          for (const [key, slopes] of expected.parameters) {
            expect(relativeError(sections.get(`learning:gradient.${key}`)!, slopes), key).toBeLessThan(1e-9);
          }
          expect([...expected.parameters.keys()]).toHaveLength(poles === 'complex' ? 5 : 4);
        });
      }
    }
  }

  const learning = onlineDiagonal({ features: 1, states: 2, rate: 0.02, stateRate: 0.01, interval: 3 });
  verifyStream({
    name: 'online diagonal',
    model: learning,
    parameters: initialise(learning, 4),
    options: { precision: 'float64' },
  });

  it('finds the pole of a plant, and reads out weights that a still layer runs on', () => {
    // y[k] = 0.9 y[k−1] + 0.1 u[k]: a = ln 0.9 a frame.
    const model = onlineDiagonal({ features: 1, states: 1, poles: 'real', feedThrough: false, rate: 5e-3 });
    const parameters = { log_A_real: [0], C: [0.5], log_dt: [Math.log(0.5)] };
    const stream = compile(model, parameters, { precision: 'float64' });
    const noise = random(8);
    const u = Float64Array.from({ length: 20_000 }, () => noise.normal());
    let state = 0;
    const d = u.map((value) => (state = 0.9 * state + 0.1 * value));
    stream.push({ input: u, target: d });
    const weights = learnedParameters(model, parameters, stream.snapshot());
    const pole = Math.exp(-Math.exp(weights.get('log_A_real')![0]! + weights.get('log_dt')![0]!));
    expect(Math.abs(pole - 0.9)).toBeLessThan(2e-3);

    const frozen = compile(model.still, weights, { precision: 'float64' });
    const y = frozen.push(u.subarray(0, 1000));
    const rms = (values: Float64Array): number => Math.hypot(...values) / Math.sqrt(values.length);
    const error = Float64Array.from(y, (value, i) => value - d[i]!);
    expect(rms(error)).toBeLessThan(0.02 * rms(d.slice(0, 1000)));
  });

  it('learns only where it is told to', () => {
    const model = onlineDiagonal({ features: 1, states: 2, gated: true, rate: 0.1 });
    const parameters = initialise(model, 4);
    const shut = compile(model, parameters);
    shut.push({
      input: Float32Array.from(input.subarray(0, 50)),
      target: new Float32Array(50).fill(1),
      learn: new Float32Array(50),
    });
    const numbers = snapshotNumbers(shut.snapshot());
    expect(numbers.get('learning:C')!.every((value) => value === 0)).toBe(true);
    const open = compile(model, parameters);
    open.push({
      input: Float32Array.from(input.subarray(0, 50)),
      target: new Float32Array(50).fill(1),
      learn: new Float32Array(50).fill(1),
    });
    expect(
      snapshotNumbers(open.snapshot())
        .get('learning:C')!
        .some((value) => value !== 0),
    ).toBe(true);
  });

  it('refuses a gradient by name', () => {
    const model = onlineDiagonal({ features: 2, states: 2 });
    expect(() =>
      gradient(model, initialise(model, 1), { input, target }, ({ output }) => ({ output: output! })),
    ).toThrow(GraphError);
    expect(() => onlineDiagonal({ features: 1, states: 1, rate: -1 })).toThrow(/rate is -1; give/);
  });
});
