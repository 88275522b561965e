import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as sleep } from 'node:timers/promises';
import { Subject, from, interval, lastValueFrom, of, range, type Observable } from 'rxjs';
import { catchError, map, take, toArray } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import {
  fromAsyncIterable,
  hold,
  mapAsync,
  paced,
  processAsync,
  ssm,
  toAsyncIterable,
} from '../../operators/index.ts';
import { ArgumentError, StreamError } from '../../src/errors.ts';
import type { FloatArray } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { a, concatenated, integrator, lookAhead, noise, ragged } from './models.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
/** Bytes in use; array buffers are freed a little after they were collected. */
const heap = async (): Promise<number> => {
  for (let i = 0; i < 2; i++) {
    gc();
    await sleep(5);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const gather = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
};

/** Blocks on demand; counts those asked for, and notes when it is closed. */
function spring(blocks: number, frames = 256) {
  const state = { pulled: 0, closed: false };
  const source = async function* (): AsyncGenerator<Float32Array, void, void> {
    try {
      for (; state.pulled < blocks;) {
        state.pulled++;
        // Lets timers and the reader run, as a socket would.
        if (state.pulled % 100 === 0) await sleep(0);
        yield new Float32Array(frames).fill(state.pulled);
      }
    } finally {
      state.closed = true;
    }
  };
  return { state, source };
}

describe('processAsync', () => {
  const input = noise(700);
  const stream = compile(lookAhead(11), a);
  const whole = [...stream.push(input), ...stream.flush()];

  it('equals Stream on the whole', async () => {
    expect(concatenated(await gather(processAsync(ragged(input), lookAhead(11), a)))).toEqual(whole);
    expect(await gather(processAsync([...input], lookAhead(11), a))).toEqual(whole);
    expect(concatenated(await gather(processAsync(spring(3, 4).source(), integrator(), a)))).toHaveLength(12);
  });

  it('has one block in flight over 10,000 blocks, however slow the reader, in flat memory', async () => {
    const { state, source } = spring(10_000);
    let taken = 0;
    let ahead = 0;
    let start = 0;
    let longest = 0;
    for await (const block of processAsync(source(), lookAhead(300), a)) {
      taken++;
      longest = Math.max(longest, block.length);
      if (taken % 200 === 0) await sleep(1);
      // The first block or two are withheld by the look-ahead.
      if (taken < 9990) ahead = Math.max(ahead, state.pulled - taken);
      if (taken === 2000) start = await heap();
      if (taken === 9000) expect((await heap()) - start).toBeLessThan(512 * 1024);
    }
    expect(state.pulled).toBe(10_000);
    expect(taken).toBeGreaterThan(9990);
    expect(ahead).toBeLessThanOrEqual(2);
    expect(longest).toBeLessThanOrEqual(300);
  });

  it('pulls nothing before it is read, and closes the source when the reader leaves', async () => {
    const { state, source } = spring(100);
    const result = processAsync(source(), integrator(), a);
    await sleep(5);
    expect(state.pulled).toBe(0);
    for await (const _block of result) if (state.pulled === 3) break;
    await sleep(0);
    expect(state).toEqual({ pulled: 3, closed: true });
  });

  it('throws the error of the source behind what came, unflushed', async () => {
    const failing = async function* (): AsyncGenerator<number> {
      yield 1;
      yield 2;
      throw new Error('gone');
    };
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const y of processAsync(failing(), lookAhead(1), a)) seen.push(y);
    };
    await expect(run()).rejects.toThrow('gone');
    expect(seen).toEqual([3]);
  });

  it('throws what the stream refuses, and closes the source', async () => {
    const { state, source } = spring(10, 3);
    await expect(gather(processAsync(source(), integrator(), a, { channels: 2 }))).rejects.toThrow(
      StreamError,
    );
    await sleep(0);
    expect(state).toEqual({ pulled: 1, closed: true });
  });

  it('is aborted while it waits for a block', async () => {
    let closed = false;
    const silent: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          closed = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    const signal = AbortSignal.timeout(10);
    await expect(gather(processAsync(silent, integrator(), a, { signal }))).rejects.toThrow(/timeout/);
    expect(closed).toBe(true);
    const reason = new Error('before');
    const dead = processAsync(silent, integrator(), a, { signal: AbortSignal.abort(reason) });
    await expect(gather(dead)).rejects.toBe(reason);
  });
});

