import { expect, it } from 'vitest';
import { random } from '../../src/init/index.ts';
import { digits } from '../../src/train/data/index.ts';
import { resampled } from '../support/resampled.ts';
import { missingShared, shared } from '../support/shared.ts';
import { pageModels, scratch, shippedModels, weightsIn } from './support.ts';

const RATE = 48_000;
const QUANTUM = 128;
const SCORES = 10;
const WORDS = 11;

it.skipIf(missingShared('data', 'fsdd'))(
  'words that are spoken into silence are heard, each once (needs ../shared)',
  async () => {
    const folder = shippedModels(scratch());
    const { liveModel } = await pageModels(folder);
    const weights = weightsIn(folder, 'digits');
    const source = await digits({
      folder: shared('data', 'fsdd', 'recordings'),
      part: 'test',
      batch: 30,
      shuffle: false,
    });
    const noise = random(1);
    let [words, heard, right] = [0, 0, 0];
    for await (const { inputs, targets, lengths, frames } of source.batches(0, 0)) {
      for (let item = 0; item < lengths.length; item += 3, words++) {
        // Half a second of faint noise, the word, and another half second.
        const length = lengths[item]!;
        const sound = Float32Array.from({ length: 8000 + length }, () => 5e-4 * noise.normal());
        for (let k = 0; k < length; k++) sound[4000 + k]! += inputs['input']![item * frames + k]!;
        const played = resampled(sound, 8000, RATE, 'good');

        const live = liveModel('digits', weights, { sampleRate: RATE, quantum: QUANTUM });
        const output = new Float32Array(QUANTUM);
        for (let at = 0; at + QUANTUM <= played.length; at += QUANTUM)
          live.process(played.subarray(at, at + QUANTUM), output);
        const scores = live.results!.subarray(0, SCORES);
        heard += live.results![WORDS]!;
        if (scores.indexOf(Math.max(...scores)) === targets['labels']![item]) right++;
      }
    }
    await source.close();
    expect(words).toBe(100);
    expect(Math.abs(heard - words)).toBeLessThanOrEqual(2);
    expect(right / words).toBeGreaterThanOrEqual(0.93);
  },
);
