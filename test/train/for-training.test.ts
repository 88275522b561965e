import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { initialise } from '../../src/layers/index.ts';
import { linear } from '../../src/layers/linear.ts';
import { compile } from '../../src/stream/index.ts';
import { add, channelsToFrames, delay, dropout, framesToChannels, gelu } from '../../src/ops/index.ts';
import { defineLayer, forStreaming, traceModel, type Layer } from '../../src/signal/index.ts';
import { adamw } from '../../src/train/adamw.ts';
import { cpu } from '../../src/train/cpu/cpu.ts';
import { drawMasks, forTraining } from '../../src/train/for-training.ts';
import { mse } from '../../src/train/losses/index.ts';
import { inputsOf } from '../../src/train/item.ts';
import { backward } from '../../src/train/gradient.ts';
import type { Batch } from '../../src/train/session.ts';
import { framesOf, recordGraph } from '../../src/train/tape.ts';

/** Dropout at the input's rate, at a third of it, and at twice that; `rate` 0 leaves the same model without. */
const model = (rate: number): Layer =>
  defineLayer({
    name: 'dropped',
    features: 2,
    apply(trace, u) {
      const x = dropout(linear(trace, u, { name: 'in', outputs: 4 }), { rate });
      const slow = dropout(gelu(framesToChannels(x, 3)), { rate, tied: true });
      const y = dropout(channelsToFrames(slow, 2), { rate });
      return linear(trace, y, { name: 'out', outputs: 2 });
    },
  });

const batchOf = (frames: number, items = 2): Batch => ({
  items,
  frames,
  lengths: Array.from({ length: items }, () => frames),
  inputs: { input: Float32Array.from({ length: items * frames * 2 }, (_, i) => Math.sin(i)) },
  targets: {},
});

describe('forStreaming', () => {
  it('leaves no dropout, and the model that was without streams the same', () => {
    const graph = forStreaming(traceModel(model(0.3)));
    const ops = (of: typeof graph) =>
      of.nodes.map(({ source }) => (source.kind === 'op' ? source.op.name : source.kind));
    expect(ops(graph)).toEqual(ops(traceModel(model(0))));
    expect(forStreaming(graph)).toBe(graph);

    const parameters = initialise(model(0.3), 1);
    const input = batchOf(12).inputs['input']!.subarray(0, 24);
    const [dropped, without] = [0.3, 0].map((rate) => compile(model(rate), parameters).push(input));
    expect(dropped).toEqual(without);
  });

  it('follows an output and a chain of dropouts', () => {
    const chain = defineLayer({
      name: 'chain',
      features: 1,
      apply: (_trace, x) => dropout(dropout(add(x, delay(x, 1)), { rate: 0.5 }), { rate: 0.5 }),
    });
    const graph = forStreaming(traceModel(chain));
    expect(graph.outputs.get('output')!.source).toMatchObject({ op: { name: 'add' } });
    expect(compile(chain, {}).push(Float32Array.of(1, 2, 3))).toEqual(Float32Array.of(1, 3, 5));
  });
});

