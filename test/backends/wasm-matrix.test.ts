import { describe, expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import * as ops from '../../src/ops/index.ts';
import { compile } from '../../src/stream/index.ts';
import { matrixScanCases } from '../contract/matrix-scan-cases.ts';
import { drawInputs, drawParameters, opModel } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';

const relaxed = wasm();
const deterministic = wasm({ deterministic: true });
const float32 = (inputs: Record<string, Float64Array>): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(inputs).map(([port, data]) => [port, Float32Array.from(data)]));

// Values that fill 16 lanes, 4, and neither.
const sizes = [
  [2, 1, 1],
  [4, 3, 2],
  [2, 5, 4],
  [2, 4, 16],
  [2, 8, 23],
  [4, 16, 37],
] as const;

describe.each([relaxed, deterministic])('the matrix scan on $name', (backend) => {
  it.each(
    sizes.flatMap(([H, K, V]) =>
      matrixScanCases(H, K, V).map((test) => ({ title: `${test.name}, ${H} × ${K} × ${V}`, test })),
    ),
  )('$title: as the reference in float64', ({ test }) => {
    const model = opModel(test);
    const parameters = drawParameters(model, 21);
    const inputs = float32(drawInputs(model, 300, 7));
    const exact = compile(model, parameters, { backend: reference, precision: 'float64' }).push(inputs);
    const ours = compile(model, parameters, { backend }).push(inputs);
    expect(relativeError(ours, exact)).toBeLessThanOrEqual(1e-5);
  });

  it('has a kernel for it, but for float64 the reference', () => {
    const request = (precision: 'auto' | 'float64'): unknown => {
      let planned: unknown;
      const spy = {
        ...backend,
        plan: (asked: Parameters<typeof backend.plan>[0]) => {
          const plan = backend.plan(asked);
          if (asked.op.name === 'matrix-scan') planned = plan;
          return plan;
        },
      };
      const model = opModel(matrixScanCases(2, 3, 4)[0]!);
      compile(model, {}, { backend: spy, precision });
      return planned;
    };
    expect(request('auto')).toBeDefined();
    expect(request('float64')).toBeUndefined();
  });

  it('forgets to exact zeros, so that silence never runs on subnormal numbers', () => {
    const model = opModel({
      name: 'fading',
      inputs: { input: [1, 2], v: [1, 5] },
      build: (t, { input, v }) =>
        ops.matrixScan({ q: input!, k: input!, v: v!, decay: t.literal([0.7], [1, 1]) }),
    });
    const stream = compile(model, {}, { backend });
    stream.push({ input: new Float32Array(2).fill(1), v: new Float32Array(5).fill(1) });
    // 0.7ⁿ passes 2⁻¹⁰⁰ after 195 frames, and the least normal number of float32 after 245.
    stream.push({ input: new Float32Array(2 * 240), v: new Float32Array(5 * 240) });
    const y = stream.push({ input: new Float32Array(2).fill(1), v: new Float32Array(5) });
    expect([...y]).toEqual([0, 0, 0, 0, 0]);
  });
});

for (const [H, K, V] of [
  [4, 3, 5],
  [2, 4, 20],
] as const) {
  for (const test of matrixScanCases(H, K, V)) {
    const model = opModel(test);
    verifyStream({
      ...test,
      name: `${test.name} on WASM, ${H} × ${K} × ${V}`,
      model,
      parameters: drawParameters(model, 21),
      options: { backend: relaxed },
      frames: 400,
    });
  }
}