describe('paced', () => {
  it('lets operators end early, and mend errors', async () => {
    const { state, source } = spring(100);
    expect(await gather(paced(source(), take(2)))).toHaveLength(2);
    expect(state.pulled).toBe(2);
    const failing = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error('gone');
    };
    expect(
      await gather(
        paced(
          failing(),
          catchError(() => of(7, 8)),
        ),
      ),
    ).toEqual([1, 7, 8]);
    const late = catchError<number, Observable<number>>(() => interval(1).pipe(take(3)));
    expect(await gather(paced(failing(), late))).toEqual([1, 0, 1, 2]);
  });

  it('waits for what operators hold, and for what comes after the end', async () => {
    let running = 0;
    let most = 0;
    const slow = mapAsync(async (x: number) => {
      most = Math.max(most, ++running);
      await sleep(1);
      running--;
      return -x;
    });
    expect(await gather(paced([1, 2, 3, 4], slow))).toEqual([-1, -2, -3, -4]);
    expect(most).toBe(1);
  });
});

describe('fromAsyncIterable', () => {
  it('delivers, completes, and is cold where the iterable is', async () => {
    const source = fromAsyncIterable([1, 2, 3]);
    expect(await lastValueFrom(source.pipe(toArray()))).toEqual([1, 2, 3]);
    expect(await lastValueFrom(source.pipe(toArray()))).toEqual([1, 2, 3]);
  });

  it('pulls the next value only when what sinks hold has settled, over 10,000 blocks in flat memory', async () => {
    const { state, source } = spring(10_000);
    let done = 0;
    let ahead = 0;
    let start = 0;
    let grown = Number.NaN;
    await fromAsyncIterable(source())
      .pipe(ssm(integrator(), a))
      .forEach(() => {
        ahead = Math.max(ahead, state.pulled - done);
        const work = done % 200 === 0 ? sleep(1) : Promise.resolve();
        hold(
          work.then(async () => {
            done++;
            if (done === 2000) start = await heap();
            if (done === 9000) grown = (await heap()) - start;
          }),
        );
      });
    expect(done).toBe(10_000);
    expect(ahead).toBe(1);
    expect(grown).toBeLessThan(512 * 1024);
  });

  it('takes a rejected hold as settled', async () => {
    const seen: number[] = [];
    await fromAsyncIterable([1, 2]).forEach((x) => {
      seen.push(x);
      hold(Promise.reject(new Error('the sink knows')));
    });
    expect(seen).toEqual([1, 2]);
  });

  it('closes the iterator on unsubscribing, also in a hold', async () => {
    const { state, source } = spring(10);
    const subscription = fromAsyncIterable(source()).subscribe(() => hold(new Promise(() => {})));
    await sleep(2);
    expect(state).toEqual({ pulled: 1, closed: false });
    subscription.unsubscribe();
    await sleep(0);
    expect(state).toEqual({ pulled: 1, closed: true });
  });

  it('passes the error of the iterable on', async () => {
    const failing = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error('gone');
    };
    await expect(lastValueFrom(fromAsyncIterable(failing()))).rejects.toThrow('gone');
  });

  it('lets timers run however fast the values come', async () => {
    const endless = function* (): Generator<number> {
      for (let i = 0; ; i++) yield i;
    };
    const signal = AbortSignal.timeout(30);
    const result = fromAsyncIterable(endless()).pipe(ssm(integrator(), a, { signal }));
    await expect(lastValueFrom(result)).rejects.toThrow(/timeout/);
  });
});

