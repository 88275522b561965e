import { describe, expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import { random } from '../../src/init/index.ts';
import {
  sizeOf,
  traceModel,
  type Model,
  type Shape,
  type Signal,
  type Trace,
} from '../../src/signal/index.ts';
import { cpuGradient } from '../../src/train/cpu/gradient.ts';
import { gradient, type LossGradient } from '../../src/train/gradient.ts';
import { evaluate } from '../../src/train/index.ts';
import { expectClose } from '../support/close.ts';
import { peakOf, relativeError, verifyStream, type StreamCase } from './stream.ts';

export interface OpCase extends Omit<StreamCase, 'model' | 'parameters'> {
  /** Shape of a frame at each input port; the first is `input`. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** Applies the op; parameters it declares are drawn standard normal unless they bring an initialiser. */
  readonly build: (trace: Trace, inputs: Readonly<Record<string, Signal>>) => Signal;
  /** Step of the central differences; 1e-6. */
  readonly step?: number;
  /** Ports and parameters of whole numbers, which have no gradient. */
  readonly withoutGradient?: readonly string[];
  /** Of the kernels that train on the CPU, relative to the peak of each gradient; 1e-5. */
  readonly cpuTolerance?: number;
  /** Frames of those runs; 5 and 1100. */
  readonly cpuFrames?: readonly number[];
  /** Why those runs can't be held to the reference. */
  readonly withoutCpu?: string;
}

/** The contract of an op: that of a stream, its adjoint, and its `long` form where it has one. */
export function verifyOp(test: OpCase): void {
  const model = opModel(test);
  const parameters = drawParameters(model, 21);
  const whole = traceModel(model).nodes.some((node) => node.source.kind === 'op' && node.source.op.whole);
  if (!whole) verifyStream({ ...test, model, parameters, options: { backend: reference, ...test.options } });
  verifyAdjoint({ ...test, model, parameters, frames: 12 });

  if (test.withoutCpu === undefined) verifyCpu({ ...test, model, parameters });

  const hasLong = traceModel(model).nodes.some((node) => node.source.kind === 'op' && node.source.op.long);
  if (hasLong && !whole) {
    it(`${test.name}: the long form is within 1e-5 of the recurrence`, () => {
      const inputs = drawInputs(model, 700, 8);
      const step = evaluate(model, parameters, inputs);
      const long = evaluate(model, parameters, inputs, { form: 'long' });
      expect(relativeError(long['output']!, step['output']!)).toBeLessThanOrEqual(1e-5);
    });
  }
}

/**
 * The kernels that train on the CPU against the reference, outputs and gradients of everything, over several of their
 * tiles. The loss is ½ Σ w y² with random weights w: independent random slopes would make the gradient of a parameter a
 * sum that cancels to next to nothing, and its relative error a matter of luck.
 */
export function verifyCpu(test: AdjointCase & Pick<OpCase, 'cpuTolerance' | 'cpuFrames'>): void {
  const { name, model, parameters, cpuTolerance = 1e-5, cpuFrames = [5, 1100] } = test;
  it.each(cpuFrames)(`${name}: trained on the CPU, %i frames`, (frames) => {
    const inputs = drawInputs(model, frames, 41, test.input);
    for (const port of Object.keys(inputs)) inputs[port] = inputs[port]!.map(Math.fround);
    const weights = random(42);
    const scale = Float64Array.from({ length: 4096 }, () => weights.uniform(0, 2));
    const slope: LossGradient = ({ output }) => ({ output: output!.map((y, i) => y * scale[i % 4096]!) });
    const expected = gradient(model, parameters, inputs, slope);
    const found = cpuGradient(model, parameters, inputs, slope);
    expectClose(found.outputs['output']!, expected.outputs['output']!, cpuTolerance, 'output');
    for (const [key, values] of expected.parameters) {
      expectClose(found.parameters.get(key)!, values, cpuTolerance, `gradient of ${key}`);
    }
    for (const [port, values] of Object.entries(expected.inputs)) {
      expectClose(found.inputs[port]!, values, cpuTolerance, `gradient of ${port}`);
    }
  });
}

export const opModel = ({ name, inputs, build }: OpCase): Model => ({
  name,
  inputs,
  build: (trace, signals) => ({ output: build(trace, signals) }),
});

/** Parameters by their initialisers, or standard normal. */
export function drawParameters(model: Model, seed: number): Map<string, Float64Array> {
  const source = random(seed);
  return new Map(
    [...traceModel(model).parameters].map(([name, { shape, source: origin }]) => {
      const make = origin.kind === 'parameter' ? origin.initialise : undefined;
      return [
        name,
        make
          ? Float64Array.from(make(shape, source as never))
          : Float64Array.from({ length: sizeOf(shape) }, () => source.normal()),
      ];
    }),
  );
}

export function drawInputs(
  model: Model,
  frames: number,
  seed: number,
  make?: StreamCase['input'],
): Record<string, Float64Array> {
  const source = random(seed);
  return Object.fromEntries(
    Object.entries(model.inputs).map(([port, shape]) => [
      port,
      make
        ? Float64Array.from(make(port, frames, sizeOf(shape)))
        : Float64Array.from({ length: frames * sizeOf(shape) }, () => source.normal()),
    ]),
  );
}

export interface AdjointCase {
  readonly name: string;
  readonly model: Model;
  readonly parameters: ReadonlyMap<string, Float64Array>;
  readonly frames?: number;
  readonly step?: number | undefined;
  readonly input?: StreamCase['input'];
  readonly withoutGradient?: readonly string[] | undefined;
}

/** Every gradient against central differences in float64, to 1e-6 of the gradient's peak. */
export function verifyAdjoint(test: AdjointCase): void {
  const { name, model, parameters, frames = 12, step = 1e-6, withoutGradient = [] } = test;
  describe(`${name}: adjoint`, () => {
    const inputs = drawInputs(model, frames, 31, test.input);
    const weights = random(32);
    const probe = evaluate(model, parameters, inputs)['output']!;
    const seeds = Float64Array.from(probe, () => weights.normal());
    const loss = (values: ReadonlyMap<string, Float64Array>, data: Record<string, Float64Array>): number =>
      evaluate(model, values, data)['output']!.reduce((sum, y, i) => sum + y * seeds[i]!, 0);
    const { inputs: dInputs, parameters: dParameters } = gradient(model, parameters, inputs, () => ({
      output: seeds,
    }));

    const compare = (actual: Float64Array, at: (i: number, delta: number) => number): void => {
      const numeric = actual.map((_, i) => (at(i, step) - at(i, -step)) / (2 * step));
      const scale = Math.max(peakOf(numeric), peakOf(actual), 1e-3);
      for (let i = 0; i < actual.length; i++) {
        expect(
          Math.abs(actual[i]! - numeric[i]!) / scale,
          `element ${i}: ${actual[i]} against ${numeric[i]}`,
        ).toBeLessThan(1e-6);
      }
    };
    const nudged = (data: Float64Array, i: number, delta: number): Float64Array => {
      const copy = Float64Array.from(data);
      copy[i]! += delta;
      return copy;
    };

    it.each(Object.keys(inputs).filter((port) => !withoutGradient.includes(port)))('of input %s', (port) => {
      compare(dInputs[port]!, (i, delta) =>
        loss(parameters, { ...inputs, [port]: nudged(inputs[port]!, i, delta) }),
      );
    });
    it.each([...parameters.keys()].filter((key) => !withoutGradient.includes(key)))(
      'of parameter %s',
      (key) => {
        compare(dParameters.get(key)!, (i, delta) =>
          loss(new Map(parameters).set(key, nudged(parameters.get(key)!, i, delta)), inputs),
        );
      },
    );
  });
}
