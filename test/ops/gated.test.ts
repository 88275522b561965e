import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import type { Random } from '../../src/init/index.ts';
import { gruCell, lstmCell } from '../../src/ops/index.ts';
import { sizeOf, traceModel, type Shape, type Trace } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { opModel, verifyOp, type OpCase } from '../contract/op.ts';

const H = 3;
/** Weights that keep the gates away from where they saturate, so that differences mean something. */
const moderate = (shape: Shape, random: Random) =>
  Float64Array.from({ length: sizeOf(shape) }, () => random.uniform(-0.8, 0.8));
const parameter = (t: Trace, name: string, ...shape: number[]) => t.parameter(name, shape, moderate);

const cases: Record<string, Pick<OpCase, 'inputs' | 'build'>> = {
  'LSTM cell': {
    inputs: { input: [4 * H] },
    build: (t, { input }) =>
      lstmCell(input!, { weight: parameter(t, 'W', 4 * H, H), bias: parameter(t, 'b', 4 * H) }),
  },
  'LSTM cell from an initial state, without bias': {
    inputs: { input: [4 * H] },
    build: (t, { input }) =>
      lstmCell(input!, {
        weight: parameter(t, 'W', 4 * H, H),
        initial: { h: parameter(t, 'h0', H), c: parameter(t, 'c0', H) },
      }),
  },
  'GRU cell': {
    inputs: { input: [3 * H] },
    build: (t, { input }) =>
      gruCell(input!, { weight: parameter(t, 'W', 3 * H, H), bias: parameter(t, 'b', 3 * H) }),
  },
  'GRU cell from an initial state': {
    inputs: { input: [3 * H] },
    build: (t, { input }) =>
      gruCell(input!, {
        weight: parameter(t, 'W', 3 * H, H),
        bias: parameter(t, 'b', 3 * H),
        initial: parameter(t, 'h0', H),
      }),
  },
  'GRU cell that resets before the product': {
    inputs: { input: [3 * H] },
    build: (t, { input }) =>
      gruCell(input!, {
        weight: parameter(t, 'W', 3 * H, H),
        bias: parameter(t, 'b', 3 * H),
        initial: parameter(t, 'h0', H),
        reset: 'before',
      }),
  },
  'GRU cell that resets before the product, without bias': {
    inputs: { input: [3 * H] },
    build: (t, { input }) => gruCell(input!, { weight: parameter(t, 'W', 3 * H, H), reset: 'before' }),
  },
};
for (const [name, test] of Object.entries(cases)) verifyOp({ name, frames: 400, ...test });

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe('gated cells', () => {
  it('one unit of an LSTM by hand', () => {
    const model = opModel({
      name: 'm',
      inputs: { input: [4] },
      build: (t, { input }) =>
        lstmCell(input!, {
          weight: t.parameter('W', [4, 1]),
          bias: t.parameter('b', [4]),
          initial: { h: t.literal([0.5]), c: t.literal([-0.25]) },
        }),
    });
    const { output } = evaluate(
      model,
      { W: [0.1, 0.2, 0.3, 0.4], b: [1, 2, 3, 4] },
      { input: Float64Array.of(0.5, -0.5, 0.25, -1) },
    );
    const c = sigmoid(2 - 0.5 + 0.1) * -0.25 + sigmoid(1 + 0.5 + 0.05) * Math.tanh(3 + 0.25 + 0.15);
    expect(output![0]).toBeCloseTo(sigmoid(4 - 1 + 0.2) * Math.tanh(c), 14);
  });

  it.each(['after', 'before'] as const)('two units of a GRU that resets %s the product, by hand', (reset) => {
    const W = [0.1, -0.2, 0.3, 0.4, 0.5, -0.6, 0.7, 0.8, -0.9, 1, 1.1, -1.2]; // (6 × 2)
    const b = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
    const x = [1, -1, 0.5, -0.5, 0.25, -0.25];
    const h0 = [0.5, -0.75];
    const model = opModel({
      name: 'm',
      inputs: { input: [6] },
      build: (t, { input }) =>
        gruCell(input!, { weight: t.literal(W, [6, 2]), bias: t.literal(b), initial: t.literal(h0), reset }),
    });
    const row = (i: number, h: number[]): number => W[2 * i]! * h[0]! + W[2 * i + 1]! * h[1]!;
    const r = [0, 1].map((i) => sigmoid(x[i]! + row(i, h0) + b[i]!));
    const z = [0, 1].map((i) => sigmoid(x[2 + i]! + row(2 + i, h0) + b[2 + i]!));
    const gated = h0.map((h, i) => r[i]! * h);
    const n = [0, 1].map((i) =>
      Math.tanh(
        x[4 + i]! +
          (reset === 'after' ? r[i]! * (row(4 + i, h0) + b[4 + i]!) : row(4 + i, gated) + b[4 + i]!),
      ),
    );
    const { output } = evaluate(model, {}, { input: Float64Array.from(x) });
    for (const i of [0, 1]) expect(output![i]).toBeCloseTo((1 - z[i]!) * n[i]! + z[i]! * h0[i]!, 14);
  });

  it('a stream that resets on NaN begins with the initial state again', () => {
    const model = opModel({
      name: 'm',
      inputs: { input: [4] },
      build: (t, { input }) =>
        lstmCell(input!, {
          weight: t.literal([0.1, 0.2, 0.3, 0.4], [4, 1]),
          initial: { h: t.literal([0.5]), c: t.literal([-0.25]) },
        }),
    });
    const stream = compile(model, {}, { nonFinite: 'reset' });
    const frame = Float32Array.of(0.5, -0.5, 0.25, -1);
    const first = stream.push(frame);
    const later = stream.push(frame);
    expect(later[0]).not.toBe(first[0]);
    // The bad frame is read as zeros, from a state forgotten just before it.
    const restarted = stream.push(Float32Array.of(Number.NaN, 0, 0, 0, ...frame));
    expect(restarted).toEqual(compile(model, {}).push(Float32Array.of(0, 0, 0, 0, ...frame)));
    stream.reset();
    expect(stream.push(frame)).toEqual(first);
  });

  it('refuses what does not fit, by name', () => {
    const model = (build: OpCase['build'], width: number) =>
      opModel({ name: 'm', inputs: { input: [width] }, build });
    const weight = (t: Trace, rows: number) => t.literal(new Float64Array(rows * 2), [rows, 2]);
    expect(() => traceModel(model((t, { input }) => lstmCell(input!, { weight: weight(t, 6) }), 8))).toThrow(
      /weight_hh \(6 × 2\) must be \(4H × H\)/,
    );
    expect(() => traceModel(model((t, { input }) => lstmCell(input!, { weight: weight(t, 8) }), 6))).toThrow(
      /gx \(6\) must be \(8\)/,
    );
    expect(() =>
      traceModel(
        model((t, { input }) => gruCell(input!, { weight: weight(t, 6), bias: t.literal([1, 2]) }), 6),
      ),
    ).toThrow(/bias_hh \(2\) must be \(6\)/);
    expect(() =>
      traceModel(model((t, { input }) => gruCell(input!, { weight: weight(t, 6), initial: input! }), 6)),
    ).toThrow(GraphError);
  });
});
