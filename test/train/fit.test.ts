import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ArgumentError, BackendError, FormatError, TrainingError } from '../../src/errors.ts';
import { compile, dropout, initialise, s4d, sequential } from '../../src/index.ts';
import { defineLayer, traceModel } from '../../src/signal/index.ts';
import { add } from '../../src/ops/index.ts';
import { linear } from '../../src/layers/linear.ts';
import { saveSafetensors } from '../../src/checkpoint/index.ts';
import {
  accuracy,
  adamw,
  crossEntropy,
  esr,
  fit,
  mse,
  plateau,
  referenceTraining,
  warmUpCosine,
  type BatchSource,
  type FitOptions,
  type FitResult,
  type SessionState,
  type StepRecord,
  type TrainingBackend,
} from '../../src/train/index.ts';
import { madeSource } from './support/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-fit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const backend = referenceTraining({ form: 'long' });

/** A damped resonance: y[k] = 1.6 y[k−1] − 0.8 y[k−2] + 0.2 u[k]. */
const resonance = (input: Float32Array): Float32Array => {
  const y = new Float32Array(input.length);
  for (let k = 0; k < y.length; k++) y[k] = 1.6 * (y[k - 1] ?? 0) - 0.8 * (y[k - 2] ?? 0) + 0.2 * input[k]!;
  return y;
};
const tiny = sequential([s4d({ features: 1, states: 4 })]);

describe('learns', () => {
  it('a filter, with an S4D layer between two maps, and streams it', async () => {
    const model = defineLayer({
      name: 'filter',
      features: 1,
      apply(trace, u) {
        const layer = s4d({ features: 4, states: 4, dt: { min: 0.1, max: 1 } });
        const x = linear(trace, u, { name: 'in', outputs: 4 });
        return linear(trace, layer.apply(trace.scope('s4d'), x), { name: 'out', outputs: 1 });
      },
    });
    const options = { items: 4, frames: 96, target: resonance };
    const validation = madeSource({ ...options, seed: 9_000_000, batchesPerEpoch: 2 });
    const { best, history } = await fit(model, initialise(model, 3), {
      data: madeSource({ ...options, seed: 1, batchesPerEpoch: 30 }),
      validation,
      loss: esr(),
      optimizer: adamw({ rate: 0.04, stateRate: 0.02, decay: 0 }),
      schedule: warmUpCosine({ warmUp: 10, floor: 0.01 }),
      epochs: 5,
      backend,
    });
    expect(history[0]!.validation).toBeGreaterThan(0.1);
    // No gain without memory does better than 0.92: u[k] explains that little of y[k].
    expect(best.loss).toBeLessThan(0.92 / 20);

    // What was trained is what streams: as good on every sequence of the validation.
    const stream = compile(model, best.parameters);
    const ratios: number[] = [];
    for await (const { inputs, targets } of validation.batches(0, 0)) {
      for (let item = 0; item < 4; item++) {
        const [input, wanted] = [inputs['input']!, targets['output']!].map((all) =>
          all.subarray(item * 96, (item + 1) * 96),
        ) as [Float32Array, Float32Array];
        stream.reset();
        const got = stream.push(input) as Float32Array;
        const error = got.reduce((sum, y, k) => sum + (y - wanted[k]!) ** 2, 0);
        ratios.push(error / wanted.reduce((sum, y) => sum + y * y, 0));
      }
    }
    expect(ratios.reduce((a, b) => a + b) / ratios.length).toBeCloseTo(best.loss, 5);
  });

  it('to say which of 3 symbols came 4 frames ago', async () => {
    const [symbols, lag, frames] = [3, 4, 16];
    const model = defineLayer({
      name: 'copy',
      features: symbols,
      apply(trace, u) {
        const x = linear(trace, u, { name: 'in', outputs: 12 });
        const layer = s4d({ features: 12, states: 8, dt: { min: 0.1, max: 1 } });
        return linear(trace, add(x, layer.apply(trace.scope('s4d'), x)), { name: 'out', outputs: symbols });
      },
    });
    const source = (seed: number, batchesPerEpoch: number): BatchSource =>
      madeSource({
        seed,
        batchesPerEpoch,
        items: 8,
        frames,
        channels: symbols,
        name: 'labels',
        target(input, draw) {
          const drawn = Array.from({ length: frames }, () => draw.integer(symbols));
          input.fill(0);
          drawn.forEach((symbol, k) => (input[k * symbols + symbol] = 1));
          return Float32Array.from(drawn, (_, k) => (k < lag ? -1 : drawn[k - lag]!));
        },
      });
    const { best, history } = await fit(model, initialise(model, 1), {
      data: source(5, 40),
      validation: source(7_000_000, 2),
      loss: crossEntropy({ at: 'frame' }),
      metrics: [accuracy({ at: 'frame' })],
      monitor: 'accuracy',
      optimizer: adamw({ rate: 0.02, stateRate: 0.01 }),
      epochs: 3,
      backend,
    });
    expect(history[best.epoch - 1]!.metrics!['accuracy']).toBeGreaterThan(0.98);
  });
});

