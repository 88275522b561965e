import { describe, expect, it } from 'vitest';
import * as ops from '../../src/ops/index.ts';
import { defineLayer, type Model } from '../../src/signal/index.ts';
import { evaluate, gradient } from '../../src/train/index.ts';
import { verifyOp } from '../contract/op.ts';

verifyOp({
  name: 'maximum',
  inputs: { input: [2, 3] },
  build: (_t, { input }) => ops.maximum(input!),
});
verifyOp({
  name: 'running maximum and its rise',
  inputs: { input: [3] },
  build: (_t, { input }) => {
    const { max, rise } = ops.runningMaximum(input!);
    return ops.add(max, ops.mul(ops.square(rise), 0.7));
  },
});
verifyOp({
  name: 'every frame',
  inputs: { input: [3] },
  build: (t, { input }) => ops.mul(ops.everyFrame(input!, t.parameter('c', [2, 1])), input!),
});

describe('running maximum', () => {
  it('begins with the first frame, however low, and says how far it rises', () => {
    const model: Model = {
      name: 'm',
      inputs: { input: [1] },
      build: (_t, { input }) => ({ ...ops.runningMaximum(input!) }),
    };
    //            x      -900  -950  -2   3   1   3   8
    const { max, rise } = evaluate(model, {}, { input: Float64Array.of(-900, -950, -2, 3, 1, 3, 8) });
    expect([...max!]).toEqual([-900, -900, -2, 3, 3, 3, 8]);
    expect([...rise!]).toEqual([0, 0, 898, 5, 0, 0, 5]);
  });
});

describe('stop gradient', () => {
  it('keeps the value and drops the slope', () => {
    const model = defineLayer({
      name: 'm',
      features: 2,
      apply: (_t, x) => ops.mul(x, ops.stopGradient(x)),
    });
    const input = Float64Array.of(1, -2, 3, 5);
    expect([...evaluate(model, {}, { input })['output']!]).toEqual([1, 4, 9, 25]);
    const { inputs } = gradient(model, {}, { input }, () => ({ output: Float64Array.of(1, 1, 1, 1) }));
    expect([...inputs['input']!]).toEqual([1, -2, 3, 5]);
  });
});