describe('mapAsync', () => {
  it('keeps order, one at a time, and holds the source', async () => {
    const { state, source } = spring(500, 1);
    let done = 0;
    let ahead = 0;
    const values = await lastValueFrom(
      fromAsyncIterable(source()).pipe(
        mapAsync(async ([x]) => {
          ahead = Math.max(ahead, state.pulled - done);
          if (done % 50 === 0) await sleep(1);
          done++;
          return x!;
        }),
        toArray(),
      ),
    );
    expect(values).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    expect(ahead).toBe(1);
  });

  it('passes on what sinks behind it hold', async () => {
    const { state, source } = spring(20, 1);
    let done = 0;
    let ahead = 0;
    await fromAsyncIterable(source())
      .pipe(mapAsync((block) => block))
      .forEach(() => {
        ahead = Math.max(ahead, state.pulled - done);
        expect(hold(sleep(1).then(() => done++))).toBe(true);
      });
    expect(ahead).toBe(1);
  });

  it('bounds what a source that cannot wait piles up', async () => {
    const never = range(0, 10).pipe(mapAsync(() => sleep(1), { maxPending: 4 }));
    await expect(lastValueFrom(never)).rejects.toThrow(/5 values are pending/);
    const enough = range(0, 4).pipe(
      mapAsync((x) => sleep(1).then(() => x), { maxPending: 4 }),
      toArray(),
    );
    expect(await lastValueFrom(enough)).toEqual([0, 1, 2, 3]);
  });

  it('ends with the error of the function', async () => {
    const failing = of(1).pipe(mapAsync(() => Promise.reject(new Error('refused'))));
    await expect(lastValueFrom(failing)).rejects.toThrow('refused');
  });
});

describe('toAsyncIterable', () => {
  it('hands out everything in order, then the end', async () => {
    expect(await gather(toAsyncIterable(of(1, 2, 3)))).toEqual([1, 2, 3]);
    expect(await gather(toAsyncIterable(interval(1).pipe(take(3))))).toEqual([0, 1, 2]);
  });

  it('ends with an error when more waits than may, behind what waited', async () => {
    const seen: number[] = [];
    let emitted = 0;
    const flood = range(0, 100).pipe(map((x) => ((emitted = x + 1), x)));
    const run = async (): Promise<void> => {
      for await (const x of toAsyncIterable(flood, { maxBuffered: 3 })) seen.push(x);
    };
    await expect(run()).rejects.toThrow(StreamError);
    expect(seen).toEqual([0, 1, 2]);
    expect(emitted).toBe(4);
  });

  it('or forgets the oldest', async () => {
    const source = new Subject<number>();
    const values = toAsyncIterable(source, { maxBuffered: 3, overflow: 'drop-oldest' })[
      Symbol.asyncIterator
    ]();
    const first = values.next();
    for (let i = 0; i < 10; i++) source.next(i);
    source.complete();
    const rest = [await first, await values.next(), await values.next(), await values.next()];
    expect(rest.map(({ value, done }) => (done === true ? '|' : value))).toEqual([7, 8, 9, '|']);
  });

  it('makes a source that can wait do so, and loses nothing', async () => {
    const { state, source } = spring(1000, 8);
    let taken = 0;
    let ahead = 0;
    let last: FloatArray | undefined;
    const blocks = fromAsyncIterable(source()).pipe(ssm(integrator(), a));
    for await (const block of toAsyncIterable(blocks, { maxBuffered: 4 })) {
      taken++;
      last = block;
      if (taken % 20 === 0) await sleep(1);
      ahead = Math.max(ahead, state.pulled - taken);
    }
    expect(taken).toBe(1000);
    expect(ahead).toBeLessThanOrEqual(5);
    expect(last![0]).toBeGreaterThan(1000);
  });

  it('subscribes with the loop and unsubscribes when it is left', async () => {
    const source = new Subject<number>();
    const values = toAsyncIterable(source);
    expect(source.observed).toBe(false);
    setTimeout(() => source.next(1), 1);
    for await (const x of values) {
      expect(x).toBe(1);
      expect(source.observed).toBe(true);
      break;
    }
    expect(source.observed).toBe(false);
    await expect(
      gather(
        toAsyncIterable(
          from([1]).pipe(
            map(() => {
              throw new Error('gone');
            }),
          ),
        ),
      ),
    ).rejects.toThrow('gone');
  });

  it('refuses a bound that is none', () => {
    expect(() => toAsyncIterable(of(1), { maxBuffered: 0 })).toThrow(ArgumentError);
    expect(() => toAsyncIterable(of(1), { overflow: 'drop-newest' as 'error' })).toThrow(ArgumentError);
  });
});