const data = madeSource({ seed: 4, items: 2, frames: 24, batchesPerEpoch: 5, target: resonance });
const validation = madeSource({
  seed: 8_000_000,
  items: 2,
  frames: 24,
  batchesPerEpoch: 1,
  target: resonance,
});
const dropped = sequential([dropout({ features: 1, rate: 0.2 }), s4d({ features: 1, states: 4 })]);
const base: FitOptions = {
  data,
  validation,
  loss: mse(),
  epochs: 3,
  seed: 11,
  schedule: warmUpCosine({ warmUp: 3 }),
  ema: { decay: 0.9 },
  backend,
};
const run = (options: Partial<FitOptions> = {}): Promise<FitResult> =>
  fit(dropped, initialise(dropped, 1), { ...base, ...options });
const same = (a: FitResult, b: FitResult): void => {
  expect(a.last).toEqual(b.last);
  expect(a.best).toEqual(b.best);
  expect(a.history).toEqual(b.history);
};

describe('a run is a function of its seed', () => {
  it('twice the same, bit for bit; with another seed another', async () => {
    const [first, second, other] = await Promise.all([run(), run(), run({ seed: 12 })]);
    same(first, second);
    expect(other.last.parameters).not.toEqual(first.last.parameters);
    expect(first).toMatchObject({ steps: 15, stopped: 'epochs', backend: 'reference' });
    expect(first.history.map(({ epoch, steps }) => [epoch, steps])).toEqual([
      [0, 5],
      [1, 10],
      [2, 15],
    ]);
  });

  it.each([1, 4, 5, 6, 9, 14])(
    'stopped after step %d and resumed, it ends in the same bits',
    async (last) => {
      const whole = await run();
      const checkpoint = { path: path(`abort-${last}.safetensors`), resume: true };
      const abort = new AbortController();
      const onStep = ({ step }: StepRecord): void => {
        if (step === last - 1) abort.abort();
      };
      const part = await run({ checkpoint, signal: abort.signal, onStep });
      expect(part).toMatchObject({ stopped: 'aborted', steps: last });
      const seen: number[] = [];
      const rest = await run({ checkpoint, onStep: ({ step }) => seen.push(step) });
      same(rest, whole);
      expect(seen).toEqual(Array.from({ length: 15 - last }, (_, i) => last + i));
      // A finished run that is resumed is finished.
      same(await run({ checkpoint, onStep: () => expect.unreachable() }), whole);
    },
  );

  it('with the schedule that watches the loss, too', async () => {
    const schedule = plateau({ patience: 0, factor: 0.5 });
    const whole = await run({ schedule, epochs: 5 });
    const checkpoint = { path: path('plateau.safetensors'), resume: true };
    await run({ schedule, epochs: 2, checkpoint });
    same(await run({ schedule, epochs: 5, checkpoint }), whole);
  });

  it('refuses to go on with other settings, and what is no run', async () => {
    const checkpoint = { path: path('other.safetensors'), resume: true };
    await run({ checkpoint, epochs: 1 });
    await expect(run({ checkpoint, seed: 12 })).rejects.toThrow(TrainingError);
    await expect(run({ checkpoint, seed: 12 })).rejects.toThrow(/is a run with seed 11, this one has 12/);
    await expect(run({ checkpoint, optimizer: adamw({ clip: 3 }) })).rejects.toThrow(
      /with optimizer .*"clip":"1"/,
    );
    saveSafetensors(checkpoint.path, new Map(), { format: 's4d' });
    await expect(run({ checkpoint })).rejects.toThrow(FormatError);
    // Without resume it begins anew.
    expect(await run({ checkpoint: { path: checkpoint.path } })).toMatchObject({ steps: 15 });
  });
});

describe('stopping', () => {
  it('when the validation has not become better for longer than its patience; the best weights come back', async () => {
    // A rate that ruins what was there.
    const result = await run({
      optimizer: adamw({ rate: 1, stateRate: 0 }),
      patience: 1,
      epochs: 30,
      ema: undefined,
    });
    expect(result.stopped).toBe('patience');
    const losses = result.history.map(({ validation: loss }) => loss!);
    const least = losses.indexOf(Math.min(...losses));
    expect(result.best).toMatchObject({ epoch: least + 1, loss: losses[least] });
    expect(result.history.length).toBe(least + 3);
    expect(result.best.parameters).not.toEqual(result.last.parameters);
  });

  it('where the loss is no number: by name, with the weights from before', async () => {
    const broken: BatchSource = {
      ...data,
      async *batches(epoch, from) {
        let number = from;
        for await (const batch of data.batches(epoch, from)) {
          yield number++ === 2
            ? { ...batch, inputs: { input: new Float32Array(48).fill(Number.NaN) } }
            : batch;
        }
      },
    };
    const checkpoint = { path: path('broken.safetensors'), resume: true };
    const failing = run({ data: broken, checkpoint });
    await expect(failing).rejects.toThrow(TrainingError);
    await expect(failing).rejects.toThrow(
      /loss is NaN in step 2 \(epoch 0, batch 2\); the run up to there is in .*broken/,
    );
    // Mended, the run goes on as if nothing had been.
    same(await run({ checkpoint }), await run());
  });

  it('leaves no file where it is refused at once', async () => {
    const checkpoint = { path: path('never.safetensors') };
    await expect(run({ checkpoint, epochs: 0 })).rejects.toThrow(ArgumentError);
    expect(existsSync(checkpoint.path)).toBe(false);
  });
});

