import { expect, it } from 'vitest';
import * as ops from '../../src/ops/index.ts';
import { traceModel } from '../../src/signal/index.ts';
import { evaluate, gradient } from '../../src/train/index.ts';
import { opModel, verifyOp } from '../contract/op.ts';

verifyOp({
  name: 'clamp',
  inputs: { input: [3] },
  build: (_t, { input }) => ops.clamp(input!, -0.5, 0.8),
  frames: 200,
});
verifyOp({
  name: 'clamp from below',
  inputs: { input: [3] },
  build: (_t, { input }) => ops.clamp(input!, 0.2, Infinity),
  frames: 200,
});

const held = opModel({
  name: 'held',
  inputs: { input: [1] },
  build: (_t, { input }) => ops.clamp(input!, -1, 2),
});

it('clamp holds the bounds, and has their slope 1 as torch has', () => {
  const input = Float64Array.of(-3, -1, 0.5, 2, 7);
  expect([...evaluate(held, {}, { input })['output']!]).toEqual([-1, -1, 0.5, 2, 2]);
  const { inputs } = gradient(held, {}, { input }, () => ({ output: new Float64Array(5).fill(1) }));
  expect([...inputs['input']!]).toEqual([0, 1, 1, 1, 0]);
});

it('clamp refuses bounds the wrong way round', () => {
  const model = opModel({
    name: 'm',
    inputs: { input: [1] },
    build: (_t, { input }) => ops.clamp(input!, 2, 1),
  });
  expect(() => traceModel(model)).toThrow(/the bounds are 2 and 1/);
});
