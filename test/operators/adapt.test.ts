import { from, lastValueFrom, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { adapt, type Adapted } from '../../operators/adapt.ts';
import { GraphError, StreamError } from '../../src/errors.ts';
import { initialise } from '../../src/layers/index.ts';
import { advance, concat, delay } from '../../src/ops/index.ts';
import { defineLayer, type FloatArray, type Model } from '../../src/signal/index.ts';
import { compile, type Stream } from '../../src/stream/index.ts';
import { learnedParameters, onlineDiagonal, onlineReadout } from '../../src/train/online/index.ts';

/** cos is a sum of the last two values of sin. */
const lags = defineLayer({
  name: 'lags',
  features: 1,
  apply: (_trace, x) => concat([x, delay(x, 1)]),
});
const model = onlineReadout({ features: lags, outputs: 1, ridge: 1e-9 });
const parameters = initialise(model, 1);
const examples = Array.from({ length: 60 }, (_, k) => ({ input: Math.sin(k / 3), target: Math.cos(k / 3) }));

const all = <T extends number | FloatArray>(
  list: readonly { input: T; target: T }[],
): Promise<Adapted<T>[]> => lastValueFrom(from(list).pipe(adapt<T>(model, parameters), toArray()));

describe('adapt', () => {
  it('gives the prediction made before the target, and the error, one for one', async () => {
    const results = await all(examples);
    const stream = compile(model, parameters);
    const expected = examples.map(
      ({ input, target }) =>
        stream.push({ input: Float32Array.of(input), target: Float32Array.of(target) })[0]!,
    );
    expect(results.map(({ output }) => output)).toEqual(expected);
    expect(results.map(({ error }) => error)).toEqual(expected.map((y, k) => y - examples[k]!.target));
    expect(Math.abs(results.at(-1)!.error)).toBeLessThan(1e-5);
  });

  it('takes blocks of any length, with the same bits', async () => {
    const cut = [7, 1, 30, 22];
    let at = 0;
    const blocks = cut.map((frames) => {
      const part = examples.slice(at, (at += frames));
      return {
        input: Float32Array.from(part, ({ input }) => input),
        target: Float32Array.from(part, ({ target }) => target),
      };
    });
    const joined = (await all<FloatArray>(blocks)).flatMap(({ output }) => [...output]);
    expect(joined).toEqual((await all(examples)).map(({ output }) => output));
  });

  it('learns anew in each subscription, and goes on from a snapshot', async () => {
    const learning = from(examples).pipe(adapt<number>(model, parameters), toArray());
    expect(await lastValueFrom(learning)).toEqual(await lastValueFrom(learning));
    let stream: Stream | undefined;
    const first = adapt<number>(model, parameters, { onStream: (born) => (stream = born) });
    const head: Adapted<number>[] = [];
    let saved = new Uint8Array();
    from(examples)
      .pipe(first)
      .subscribe((result) => {
        // Whatever is learned after the 25th is lost.
        if (head.length >= 25) return;
        head.push(result);
        saved = stream!.snapshot() as Uint8Array<ArrayBuffer>;
      });
    const second = adapt<number>(model, parameters, { snapshot: saved });
    const tail = await lastValueFrom(from(examples.slice(25)).pipe(second, toArray()));
    expect([...head, ...tail]).toEqual(await all(examples));
    expect(learnedParameters(model, parameters, saved).get('weight')![0]).not.toBe(0);
  });

  it('learns recurrent weights too, where it may', async () => {
    const gated = onlineDiagonal({ features: 1, states: 2, gated: true });
    const weights = initialise(gated, 1);
    let stream: Stream | undefined;
    const run = adapt<number>(gated, weights, { onStream: (born) => (stream = born) });
    await lastValueFrom(from(examples.map((example) => ({ ...example, learn: 0 }))).pipe(run));
    expect(learnedParameters(gated, weights, stream!.snapshot())).toEqual(
      new Map([...weights].map(([name, values]) => [name, Float64Array.from(values)])),
    );
  });

  it('refuses what looks ahead, and what is no example', async () => {
    const ahead: Model = onlineReadout({
      features: defineLayer({ name: 'ahead', features: 1, apply: (_trace, x) => advance(x, 2) }),
      outputs: 1,
    });
    expect(() => adapt(ahead, initialise(ahead, 1), { sampleRate: 1 })).toThrow(GraphError);
    const wrong = of({ input: 'x' as never, target: 1 }).pipe(adapt<number>(model, parameters));
    await expect(lastValueFrom(wrong)).rejects.toThrow(StreamError);
  });
});
