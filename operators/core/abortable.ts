import { Observable, type MonoTypeOperatorFunction } from 'rxjs';

/**
 * Ends with `signal.reason` as the error as soon as `signal` aborts, and closes the source. Where it has aborted
 * before, the source is never subscribed to.
 *
 * @example
 * microphone.pipe(abortable(AbortSignal.timeout(5_000)));
 */
export const abortable =
  <T>(signal: AbortSignal): MonoTypeOperatorFunction<T> =>
  (source) =>
    new Observable((subscriber) => {
      const abort = (): void => subscriber.error(signal.reason);
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      subscriber.add(() => signal.removeEventListener('abort', abort));
      source.subscribe(subscriber);
    });
