import { describe, expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import * as ops from '../../src/ops/index.ts';
import { compile } from '../../src/stream/index.ts';
import { drawInputs, drawParameters, opModel, type OpCase } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { float32, kernelsOf } from '../support/wasm-kernels.ts';

const backends = [wasm(), wasm({ deterministic: true })];

const dense = (rows: number, columns: number, vectors = 1, bias = true): OpCase => ({
  name: `dense ${rows} × ${columns}, ${vectors} vectors, ${bias ? 'with' : 'no'} bias`,
  inputs: { input: vectors === 1 ? [columns] : [vectors, columns] },
  build: (t, { input }) =>
    ops.dense(input!, t.parameter('weight', [rows, columns]), bias ? t.parameter('bias', [rows]) : undefined),
});

interface Convolved {
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
  readonly options?: Omit<ops.ConvolutionOptions, 'bias'>;
  readonly bias?: boolean;
}

const convolution = ({ outputs, inputs, taps, options = {}, bias = true }: Convolved): OpCase => {
  const groups = options.groups ?? 1;
  return {
    name: `convolution of ${inputs} to ${outputs}, ${taps} taps, ${JSON.stringify(options)}${bias ? '' : ', no bias'}`,
    inputs: { input: [inputs] },
    build: (t, { input }) =>
      ops.convolution(input!, t.parameter('weight', [outputs, inputs / groups, taps]), {
        ...options,
        bias: bias ? t.parameter('bias', [outputs]) : undefined,
      }),
  };
};

const transposed = (
  inputs: number,
  outputs: number,
  taps: number,
  options: Omit<ops.TransposedConvolutionOptions, 'bias'>,
): OpCase => ({
  name: `transposed convolution of ${inputs} to ${outputs}, ${taps} taps, ${JSON.stringify(options)}`,
  inputs: { input: [inputs] },
  build: (t, { input }) =>
    ops.transposedConvolution(input!, t.parameter('weight', [inputs, outputs, taps]), {
      ...options,
      bias: t.parameter('bias', [outputs]),
    }),
});

// Rows and columns that fill panels, tiles and vectors, and that do not; sums of one, two and three segments.
const cases: readonly OpCase[] = [
  ...[1, 2, 3, 4, 5, 12, 13, 15, 16, 17, 29, 32, 39].flatMap((rows) =>
    [1, 3, 8, 21, 257].map((columns) => dense(rows, columns)),
  ),
  dense(7, 700),
  dense(2, 700),
  dense(20, 6, 3),
  dense(3, 9, 5, false),
  convolution({ outputs: 18, inputs: 5, taps: 4 }),
  convolution({ outputs: 18, inputs: 5, taps: 4, bias: false, options: { padding: 'same' } }),
  convolution({ outputs: 6, inputs: 8, taps: 4, options: { stride: 2, padding: 'valid' } }),
  convolution({ outputs: 6, inputs: 8, taps: 3, options: { dilation: 5 } }),
  convolution({ outputs: 1, inputs: 1, taps: 300 }),
  convolution({ outputs: 1, inputs: 3, taps: 5, options: { dilation: 2 } }),
  convolution({ outputs: 20, inputs: 8, taps: 3, options: { groups: 2 } }),
  convolution({ outputs: 6, inputs: 30, taps: 3, options: { groups: 2, dilation: 2 } }),
  convolution({ outputs: 12, inputs: 6, taps: 4, options: { groups: 6 } }),
  ...[2, 4, 7, 24, 33].map((channels) =>
    convolution({ outputs: channels, inputs: channels, taps: 3, options: { groups: channels, dilation: 2 } }),
  ),
  convolution({ outputs: 5, inputs: 5, taps: 4, bias: false, options: { groups: 5, stride: 3 } }),
  convolution({ outputs: 2, inputs: 2, taps: 100, options: { groups: 2 } }),
  transposed(6, 5, 4, { stride: 2 }),
  transposed(6, 1, 4, { stride: 2 }),
  transposed(40, 9, 8, { stride: 2, padding: 3 }),
  transposed(7, 3, 3, { stride: 1 }),
  transposed(7, 8, 6, { stride: 3, padding: 1 }),
];

describe.each(backends)('products with constant matrices on $name', (backend) => {
  it.each(cases)('$name: by a kernel, within 1e-5 of float64', (test) => {
    const model = opModel(test);
    const parameters = drawParameters(model, 3);
    const inputs = float32(drawInputs(model, 301, 4));
    expect(kernelsOf(model, backend)).toContainEqual(expect.stringMatching(/dense|convolution/));
    const whole = (options: object): readonly number[] => {
      const stream = compile(model, parameters, options);
      return [...stream.push(inputs), ...stream.flush()];
    };
    const exact = whole({ backend: reference, precision: 'float64' });
    expect(relativeError(whole({ backend }), exact)).toBeLessThanOrEqual(1e-5);
  });

  it('keeps long sums of one sign, which float32 alone would not', () => {
    const model = opModel(dense(5, 6000));
    const parameters = new Map([
      ['weight', new Float64Array(5 * 6000).fill(1 / 3)],
      ['bias', new Float64Array(5)],
    ]);
    const inputs = { input: new Float32Array(6000).fill(0.7) };
    const y = compile(model, parameters, { backend }).push(inputs);
    expect(relativeError(y, new Float64Array(5).fill(6000 * (Math.fround(0.7) / 3)))).toBeLessThan(2e-6);
  });

  it('drops weights that decayed to subnormal numbers', () => {
    const model = opModel(dense(1, 8, 1, false));
    const weight = [1, 1e-40, -1e-40, 1e-20, 0, 2, 1e-42, -3];
    const y = compile(model, { weight }, { backend }).push(new Float32Array([0, 1, 1, 1, 1, 0, 1, 0]));
    expect(y[0]).toBe(Math.fround(1e-20));
  });

  it('leaves float64, groups of transposed rows and uneven taps to the reference', () => {
    expect(kernelsOf(opModel(dense(4, 4)), backend, 'float64')).toEqual([]);
    const grouped = opModel({
      name: 'grouped',
      inputs: { input: [4] },
      build: (t, { input }) =>
        ops.transposedConvolution(input!, t.parameter('weight', [4, 2, 2]), { stride: 2, groups: 2 }),
    });
    expect(kernelsOf(grouped, backend)).toEqual([]);
    expect(kernelsOf(opModel(transposed(4, 2, 5, { stride: 2 })), backend)).toEqual([]);
  });
});

for (const test of [
  dense(29, 21),
  dense(2, 40, 3),
  convolution({ outputs: 23, inputs: 6, taps: 4, options: { stride: 2, padding: 'same' } }),
  convolution({ outputs: 7, inputs: 7, taps: 3, options: { groups: 7, padding: 'same' } }),
  transposed(6, 9, 4, { stride: 2, padding: 1 }),
]) {
  const model = opModel(test);
  verifyStream({
    ...test,
    name: `${test.name} on WASM`,
    model,
    parameters: drawParameters(model, 3),
    options: { backend: backends[0]! },
    frames: 400,
  });
}
