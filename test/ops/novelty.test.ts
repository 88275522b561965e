import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { novelty, noveltyProbability, type NoveltyOptions } from '../../src/ops/index.ts';
import { traceModel, type Model } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { verifyStream } from '../contract/stream.ts';

const watch = (channels: number, options: NoveltyOptions = {}): Model => ({
  name: 'watch',
  inputs: { input: [channels] },
  build: (_trace, { input }) => ({ output: novelty(input!, options) }),
});

const scores = (values: readonly number[], options: NoveltyOptions): number[] =>
  Array.from(
    compile(watch(1, options), {}, { precision: 'float64' }).push(Float64Array.from(values)),
    (value) => Number(value.toFixed(4)),
  );

describe('novelty', () => {
  it('is the excess over the range so far, as a share of it', () => {
    // Range 0 … 4; 6 exceeds it by half, −1.2 then the new range 0 … 6 by a fifth.
    expect(scores([0, 4, 2, 6, 5, -1.2, 6], { settle: 0, warmUp: 2, rest: 0 })).toEqual([
      0, 0, 0, 0.4975, 0, 0.1996, 0,
    ]);
  });

  it('leaves the first frames out, learns before it judges, and stays finite on what never moved', () => {
    expect(scores([99, 0, 4, 9, 9], { settle: 1, warmUp: 3, rest: 0 })).toEqual([0, 0, 0, 1.2346, 0]);
    expect(scores([5, 5, 5, 7], { settle: 0, warmUp: 1, rest: 0 })).toEqual([0, 0, 0, 100]);
  });

  it('gives one alarm an event: within the rest only what is higher counts', () => {
    const climbing = [0, 1, 2, 2.2, 9, 3, 3, 10];
    expect(scores(climbing, { settle: 0, warmUp: 2, rest: 3 })).toEqual([0, 0, 0.9901, 0, 2.9982, 0, 0, 0]);
    expect(scores(climbing, { settle: 0, warmUp: 2, rest: 0 }).filter((value) => value > 0)).toHaveLength(4);
  });

  it.each(['exponential', 'normal'] as const)('scores %s noise no oftener than it says', (kind) => {
    const source = random(7);
    const noise = (): number =>
      kind === 'normal'
        ? source.normal()
        : Math.sign(source.uniform(-1, 1)) * -Math.log(source.uniform(0, 1));
    const [runs, frames] = [300, 4000];
    for (const least of [0, 0.05, 0.1]) {
      let expected = 0;
      let found = 0;
      for (let k = 100; k < frames; k++) expected += runs * noveltyProbability(least, k);
      for (let run = 0; run < runs; run++) {
        const stream = compile(watch(1, { settle: 0, warmUp: 100, rest: 0 }), {}, { precision: 'float64' });
        const output = stream.push(Float64Array.from({ length: frames }, noise));
        for (const score of output) if (score > least) found++;
      }
      // Without a margin the figure is exact whatever the distribution; with one it holds for exponential tails,
      // and is an upper bound for tails that fall faster.
      const spread = 4 * Math.sqrt(expected);
      expect(found, `more than ${least}`).toBeLessThan(expected * (least === 0 ? 1 : 1.15) + spread);
      if (kind === 'exponential' || least === 0)
        expect(found).toBeGreaterThan(expected * (least === 0 ? 1 : 0.7) - spread);
    }
  });

  verifyStream({ name: 'novelty', model: watch(3, { settle: 5, warmUp: 20, rest: 10 }), parameters: {} });

  it('refuses frames that are none', () => {
    expect(() => traceModel(watch(1, { rest: -1 }))).toThrow(GraphError);
    expect(() => traceModel(watch(1, { settle: 30, warmUp: 30 }))).toThrow(/warm up for longer/);
  });
});
