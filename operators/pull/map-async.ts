import { concatMap, defer, finalize, map, Observable, type OperatorFunction } from 'rxjs';
import { StreamError } from '../../src/errors.ts';
import { wholeNumber } from '../core/format.ts';
import { deliver, hold } from '../core/pace.ts';

/**
 * A function that takes its time, one value after the other, in order: `concatMap` that asks its source to wait
 * (`hold`) instead of buffering without bound (ReactiveX/rxjs#2342). Where the source can't, at most
 * `maxPending` values are in work or waiting, and one more ends the stream with a StreamError.
 *
 *     source   -a-b--------|
 *     result   ---A---B----|        each takes two frames of time
 *
 * @example
 * fromWav('in.wav').pipe(ssm(model, parameters), mapAsync((block) => upload(block)));
 */
export function mapAsync<T, R>(
  project: (value: T) => PromiseLike<R> | R,
  options: { readonly maxPending?: number } = {},
): OperatorFunction<T, R> {
  const { maxPending = 64 } = options;
  wholeNumber('mapAsync', 'maxPending', maxPending);
  return (source) =>
    defer(() => {
      let pending = 0;
      return source.pipe(
        map((value) => {
          let release = (): void => {};
          const done = new Promise<void>((resolve) => (release = resolve));
          pending++;
          if (!hold(done) && pending > maxPending) {
            throw new StreamError(
              `mapAsync: ${pending} values are pending and the source can't wait; raise maxPending (${maxPending}), ` +
                'or read from a source that can (fromWav, fromAsyncIterable, paced)',
            );
          }
          return { value, release };
        }),
        concatMap(({ value, release }) =>
          once(project, value).pipe(
            finalize(() => {
              pending--;
              release();
            }),
          ),
        ),
      );
    });
}

/** One result; complete only when the sinks behind have taken it, so that what they `hold` reaches the source. */
const once = <T, R>(project: (value: T) => PromiseLike<R> | R, value: T): Observable<R> =>
  new Observable((subscriber) => {
    const run = async (): Promise<void> => {
      const result = await project(value);
      await deliver(() => subscriber.next(result));
      subscriber.complete();
    };
    run().catch((error: unknown) => subscriber.error(error));
  });
