import { Subject, takeUntil, type Observable } from 'rxjs';
import { ArgumentError, StreamError } from '../../src/errors.ts';
import { wholeNumber } from '../core/format.ts';
import { hold } from '../core/pace.ts';

export interface ToAsyncIterableOptions {
  /** Values that may wait for the reader; 16 by default. */
  readonly maxBuffered?: number;
  /**
   * When a source that can't wait brings more: end with a StreamError (default), or forget the oldest value
   * that waits. Never without a bound.
   */
  readonly overflow?: 'error' | 'drop-oldest';
}

/**
 * An Observable for `for await`, with a bound on what waits for the reader. Sources that can wait (`hold`) do
 * so while the buffer is full, and nothing is lost; what one value of theirs sets off at once may exceed the
 * bound. Each loop subscribes anew, when it asks for its first value; leaving it unsubscribes.
 *
 * Values that came before an error are handed out before it is thrown.
 *
 * @example
 * for await (const block of toAsyncIterable(blocks, { maxBuffered: 8, overflow: 'drop-oldest' })) draw(block);
 */
export function toAsyncIterable<T>(
  source: Observable<T>,
  options: ToAsyncIterableOptions = {},
): AsyncIterable<T> {
  const { maxBuffered = 16, overflow = 'error' } = options;
  wholeNumber('toAsyncIterable', 'maxBuffered', maxBuffered);
  if (overflow !== 'error' && overflow !== 'drop-oldest') {
    throw new ArgumentError(
      `toAsyncIterable: overflow is '${String(overflow)}'; choose error or drop-oldest`,
    );
  }
  return {
    async *[Symbol.asyncIterator]() {
      const waiting: T[] = [];
      let end: { error?: unknown } | undefined;
      let wake = (): void => {};
      let room: { promise: Promise<void>; open: () => void } | undefined;
      // Closes the source also while it emits inside `subscribe`.
      const stop = new Subject<void>();
      const subscription = source.pipe(takeUntil(stop)).subscribe({
        next(value) {
          if (end) return;
          waiting.push(value);
          if (waiting.length >= maxBuffered) {
            if (!room) {
              let open = (): void => {};
              room = { promise: new Promise((resolve) => (open = resolve)), open };
            }
            if (!hold(room.promise) && waiting.length > maxBuffered) {
              if (overflow === 'drop-oldest') waiting.shift();
              else {
                waiting.pop();
                end = {
                  error: new StreamError(
                    `toAsyncIterable: ${maxBuffered} values wait for their reader and the source can't; ` +
                      "raise maxBuffered, choose overflow: 'drop-oldest', or read from a source that can wait",
                  ),
                };
                stop.next();
              }
            }
          }
          wake();
        },
        error(error: unknown) {
          end ??= { error };
          wake();
        },
        complete() {
          end ??= {};
          wake();
        },
      });
      try {
        for (;;) {
          while (waiting.length > 0) {
            const value = waiting.shift()!;
            if (waiting.length < maxBuffered) {
              room?.open();
              room = undefined;
            }
            yield value;
          }
          if (end) {
            if ('error' in end) throw end.error;
            return;
          }
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        subscription.unsubscribe();
      }
    },
  };
}