describe('options that cannot be', () => {
  it.each<[Partial<FitOptions>, RegExp]>([
    [{ epochs: 1.5 }, /epochs is 1.5; give a whole number/],
    [{ patience: 2, validation: undefined }, /patience is measured by a validation/],
    [{ monitor: 'accuracy' }, /monitor is "accuracy", which is none of the metrics \(none\)/],
    [{ loss: mse({ target: 'clean' }) }, /data bring the targets output, but "clean"/],
    [{ ema: { decay: 1 } }, /ema: decay is 1/],
    [{ data: { ...data, batchesPerEpoch: 6 } }, /an epoch has 6 batches, but epoch 0 ended after 5/],
  ])('%o', async (options, message) => {
    await expect(run(options)).rejects.toThrow(ArgumentError);
    await expect(run(options)).rejects.toThrow(message);
  });
});

describe('mixed lengths', () => {
  it('a padded item counts as the unpadded one', async () => {
    const job = {
      graph: traceModel(tiny),
      loss: mse(),
      optimizer: adamw(),
      parameters: initialise(tiny, 1),
    };
    const session = await backend.open(job);
    const [one, two] = [7, 12].map((length, i) =>
      Float32Array.from({ length }, (_, k) => Math.sin(k + i)),
    ) as [Float32Array, Float32Array];
    const padded = (x: Float32Array): Float32Array =>
      Float32Array.of(...x, ...new Float32Array(12 - x.length).fill(99));
    const both = (pad: (x: Float32Array) => Float32Array) => Float32Array.of(...pad(one), ...pad(two));
    const batch = {
      items: 2,
      frames: 12,
      lengths: [7, 12],
      inputs: { input: both(padded) },
      targets: { output: both(padded) },
    };
    const together = await session.gradients(batch);
    const apart = await Promise.all(
      [one, two].map((x) =>
        session.gradients({
          items: 1,
          frames: x.length,
          lengths: [x.length],
          inputs: { input: x },
          targets: { output: x },
        }),
      ),
    );
    expect(together.loss).toBeCloseTo((apart[0]!.loss + apart[1]!.loss) / 2, 12);
    for (const [name, slopes] of together.parameters) {
      slopes.forEach((slope, i) => {
        const mean = (apart[0]!.parameters.get(name)![i]! + apart[1]!.parameters.get(name)![i]!) / 2;
        expect(Math.abs(slope - mean)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(mean)));
      });
    }
    const { outputs } = await session.evaluate(batch);
    expect(outputs['output']!.subarray(7, 12)).toEqual(new Float32Array(5));
  });
});

describe('batches that carry on', () => {
  it('are refused by the reference, which would begin afresh', async () => {
    const carried: BatchSource = {
      ...data,
      async *batches(epoch, from) {
        for await (const batch of data.batches(epoch, from)) yield { ...batch, carried: true };
      },
    };
    await expect(run({ data: carried })).rejects.toThrow(BackendError);
    await expect(run({ data: carried })).rejects.toThrow(
      /carries none from batch to batch; train with cpu\(\)/,
    );
  });

  it('what a session carries is in the checkpoint, and comes back', async () => {
    const carried = new Map<string, Float32Array | Float64Array>([
      ['0:scan.x', Float64Array.of(0.1, -2)],
      ['1:delay', Float32Array.of(3)],
    ]);
    const seen: SessionState[] = [];
    const carrying: TrainingBackend = {
      name: 'carrying',
      async open(job) {
        const session = await backend.open(job);
        return {
          name: 'carrying',
          step: (batch, at) => session.step(batch, at),
          evaluate: (batch) => session.evaluate(batch),
          gradients: (batch) => session.gradients(batch),
          save: async () => ({ ...(await session.save()), carried }),
          restore(state) {
            seen.push(state);
            return session.restore(state);
          },
          close: () => session.close(),
        };
      },
    };
    const checkpoint = { path: path('carried.safetensors'), resume: true };
    await run({ backend: carrying, checkpoint, epochs: 1, ema: undefined });
    await run({ backend: carrying, checkpoint, epochs: 2, ema: undefined });
    expect(seen.map((state) => state.carried)).toEqual([carried]);
  });
});
