import { describe, expect, test } from 'vitest';
import { random } from '../../src/init/index.ts';
import { attention, gru, initialise, lstm, mamba, s4d, s5 } from '../../src/layers/index.ts';
import { advance, averagePool, mul } from '../../src/ops/index.ts';
import { defineLayer, sequential, traceModel, type Layer } from '../../src/signal/index.ts';
import { adamw } from '../../src/train/adamw.ts';
import { cpu } from '../../src/train/cpu/cpu.ts';
import { mse } from '../../src/train/losses/index.ts';
import type { Batch, TrainingSession } from '../../src/train/session.ts';

const FEATURES = 4;
const ITEMS = 3;
const layers: Record<string, Layer> = {
  s4d: s4d({ features: FEATURES, states: 8 }),
  s5: s5({ features: FEATURES, states: 8 }),
  mamba: mamba({ features: FEATURES, states: 2 }),
  lstm: lstm({ features: FEATURES, hidden: FEATURES, initialState: true }),
  gru: gru({ features: FEATURES, hidden: FEATURES }),
  pool: defineLayer({ name: 'pool', features: FEATURES, apply: (_t, x) => averagePool(x, 2) }),
};

async function open(model: Layer, workers = 1): Promise<TrainingSession> {
  return cpu({ workers }).open({
    graph: traceModel(model),
    loss: mse(),
    optimizer: adamw({ rate: 1e-3 }),
    parameters: initialise(model, 3),
  });
}

/** Frames `from` to `to` of every item. */
function cut(data: Float32Array, frames: number, from: number, to: number): Float32Array {
  const parts = Array.from({ length: ITEMS }, (_, i) =>
    data.subarray((i * frames + from) * FEATURES, (i * frames + to) * FEATURES),
  );
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function noise(count: number, seed: number): Float32Array {
  const rng = random(seed);
  return Float32Array.from({ length: count }, () => rng.uniform(-1, 1));
}

const batchOf = (input: Float32Array, output: Float32Array, carried: boolean): Batch => {
  const frames = input.length / ITEMS / FEATURES;
  return {
    items: ITEMS,
    frames,
    lengths: new Array<number>(ITEMS).fill(frames),
    inputs: { input },
    targets: { output },
    carried,
  };
};

describe('batches that carry on one another', () => {
  test.each(Object.keys(layers))('%s: chunks of a recording lose what the whole loses', async (name) => {
    const model = layers[name]!;
    const cuts = [0, 38, 120, 122, 1400];
    const frames = cuts.at(-1)!;
    const input = noise(ITEMS * frames * FEATURES, 5);
    const session = await open(model);
    const whole = await session.evaluate(batchOf(input, new Float32Array(input.length), false));
    const output = whole.outputs['output']!;
    const pace = output.length / input.length;
    for (let k = 1; k < cuts.length; k++) {
      const [from, to] = [cuts[k - 1]!, cuts[k]!];
      const part = cut(input, frames, from, to);
      const expected = cut(output, frames * pace, from * pace, to * pace);
      const batch = batchOf(part, new Float32Array(expected.length), k > 1);
      // Whoever asks for the loss alone changes nothing; a step at rate 0 goes on without learning.
      const { loss } = await session.evaluate(batch);
      const stepped = await session.step(batch, { step: k, rate: 0 });
      const wanted = expected.reduce((sum, y) => sum + y * y, 0) / expected.length;
      expect(Math.abs(loss - wanted), `frames ${from} to ${to}`).toBeLessThan(1e-5 * wanted);
      expect(stepped.loss).toBe(loss);
    }
  });

  test('a session that is saved in the middle goes on in another, bit for bit, on two threads as well', async () => {
    const model = sequential([layers['s4d']!, layers['lstm']!]);
    const input = noise(ITEMS * 300 * FEATURES, 6);
    const target = noise(input.length, 7);
    const batch = (k: number): Batch =>
      batchOf(cut(input, 300, 100 * k, 100 * k + 100), cut(target, 300, 100 * k, 100 * k + 100), k > 0);
    for (const workers of [1, 2]) {
      const sessions = await Promise.all([open(model, workers), open(model, workers)]);
      const [whole, second] = sessions as [TrainingSession, TrainingSession];
      await whole.step(batch(0), { step: 0, rate: 1 });
      await second.restore(await whole.save());
      const reports = [];
      for (const session of sessions) reports.push(await session.step(batch(1), { step: 1, rate: 1 }));
      expect(reports[1]).toEqual(reports[0]);
      expect(await second.save()).toEqual(await whole.save());
      await Promise.all(sessions.map((session) => session.close()));
    }
  });

  test('what looks ahead, or has no state to begin from, is refused by name', async () => {
    const input = noise(ITEMS * 8 * FEATURES, 8);
    for (const [model, name] of [
      [
        defineLayer({
          name: 'ahead',
          features: FEATURES,
          apply: (t, x) =>
            advance(
              mul(
                x,
                t.parameter('p', [1], () => [1]),
              ),
              1,
            ),
        }),
        'shift',
      ],
      [attention({ features: FEATURES, heads: 1, window: 4 }), 'sliding-attention'],
    ] as const) {
      const session = await open(model);
      await session.step(batchOf(input, input, false), { step: 0, rate: 0 });
      await expect(session.step(batchOf(input, input, true), { step: 1, rate: 0 })).rejects.toThrow(name);
    }
  });

  test('chunks that are no whole number of a slower signal’s frames are refused', async () => {
    const session = await open(layers['pool']!);
    const input = noise(ITEMS * 7 * FEATURES, 9);
    await session.step(batchOf(input, new Float32Array(ITEMS * 3 * FEATURES), false), { step: 0, rate: 0 });
    const next = batchOf(input, new Float32Array(ITEMS * 3 * FEATURES), true);
    await expect(session.step(next, { step: 1, rate: 0 })).rejects.toThrow('a multiple of 2');
  });
});
