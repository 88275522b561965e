import { describe, expect, it } from 'vitest';
import { bilinear } from '../../src/discretize/index.ts';
import { GraphError, ParameterError } from '../../src/errors.ts';
import { initialise, s4d, s4dBlock } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';

const minimal = s4d({ features: 3, states: 8, sampleRate: 16_000 });
const block = s4dBlock({
  features: 4,
  states: 8,
  systems: 2,
  channels: 2,
  discretization: bilinear,
  init: 'inv',
});

verifyStream({ name: 's4d', model: minimal, parameters: initialise(minimal, 1) });
verifyStream({
  name: 's4d at half the rate',
  model: minimal,
  parameters: initialise(minimal, 1),
  options: { sampleRate: 8000 },
});
verifyStream({
  name: 's4d in irregular time',
  model: minimal,
  parameters: initialise(minimal, 1),
  options: { irregular: true },
});
verifyStream({
  name: 's4d in float64',
  model: minimal,
  parameters: initialise(minimal, 1),
  options: { precision: 'float64' },
  tolerance: 1e-12,
});
verifyStream({ name: 's4d block', model: block, parameters: initialise(block, 2) });
verifyAdjoint({ name: 's4d', model: minimal, parameters: initialise(minimal, 3) });
verifyAdjoint({ name: 's4d block', model: block, parameters: initialise(block, 4) });

describe('s4d', () => {
  it('at another rate follows the same continuous system: half the rate, every second output', () => {
    const parameters = initialise(
      s4d({ features: 1, states: 16, sampleRate: 16_000, dt: { min: 1e-3, max: 1e-3 } }),
      5,
    );
    const model = s4d({ features: 1, states: 16, sampleRate: 16_000 });
    // A slow input that zoh holds well at both rates, constant over each pair of fast frames.
    const slow = Float64Array.from({ length: 400 }, (_, k) => Math.sin(k / 40));
    const fast = Float64Array.from({ length: 800 }, (_, k) => slow[k >> 1]!);
    const atFull = evaluate(model, parameters, { input: fast })['output']!;
    const atHalf = evaluate(model, parameters, { input: slow }, { sampleRate: 8000 })['output']!;
    expect(
      relativeError(
        atHalf,
        atFull.filter((_, k) => k % 2 === 1),
      ),
    ).toBeLessThan(1e-12);
  });

  it('one step of n·dt equals n steps of dt on a constant input', () => {
    const parameters = initialise(minimal, 6);
    const input = new Float64Array(3).fill(0.7);
    const once = evaluate(minimal, parameters, { input, dt: Float64Array.of(50) }, { irregular: true });
    const split = evaluate(
      minimal,
      parameters,
      { input: new Float64Array(150).fill(0.7), dt: new Float64Array(50).fill(1) },
      { irregular: true },
    );
    expect(relativeError(once['output']!, split['output']!.subarray(-3))).toBeLessThan(1e-9);
  });

  it.each([
    ['float64', 1e-9],
    ['float32', 1e-5],
  ] as const)('streams one dt or the same in n parts alike, in %s', (precision, tolerance) => {
    const parameters = initialise(minimal, 6);
    const open = () => compile(minimal, parameters, { irregular: true, precision });
    for (const parts of [2, 7, 64]) {
      const once = open().push({ input: new Float64Array(3).fill(0.7), dt: Float64Array.of(32) });
      const split = open().push({
        input: new Float64Array(3 * parts).fill(0.7),
        dt: new Float64Array(parts).fill(32 / parts),
      });
      expect(relativeError(split.subarray(-3), once)).toBeLessThan(tolerance);
    }
  });

  it('keeps slow modes in float64 under auto, where float32 stalls', () => {
    const model = s4d({ features: 1, states: 2, dt: { min: 1e-6, max: 1e-6 } });
    const parameters = initialise(model, 7);
    const input = new Float32Array(200_000).fill(1);
    const exact = evaluate(model, parameters, { input })['output']!;
    const error = (precision: 'auto' | 'float32'): number =>
      relativeError(compile(model, parameters, { precision }).push(input), exact);
    expect(error('auto')).toBeLessThan(1e-6);
    expect(error('float32')).toBeGreaterThan(1e-5);
  });

  it('refuses what does not fit, by name', () => {
    const parameters = initialise(minimal, 1);
    const without = new Map(parameters);
    without.delete('kernel.C');
    expect(() => compile(minimal, without)).toThrow(ParameterError);
    expect(() => compile(minimal, without)).toThrow(/"kernel\.C" \(3 × 4 × 2\), which is missing/);
    expect(() => compile(minimal, new Map(parameters).set('kernel.Q', new Float64Array(1)))).toThrow(
      /no parameter "kernel\.Q"/,
    );
    expect(() => compile(minimal, new Map(parameters).set('D', new Float64Array(2)))).toThrow(
      /"D" .* has 2 values.*\(3\)/,
    );
    expect(() =>
      compile(minimal, new Map(parameters).set('D', new Float64Array(3).fill(Number.NaN))),
    ).toThrow(/NaN at index 0/);
    expect(() => s4d({ features: 0 })).toThrow(GraphError);
    expect(() => s4d({ features: 1, states: 7 })).toThrow(/even/);
  });
});

describe('s4d options for other rates', () => {
  it('leaves out modes beyond the band limit, at the rate it runs at', () => {
    const options = { features: 2, states: 4, sampleRate: 8000 };
    const [limited, free] = [s4d({ ...options, bandLimit: 1 }), s4d(options)];
    // dt A_imag = 0.75π at 8 kHz and 1.5π at 4 kHz.
    const parameters = new Map(initialise(free, 4));
    parameters.set('kernel.A_imag', new Float64Array(4).fill(0.75 * Math.PI));
    parameters.set('kernel.log_dt', new Float64Array(2));
    const silent = new Map(parameters).set('kernel.C', new Float64Array(8));
    const input = Float64Array.from({ length: 40 }, (_, i) => Math.cos(i * i));
    const at = (model: typeof free, values: typeof parameters, sampleRate: number): Float64Array =>
      evaluate(model, values, { input }, { sampleRate })['output']!;
    expect(at(limited, parameters, 8000)).toEqual(at(free, parameters, 8000));
    expect(at(limited, parameters, 4000)).toEqual(at(free, silent, 4000));
    expect(at(limited, parameters, 4000)).not.toEqual(at(free, parameters, 4000));
  });

  it('keeps its phase at another rate where inputs are averaged', () => {
    const options = { features: 1, states: 8, sampleRate: 48_000, discretization: bilinear };
    const parameters = initialise(s4d({ ...options, dt: { min: 0.05, max: 0.05 } }), 6);
    // The states alone: what bypasses them has no phase.
    parameters.set('D', new Float64Array(1));
    const difference = (averageInput: boolean): number => {
      const model = s4d({ ...options, averageInput });
      const at = (sampleRate: number): Float64Array => {
        const sine = (_: unknown, k: number): number => 0.3 * Math.sin((2 * Math.PI * 1000 * k) / sampleRate);
        const input = Float64Array.from({ length: sampleRate / 50 }, sine);
        return evaluate(model, parameters, { input }, { sampleRate })['output']!;
      };
      const fast = at(96_000).filter((_, k) => k % 2 === 0);
      return relativeError(at(48_000).slice(480), fast.slice(480));
    };
    expect(difference(true)).toBeLessThan(0.25 * difference(false));
  });
});
