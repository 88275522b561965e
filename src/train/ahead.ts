/**
 * The same values, the next one being made while the one before is worked on: data are read while a device computes.
 * Ends the source when the reader stops early.
 */
export async function* oneAhead<T>(
  source: AsyncIterable<T> | Iterable<T>,
): AsyncGenerator<T, void, undefined> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const take = (): Promise<IteratorResult<T>> => {
    const next = Promise.resolve().then(() => iterator.next());
    // Whoever awaits it gets the error; until then it is nobody's.
    next.catch(() => {});
    return next;
  };
  let finished = false;
  try {
    let next = take();
    for (;;) {
      const { done, value } = await next;
      if (done === true) {
        finished = true;
        return;
      }
      next = take();
      yield value as T;
    }
  } finally {
    if (!finished) await iterator.return?.();
  }
}