describe('forTraining', () => {
  const { graph, masks } = forTraining(traceModel(model(0.25)));
  const parameters = initialise(model(0.25), 2);
  const run = (batch: Batch, item: number) => {
    const inputs = inputsOf(graph, batch, item);
    const tape = recordGraph(graph, parameters, inputs);
    const node = graph.outputs.get('output')!;
    return { inputs, tape, output: framesOf(tape.sequences.get(node)!, tape.frames.get(node)!) };
  };

  it('asks for masks at the rate of what they multiply', () => {
    expect([...graph.inputs.keys()]).toEqual(['input', ...masks.map(({ port }) => port)]);
    expect(masks.map(({ width, framesFor }) => [width, framesFor(12)])).toEqual([
      [4, 12],
      [12, 4],
      [6, 8],
    ]);
  });

  it('with masks of 1 is the model itself', () => {
    const { output } = run(drawMasks(masks, batchOf(12)), 1);
    const bare = recordGraph(traceModel(model(0)), parameters, {
      input: batchOf(12).inputs['input']!.subarray(24),
    });
    const node = bare.graph.outputs.get('output')!;
    expect(output).toEqual(framesOf(bare.sequences.get(node)!, bare.frames.get(node)!));
  });

  it('drops the share that was asked for and keeps the mean; tied masks stand still', () => {
    const { inputs } = drawMasks(masks, batchOf(3000), { seed: 5, step: 0 });
    const [each, tied] = masks.map(({ port }) => inputs[port]!);
    expect(new Set(each)).toEqual(new Set([0, Math.fround(4 / 3)]));
    const mean = each!.reduce((sum, x) => sum + x, 0) / each!.length;
    // 24,000 draws: a standard deviation of 0.0037.
    expect(Math.abs(mean - 1)).toBeLessThan(0.015);
    // One frame for each of the two items.
    expect(tied!.length).toBe(24);
    const first = tied!.slice(0, 12);
    expect(tied!.subarray(12)).not.toEqual(first);
    const spread = inputsOf(graph, drawMasks(masks, batchOf(3000), { seed: 5, step: 0 }), 0)[masks[1]!.port]!;
    expect(spread.length).toBe(12 * 1000);
    for (let k = 0; k < 1000; k++) expect(spread.subarray(12 * k, 12 * k + 12)).toEqual(first);
  });

  it.each([1, 2])(
    'a mask of one frame trains to the bits of the same one in every frame, %i workers',
    async (workers) => {
      const drawn = { ...drawMasks(masks, batchOf(24), { seed: 5, step: 0 }), lengths: [24, 18] };
      const whole: Record<string, Float32Array> = { ...drawn.inputs };
      for (const { port, width, framesFor } of masks) {
        const size = framesFor(24) * width;
        if (whole[port]!.length === 2 * size) continue;
        whole[port] = Float32Array.from({ length: 2 * size }, (_, i) => {
          const item = Math.floor(i / size);
          return drawn.inputs[port]![item * width + (i % width)]!;
        });
      }
      expect(whole).not.toEqual(drawn.inputs);
      const [a, b] = await Promise.all(
        [drawn, { ...drawn, inputs: whole }].map(async (batch) => {
          const loss = mse();
          const session = await cpu({ workers }).open({ graph, loss, optimizer: adamw(), parameters });
          const targets = { output: new Float32Array(2 * 16 * 2) };
          const report = await session.step({ ...batch, targets }, { step: 0, rate: 1 });
          const { outputs } = await session.evaluate({ ...batch, targets });
          const saved = { report, outputs, state: await session.save() };
          await session.close();
          return saved;
        }),
      );
      expect(a).toEqual(b);
      expect(a!.report.gradientNorm).toBeGreaterThan(0);
    },
  );

  it('draws by seed, step and item, whatever stands behind the end', () => {
    const draw = (frames: number, at: { seed: number; step: number }, port = masks[0]!.port) =>
      drawMasks(masks, batchOf(frames), at).inputs[port]!;
    const at = { seed: 1, step: 7 };
    expect(draw(50, at)).toEqual(draw(50, at));
    expect(draw(50, at).subarray(0, 200)).toEqual(draw(90, at).subarray(0, 200));
    for (const other of [
      { seed: 2, step: 7 },
      { seed: 1, step: 8 },
      { seed: 1, step: 7 + 2 ** 32 },
    ])
      expect(draw(50, other)).not.toEqual(draw(50, at));
    expect(draw(50, at).subarray(0, 200)).not.toEqual(draw(50, at).subarray(200));
    expect(draw(48, at, masks[2]!.port)).not.toEqual(draw(32, at, masks[0]!.port).subarray(0, 48 * 4));
  });

  it('has the gradient of what was kept', () => {
    const { tape, inputs, output } = run(drawMasks(masks, batchOf(12), { seed: 3, step: 1 }), 0);
    const weights = output.map((_, i) => Math.cos(i));
    const { parameters: slopes } = backward(tape, inputs, () => ({ output: weights }));
    const name = 'in.weight';
    const value = (by: number): number => {
      const moved = new Map(parameters).set(
        name,
        parameters.get(name)!.map((w, i) => (i === 3 ? w + by : w)),
      );
      const other = recordGraph(graph, moved, inputs);
      const node = graph.outputs.get('output')!;
      return framesOf(other.sequences.get(node)!, other.frames.get(node)!).reduce(
        (sum, y, i) => sum + y * weights[i]!,
        0,
      );
    };
    expect((value(1e-5) - value(-1e-5)) / 2e-5).toBeCloseTo(slopes.get(name)![3]!, 8);
  });

  it('a graph without dropout needs no masks', () => {
    const plain = traceModel(model(0));
    expect(forTraining(plain).masks).toEqual([]);
    const batch = batchOf(3);
    expect(drawMasks([], batch, { seed: 1, step: 1 })).toBe(batch);
  });

  it.each([-0.1, 1, NaN])('refuses a rate of %d', (rate) => {
    expect(() => traceModel(model(rate))).toThrow(ArgumentError);
  });
});
