/** What the sinks of the value that is being delivered have asked to wait for. */
let asked: Promise<unknown>[] | undefined;

/**
 * For a sink, from within `next`: asks the source of the value that is just being delivered to bring no other
 * until `until` has settled. Says whether there is a source that does so: one of `fromWav`,
 * `fromAsyncIterable`, `paced` and `processAsync`, with only synchronous operators in between. Where there is
 * none, whoever buffers needs a bound of its own. A rejection counts as settled; reporting it is the sink's job.
 *
 * RxJS has no way to slow a source down (ReactiveX/rxjs#71, #4423). Delivery is synchronous, though: whatever
 * a value sets off runs before the source's `next` returns, so the source can listen for as long as that.
 *
 * @example
 * fromWav('in.wav').subscribe((block) => hold(socket.send(block)));
 */
export function hold(until: PromiseLike<unknown>): boolean {
  if (asked === undefined) return false;
  asked.push(Promise.resolve(until));
  return true;
}

/**
 * For a source: delivers a value and returns what to wait for before the next one, if anything.
 *
 * @example
 * for await (const value of values) await deliver(() => subscriber.next(value));
 */
export function deliver(send: () => void): Promise<void> | undefined {
  const outer = asked;
  const mine: Promise<unknown>[] = [];
  asked = mine;
  try {
    send();
  } finally {
    asked = outer;
  }
  return mine.length === 0 ? undefined : Promise.allSettled(mine).then(() => undefined);
}
