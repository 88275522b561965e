import { afterAll, describe, expect, test } from 'vitest';
import { random } from '../../src/init/index.ts';
import { initialise, mamba, s4d } from '../../src/layers/index.ts';
import { traceModel, type Layer } from '../../src/signal/index.ts';
import { adamw } from '../../src/train/adamw.ts';
import { cpu, type CpuOptions } from '../../src/train/cpu/cpu.ts';
import { gradient } from '../../src/train/gradient.ts';
import type { Loss } from '../../src/train/loss.ts';
import { esr } from '../../src/train/losses/index.ts';
import { sequential } from '../../src/signal/index.ts';
import type { Batch, TrainingSession } from '../../src/train/session.ts';
import { expectClose } from '../support/close.ts';

const model: Layer = sequential([s4d({ features: 3, states: 4 }), mamba({ features: 3, states: 2 })]);
const graph = traceModel(model);
const parameters = initialise(model, 1);
const FEATURES = 3;

const open: TrainingSession[] = [];
afterAll(() => Promise.all(open.map((session) => session.close())));
async function session(options: CpuOptions, loss: Loss = esr()): Promise<TrainingSession> {
  const opened = await cpu(options).open({ graph, loss, optimizer: adamw({ rate: 0.01 }), parameters });
  open.push(opened);
  return opened;
}

function batchOf(lengths: readonly number[], seed: number): Batch {
  const frames = Math.max(...lengths);
  const rng = random(seed);
  const noise = (): Float32Array =>
    Float32Array.from({ length: lengths.length * frames * FEATURES }, () => rng.uniform(-1, 1));
  return { items: lengths.length, frames, lengths, inputs: { input: noise() }, targets: { output: noise() } };
}

describe('training on the CPU', () => {
  test('gradients of a batch are the mean of the reference’s, each item at its own length', async () => {
    const batch = batchOf([40, 64, 7], 1);
    const { loss, parameters: found } = await (await session({ workers: 1 })).gradients(batch);
    let expectedLoss = 0;
    const expected = new Map<string, Float64Array>();
    batch.lengths.forEach((frames, item) => {
      const part = (data: ArrayLike<number>): Float64Array =>
        Float64Array.from(data).subarray(item * 64 * FEATURES, (item * 64 + frames) * FEATURES);
      const input = part(batch.inputs['input']!);
      const result = gradient(model, parameters, { input }, ({ output }) => {
        const slope = new Float64Array(output!.length);
        const call = { frames, channels: FEATURES, data: output!, gradient: slope };
        expectedLoss +=
          esr().evaluate({ outputs: { output: call }, targets: { output: part(batch.targets['output']!) } }) /
          3;
        return { output: slope.map((value) => value / 3) };
      });
      for (const [name, values] of result.parameters) {
        const sum = expected.get(name) ?? new Float64Array(values.length);
        values.forEach((value, i) => (sum[i]! += value));
        expected.set(name, sum);
      }
    });
    expect(Math.abs(loss - expectedLoss)).toBeLessThan(1e-6 * expectedLoss);
    for (const [name, values] of expected) expectClose(found.get(name)!, values, 1e-5, name);
  });

  test('two runs from one seed end in the same weights, bit for bit, on one thread and on two', async () => {
    for (const workers of [1, 2]) {
      const runs = await Promise.all(
        [0, 1].map(async () => {
          const opened = await session({ workers });
          for (let step = 0; step < 3; step++)
            await opened.step(batchOf([32, 20, 32], step), { step, rate: 1 });
          return opened.save();
        }),
      );
      expect(runs[0]!.parameters.get('0.kernel.C')).not.toEqual(
        Float32Array.from(parameters.get('0.kernel.C')!),
      );
      expect(runs[1]).toEqual(runs[0]);
    }
  });

  test('threads share a batch without changing what is learnt', async () => {
    const batch = batchOf([32, 20, 32], 5);
    const alone = await (await session({ workers: 1 })).gradients(batch);
    const shared = await (await session({ workers: 2 })).gradients(batch);
    expect(shared.loss).toBe(alone.loss);
    for (const [name, values] of alone.parameters)
      expectClose(shared.parameters.get(name)!, values, 1e-6, name);
  });

  test('a loss that only the caller has is asked item by item, and gives what it gives in one thread', async () => {
    const own: Loss = { ...esr(), kind: 'somebody’s own' };
    const batch = batchOf([16, 24], 6);
    const alone = await (await session({ workers: 1 }, own)).gradients(batch);
    const shared = await (await session({ workers: 2 }, own)).gradients(batch);
    expect(shared.loss).toBe(alone.loss);
    for (const [name, values] of alone.parameters)
      expectClose(shared.parameters.get(name)!, values, 1e-6, name);
  });

  test('what is saved and restored goes on as if nothing had happened', async () => {
    const whole = await session({ workers: 1 });
    const first = await session({ workers: 1 });
    const second = await session({ workers: 1 });
    const batch = (step: number): Batch => batchOf([32, 20], step);
    for (let step = 0; step < 4; step++) await whole.step(batch(step), { step, rate: 1 });
    for (let step = 0; step < 2; step++) await first.step(batch(step), { step, rate: 1 });
    await second.restore(await first.save());
    for (let step = 2; step < 4; step++) await second.step(batch(step), { step, rate: 1 });
    expect(await second.save()).toEqual(await whole.save());
  });

  test('steps make the loss smaller, and evaluate says the same loss that a step says', async () => {
    const opened = await session({ workers: 1 });
    const { inputs, ...rest } = batchOf([48, 48], 3);
    const batch = { ...rest, inputs, targets: { output: inputs['input']! } };
    const before = await opened.evaluate(batch);
    const losses = [];
    for (let step = 0; step < 60; step++) losses.push((await opened.step(batch, { step, rate: 1 })).loss);
    expect(losses[0]).toBeCloseTo(before.loss, 6);
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
    expect(before.outputs['output']).toHaveLength(2 * 48 * FEATURES);
  });

  test('a step with a loss that is not finite changes nothing', async () => {
    const opened = await session({ workers: 1 });
    const before = await opened.save();
    const batch = batchOf([16], 1);
    batch.targets['output']!.fill(Infinity);
    const { loss } = await opened.step(batch, { step: 0, rate: 1 });
    expect(Number.isFinite(loss)).toBe(false);
    expect(await opened.save()).toEqual(before);
  });

  test('frozen parameters stay as they are', async () => {
    const optimizer = {
      ...adamw({ rate: 0.01 }),
      settingsOf: (name: string) => ({ rate: name === '0.D' ? 0 : 0.01, decay: 0 }),
    };
    const opened = await cpu({ workers: 1 }).open({ graph, loss: esr(), optimizer, parameters });
    await opened.step(batchOf([16], 1), { step: 0, rate: 1 });
    const { parameters: after } = await opened.save();
    expect(after.get('0.D')).toEqual(Float32Array.from(parameters.get('0.D')!));
    expect(after.get('0.kernel.C')).not.toEqual(Float32Array.from(parameters.get('0.kernel.C')!));
  });
});
