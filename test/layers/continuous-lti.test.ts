import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { continuousLti } from '../../src/layers/index.ts';
import { irregularStateSpace, mul, softplus } from '../../src/ops/index.ts';
import { random, type Random } from '../../src/init/index.ts';
import { sizeOf, type Shape, type Signal, type Trace } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyOp } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { verifyGolden } from '../support/verify-golden.ts';

const between = (low: number, high: number) => (shape: Shape, source: Random) =>
  Float64Array.from({ length: sizeOf(shape) }, () => source.uniform(low, high));
/** −I and a little, so that it is stable. */
const stable = (shape: Shape, source: Random): Float64Array =>
  Float64Array.from(
    { length: sizeOf(shape) },
    (_, i) => source.uniform(-0.4, 0.4) - (i % (shape[0]! + 1) === 0 ? 1.5 : 0),
  );

const system = (t: Trace, u: Signal, dt: Signal): Signal =>
  irregularStateSpace(u, {
    A: t.parameter('A', [3, 3], stable),
    B: t.parameter('B', [3, 2]),
    C: t.parameter('C', [2, 3]),
    D: t.parameter('D', [2, 2]),
    dt,
  });

verifyOp({
  name: 'irregular state space, one step',
  inputs: { input: [2] },
  build: (t, { input }) => system(t, input!, t.parameter('dt', [1], between(0.2, 0.9))),
  frames: 300,
});
verifyOp({
  name: 'irregular state space, dt by frame',
  inputs: { input: [2], delta: [1] },
  build: (t, { input, delta }) => system(t, input!, mul(softplus(delta!), 0.5)),
  frames: 300,
});
verifyOp({
  name: 'irregular state space, steps that repeat',
  inputs: { input: [2], delta: [1] },
  input: (port, frames, width) =>
    Float32Array.from({ length: frames * width }, (_, i) =>
      port === 'delta' ? [0.5, 0.5, 0.125, 2][(i * 7 + (i >> 2)) % 4]! : Math.sin(i),
    ),
  // A nudge of one frame's step splits it from the others, which the gradients by step have to bear.
  build: (t, { input, delta }) => system(t, input!, delta!),
  frames: 300,
});

// A lightly damped resonance with an integrator behind it: a singular A.
const resonance = continuousLti({ b: [4], a: [1, 0.3, 4, 0] });
const smooth = continuousLti({ b: [1], a: [30, 1] }, { channels: 2 });

verifyGolden('irregular');
verifyStream({ name: 'continuousLti', model: smooth, parameters: {}, options: { irregular: true } });
verifyStream({
  name: 'continuousLti at a rate',
  model: resonance,
  parameters: {},
  options: { sampleRate: 10 },
});

describe('continuousLti', () => {
  it.each([
    ['float64', 1e-9],
    ['float32', 1e-5],
  ] as const)('one dt or the same in n parts, on a constant input, in %s', (precision, tolerance) => {
    for (const model of [resonance, smooth]) {
      const width = model === smooth ? 2 : 1;
      const frame = [0.7, -0.3].slice(0, width);
      for (const [gap, parts] of [
        [3, 2],
        [3, 7],
        [3, 1000],
        [86_400, 24],
      ]) {
        const open = () => compile(model, {}, { irregular: true, precision });
        const once = open().push({ input: Float64Array.from(frame), dt: Float64Array.of(gap!) });
        const split = open().push({
          input: Float64Array.from({ length: parts! * width }, (_, i) => frame[i % width]!),
          dt: new Float64Array(parts!).fill(gap! / parts!),
        });
        expect(relativeError(split.subarray(-width), once), `${gap} s in ${parts}`).toBeLessThan(tolerance);
      }
    }
  });

  it('takes a gap of thirty years in one step', () => {
    const stream = compile(smooth, {}, { irregular: true });
    stream.push({ input: Float32Array.of(5, -9), dt: Float32Array.of(0.1) });
    expect([...stream.push({ input: Float32Array.of(2, 3), dt: Float32Array.of(1e9) })]).toEqual([2, 3]);
  });

  it('stays where it is in a step of 0', () => {
    const stream = compile(smooth, {}, { irregular: true });
    const before = stream.push({ input: Float32Array.of(5, -9), dt: Float32Array.of(7) });
    expect(stream.push({ input: Float32Array.of(100, 100), dt: Float32Array.of(0) })).toEqual(before);
  });

  it('at a rate is the same as with all steps of its period', () => {
    const source = random(3);
    const input = Float64Array.from({ length: 200 }, () => source.normal());
    const atRate = evaluate(resonance, {}, { input }, { sampleRate: 8 });
    const dt = new Float64Array(200).fill(1 / 8);
    expect(evaluate(resonance, {}, { input, dt }, { irregular: true })).toEqual(atRate);
  });

  it('refuses what does not fit, by name', () => {
    expect(() => continuousLti({ A: [[1]], B: [[1, 2]], C: [[1]], D: [[0, 0]] }, { channels: 2 })).toThrow(
      /channels is 2, but the system has 2 inputs/,
    );
    expect(() => continuousLti({ sections: [[1, 0, 0, 1, 0, 0]] })).toThrow(ArgumentError);
    expect(() =>
      evaluate(smooth, {}, { input: [1, 1] as never, dt: [-1] as never }, { irregular: true }),
    ).toThrow(/dt is -1.*run backwards/);
  });
});
