import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { saveSafetensors, tensor, type Tensor } from '../../src/checkpoint/index.ts';
import { layerCase } from '../../src/conformance/cases/layer.ts';
import { runConformance, type Family, type Line, type Run } from '../../src/conformance/index.ts';
import { s4d, initialise } from '../../src/layers/index.ts';
import { add, delay, mul, reverse } from '../../src/ops/index.ts';
import { random } from '../../src/init/index.ts';
import { defineLayer, type Model } from '../../src/signal/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { scratch, verdicts } from './support.ts';

const noise = (seed: number, length: number): Float64Array => {
  const source = random(seed);
  return Float64Array.from({ length }, () => source.normal());
};

const f64 = (shape: readonly number[], data: Float64Array): Tensor => tensor('F64', shape, data);

/** Writes a golden file of a family made up here, and runs it with one adapter. */
async function runMade(
  run: Run,
  tensors: Record<string, Tensor>,
  metadata: Record<string, string>,
): Promise<readonly Line[]> {
  const path = join(scratch(), 'made.safetensors');
  saveSafetensors(path, new Map(Object.entries(tensors)), {
    kind: 'layer',
    source: 'made',
    inputs: JSON.stringify(Object.values(run.inputs)),
    layout: 'T,C',
    causal: 'true',
    ways: JSON.stringify({ block: 1e-12, step: 1e-12, chunks: 0, grad: 1e-9 }),
    ...metadata,
  });
  const family: Family = {
    name: 'made',
    matches: ({ source }) => source === 'made',
    open: (golden, settings) => layerCase({ golden, settings, runs: [run] }),
  };
  return (await runConformance({ paths: [path], families: [family] })).lines;
}

const parameters = new Map([['gain', [2, -3]]]);

/** Two inputs, two outputs, one parameter: `sum` = gain · a + b, `late` = a one frame later. */
const twoPorts: Model = {
  name: 'two-ports',
  inputs: { left: [2], right: [2] },
  build: (trace, { left, right }) => ({
    sum: add(mul(left, trace.parameter('gain', [2])), right),
    late: delay(left, 1),
  }),
};

const ports: Run = {
  model: twoPorts,
  parameters,
  inputs: { left: 'a', right: 'b' },
  outputs: { sum: 'output', late: 'output.late' },
};

/** The official tensors of `twoPorts` over two items of 5 frames, written down by hand, in (B, C, T). */
function made(): Record<string, Tensor> {
  const shape = [2, 2, 5];
  const [a, b] = [noise(1, 20), noise(2, 20)];
  const gainOf = (i: number): number => [2, -3][Math.floor(i / 5) % 2];
  const weight = (i: number): number => Math.cos(0.1 * i);
  const dGain = [0, 0];
  a.forEach((value, i) => (dGain[Math.floor(i / 5) % 2] += value * weight(i)));
  return {
    a: f64(shape, a),
    b: f64(shape, b),
    output: f64(
      shape,
      a.map((value, i) => gainOf(i) * value + b[i]),
    ),
    'output.late': f64(
      shape,
      a.map((_, i) => (i % 5 === 0 ? 0 : a[i - 1])),
    ),
    'grad.gain': f64([2], Float64Array.from(dGain)),
    'grad.a': f64(
      shape,
      a.map((_, i) => gainOf(i) * weight(i)),
    ),
    'grad.b': f64(
      shape,
      a.map((_, i) => weight(i)),
    ),
  };
}

const note = 'grad of sum(output*cos(0.1*flat_index))';

describe('a family added by one adapter', () => {
  it('may have several inputs and outputs, and a batch', async () => {
    const lines = await runMade(ports, made(), { layout: 'B,C,T', note });
    expect(verdicts(lines)).toEqual({ block: 'ok', step: 'ok', chunks: 'ok', grad: 'ok' });
  });

  it.each(['output', 'output.late', 'grad.gain', 'grad.b'])('compares %s', async (name) => {
    const tensors = made();
    tensors[name].data[tensors[name].data.length - 1] = 7;
    const lines = await runMade(ports, tensors, { layout: 'B,C,T', note });
    const failing = name.startsWith('grad') ? ['grad'] : ['block', 'step'];
    expect(lines.filter(({ verdict }) => verdict === 'FAIL').map(({ way }) => way)).toEqual(failing);
  });

  it('may be compared from a frame on', async () => {
    const tensors = made();
    // The first two frames of each channel are another start's.
    for (let i = 0; i < 20; i += 5) (tensors['output'].data as Float64Array).fill(9, i, i + 2);
    const outputs = { sum: 'output' };
    const ways = JSON.stringify({ block: 1e-12, step: 1e-12 });
    const from = await runMade({ ...ports, outputs, from: 2 }, tensors, { layout: 'B,C,T', ways });
    expect(verdicts(from)).toMatchObject({ block: 'ok', step: 'ok', 'output.late': 'n/a' });
    const one = await runMade({ ...ports, outputs, from: 1 }, tensors, { layout: 'B,C,T', ways });
    expect(verdicts(one)).toMatchObject({ block: 'FAIL', step: 'FAIL' });
  });

  it('may read its input backwards: then it is evaluated offline', async () => {
    const model = defineLayer({ name: 'backwards', features: 2, apply: (_trace, x) => reverse(x) });
    const input = noise(3, 12);
    const output = input.map((_, i) => input[(5 - Math.floor(i / 2)) * 2 + (i % 2)]);
    const run = { model, parameters: {}, inputs: { input: 'input' }, outputs: { output: 'output' } };
    const tensors = { input: f64([6, 2], input), output: f64([6, 2], output) };
    const ways = JSON.stringify({ block: 1e-12 });
    expect(verdicts(await runMade(run, tensors, { causal: 'false', ways }))).toEqual({ block: 'ok' });
    output[3] += 1;
    expect(verdicts(await runMade(run, tensors, { causal: 'false', ways }))).toEqual({ block: 'FAIL' });
    // Said to be causal, it has to stream, which it cannot.
    const [line] = await runMade(run, tensors, { ways });
    expect(line).toMatchObject({
      verdict: 'FAIL',
      reason: expect.stringMatching(/GraphError: .*can't stream/),
    });
  });

  it('may take a time step with each frame', async () => {
    const model = s4d({ features: 2, states: 4 });
    const weights = initialise(model, 5);
    const [input, dt] = [noise(6, 40), noise(7, 20).map((value) => 1 + Math.abs(value))];
    const { output } = evaluate(model, weights, { input, dt }, { irregular: true });
    const regular = evaluate(model, weights, { input });
    const run: Run = {
      model,
      parameters: weights,
      inputs: { input: 'input', dt: 'dt' },
      outputs: { output: 'output' },
      irregular: true,
    };
    const ways = JSON.stringify({ step: 1e-9 });
    const tensors = { input: f64([20, 2], input), dt: f64([20], dt), output: f64([20, 2], output) };
    expect(verdicts(await runMade(run, tensors, { ways }))).toEqual({ step: 'ok' });
    const other = { ...tensors, output: f64([20, 2], regular['output']) };
    expect(verdicts(await runMade(run, other, { ways }))).toEqual({ step: 'FAIL' });
  });

  it('gives the time steps that Python writes as Infinity', async () => {
    const config = '{"limit": [0.0, Infinity], "floor": -Infinity}';
    const lines = await runMade(ports, made(), { layout: 'B,C,T', note, config });
    expect(lines.every(({ verdict }) => verdict === 'ok')).toBe(true);
  });
});
