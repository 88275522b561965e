import { Observable } from 'rxjs';
import { deliver } from '../core/pace.ts';

/**
 * An Observable that pulls: the next value is asked for only after the previous one has been delivered and
 * whatever its sinks asked to wait for (`hold`, so `toWav`, `mapAsync` and `toAsyncIterable`) has settled. With
 * synchronous operators in between nothing ever piles up.
 *
 * Cold if the iterable can be iterated anew. Unsubscribing calls the iterator's `return`, also while a value is
 * awaited. Timers and signals get their turn, however fast the values come.
 *
 * @example
 * fromAsyncIterable(request).pipe(map(samples), ssm(model, parameters), mapAsync((block) => send(block)));
 */
export const fromAsyncIterable = <T>(iterable: AsyncIterable<T> | Iterable<T>): Observable<T> =>
  new Observable((subscriber) => {
    const iterator =
      Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
    let ended = false;
    subscriber.add(() => {
      // Nobody listens any more, so there is no one to tell of a failing clean-up.
      if (!ended) void (async () => iterator.return?.())().catch(() => {});
    });
    const run = async (): Promise<void> => {
      let breathed = performance.now();
      while (!subscriber.closed) {
        const result = await iterator.next();
        if (result.done === true) {
          ended = true;
          subscriber.complete();
          return;
        }
        if (subscriber.closed) return;
        await deliver(() => subscriber.next(result.value));
        if (performance.now() - breathed > BREATH_MS) {
          await new Promise((resolve) => setTimeout(resolve));
          breathed = performance.now();
        }
      }
    };
    run().catch((error: unknown) => {
      ended = true;
      subscriber.error(error);
    });
  });

/** Promises alone never let the event loop turn; an AbortSignal's timeout would wait for the last value. */
const BREATH_MS = 20;
