import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { denoised, samplesOf } from '../../scripts/support/denoised.ts';
import { siSdr } from '../../src/audio/index.ts';
import { ArgumentError } from '../../src/errors.ts';
import { loadModel, shippedModel } from '../../src/models/index.ts';
import { random } from '../../src/init/index.ts';
import { compile } from '../../src/stream/index.ts';
import { digits, guitarSignal } from '../../src/train/data/index.ts';
import { resampled } from '../support/resampled.ts';
import { missingShared, shared } from '../support/shared.ts';

describe('models that come with the package', () => {
  it('are there', () => {
    for (const name of ['amplifier', 'denoiser', 'digits', 'smnist'] as const)
      expect(
        compile(loadModel(shippedModel(name)).model, loadModel(shippedModel(name)).parameters).latency,
      ).toBeLessThan(400);
    expect(() => shippedModel('nothing' as never)).toThrow(ArgumentError);
  });
});

describe('the denoiser', () => {
  const { model, parameters } = loadModel(shippedModel('denoiser'));
  const better = (noisy: string, clean: string): number => {
    const [before, wanted] = [noisy, clean].map((path) => samplesOf(path, model));
    return siSdr(denoised(model, parameters, before!), wanted!) - siSdr(before!, wanted!);
  };

  it('is small, and looks 20 ms ahead', () => {
    expect([...parameters.values()].reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(
      300_000,
    );
    expect(compile(model, parameters).latency / model.sampleRate!).toBeLessThanOrEqual(0.02);
  });

  it('takes hum, rumble and hiss out of the recording that ships', () => {
    expect(better('fixtures/speech/noisy.wav', 'fixtures/speech/clean.wav')).toBeGreaterThan(6);
  });

  it.skipIf(missingShared('data', 'vb-demand'))(
    'makes 20 recordings of VoiceBank+DEMAND better by 6 dB and more (needs ../shared)',
    () => {
      const names = readdirSync(shared('data', 'vb-demand', 'noisy'));
      const gains = names.map((name) =>
        better(shared('data', 'vb-demand', 'noisy', name), shared('data', 'vb-demand', 'clean', name)),
      );
      expect(gains).toHaveLength(20);
      expect(gains.reduce((a, b) => a + b) / 20).toBeGreaterThan(6);
    },
  );
});

describe('spoken digits', () => {
  const { model, parameters } = loadModel(shippedModel('digits'));
  const folder = shared('data', 'fsdd', 'recordings');

  /** The share of the official test recordings that are understood, each streamed to its end. */
  async function accuracyAt(sampleRate: number): Promise<number> {
    const source = await digits({ folder, part: 'test', sampleRate, batch: 30, shuffle: false });
    const stream = compile(model, parameters, { sampleRate });
    let right = 0;
    for await (const { inputs, targets, lengths, frames } of source.batches(0, 0)) {
      for (const [item, length] of lengths.entries()) {
        stream.reset();
        const recording = inputs['input']!.subarray(item * frames, item * frames + length);
        const scores = (stream.push(recording) as Float32Array).slice(-10);
        if (scores.indexOf(Math.max(...scores)) === targets['labels']![item]) right++;
      }
    }
    await source.close();
    return right / 300;
  }

  it.skipIf(missingShared('data', 'fsdd'))(
    'are understood at 8 kHz, and with another dt at 4 kHz (needs ../shared)',
    async () => {
      const trained = await accuracyAt(8000);
      expect(trained).toBeGreaterThanOrEqual(0.97);
      expect(await accuracyAt(4000)).toBeGreaterThanOrEqual(trained - 0.1);
    },
  );
});

describe('the amplifier', () => {
  const { model, parameters } = loadModel(shippedModel('amplifier'));
  const capture = shared('peers', 'nam', 'wavenet_a1_standard.nam');
  /** Of the best linear filter of 1,024 taps; see the model's card. */
  const LINEAR = 0.886;

  it.skipIf(missingShared('peers', 'nam'))(
    'answers as its capture does, at other rates too (needs ../shared)',
    () => {
      const teacher = loadModel(capture);
      const [error, energy] = [new Map<number, number>(), { sum: 0 }];
      for (const seed of [0, 1, 2]) {
        const input = guitarSignal(96_000, 48_000, random(100 + seed));
        const answer = compile(teacher.model, teacher.parameters).push(input) as Float32Array;
        energy.sum += answer.reduce((sum, y) => sum + y * y, 0);
        for (const sampleRate of [48_000, 44_100, 96_000]) {
          const stream = compile(model, parameters, { sampleRate });
          const y = resampled(stream.push(resampled(input, 48_000, sampleRate)), sampleRate, 48_000);
          const wrong = answer.reduce((sum, wanted, k) => sum + (wanted - (y[k] ?? 0)) ** 2, 0);
          error.set(sampleRate, (error.get(sampleRate) ?? 0) + wrong);
        }
      }
      const esr = (rate: number): number => error.get(rate)! / energy.sum;
      expect(esr(48_000)).toBeLessThan(LINEAR / 10);
      for (const rate of [44_100, 96_000]) expect(esr(rate)).toBeLessThan(2 * esr(48_000));
    },
  );
});
