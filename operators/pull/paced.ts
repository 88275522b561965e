import { Subject, type OperatorFunction } from 'rxjs';
import { deliver } from '../core/pace.ts';

/**
 * Runs operators at the pace of a reader: the next value of `source` goes in only when all that came of those
 * before has been taken. For operators that answer at once, withhold, or `hold` (all here); what answers later
 * by a clock of its own (`delay`, `observeOn`) is not waited for, only collected.
 *
 * Leaving the loop closes operators and source, also while a value is awaited. An error of the source goes
 * through the operators, as in RxJS.
 *
 * @example
 * for await (const y of paced(socket, pipe(map(samples), ssm(model, parameters)))) await reply(y);
 */
export async function* paced<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  operator: OperatorFunction<T, R>,
): AsyncGenerator<R, void, void> {
  const input = new Subject<T>();
  const outlet = new Outlet<R>();
  const subscription = input.pipe(operator).subscribe(outlet);
  let iterator: Iterator<T> | AsyncIterator<T> | undefined;
  try {
    while (!outlet.end) {
      iterator ??=
        Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
      try {
        const result = await outlet.orEnd(Promise.resolve(iterator.next()));
        if (result === undefined) break;
        if (result.done === true) {
          iterator = undefined;
          input.complete();
          break;
        }
        const held = deliver(() => input.next(result.value));
        if (held) await outlet.orEnd(held);
      } catch (error) {
        iterator = undefined;
        input.error(error);
        break;
      }
      while (outlet.ready.length > 0) yield outlet.ready.shift()!;
    }
    // What comes after the source has ended, such as the last value of mapAsync.
    for (;;) {
      while (outlet.ready.length > 0) yield outlet.ready.shift()!;
      if (outlet.end) break;
      await outlet.news();
    }
    if ('error' in outlet.end) throw outlet.end.error;
  } finally {
    subscription.unsubscribe();
    void (async () => iterator?.return?.())().catch(() => {});
  }
}

/** Collects what comes out of the operators, and tells when they have ended. */
class Outlet<R> {
  readonly ready: R[] = [];
  end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #ended: (() => void) | undefined;

  next(value: R): void {
    this.ready.push(value);
    this.#wake?.();
  }

  error(error: unknown): void {
    this.#finish({ error });
  }

  complete(): void {
    this.#finish({});
  }

  /** Until a value or the end comes. */
  news(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /**
   * What `promise` brings, or undefined as soon as the operators have ended. A promise of its own each time:
   * a race against one that lives as long as the stream would gather a reaction for every value.
   */
  orEnd<V>(promise: Promise<V>): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      this.#ended = () => resolve(undefined);
      promise.then(resolve, reject);
      if (this.end) resolve(undefined);
    });
  }

  #finish(end: { readonly error?: unknown }): void {
    this.end = end;
    this.#wake?.();
    this.#ended?.();
  }
}
