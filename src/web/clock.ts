/** Microseconds from some moment on. */
export type Clock = () => number;

interface Timers {
  readonly performance?: { now(): number };
  readonly Temporal?: { readonly Now: { instant(): { readonly epochNanoseconds: bigint } } };
}

/** Whole milliseconds, as every AudioWorklet has them: right on average over many quanta, and makes no garbage. */
export const coarseClock: Clock = () => Date.now() * 1000;

/**
 * The finest clock there is: `performance`, which most AudioWorklets lack, or Temporal, whose instants are objects, so
 * that it is for measuring and not for every day. On pages that are cross-origin isolated both count by 5 µs.
 */
export function exactClock(scope: Timers = globalThis as Timers): { clock: Clock; isExact: boolean } {
  const { performance, Temporal } = scope;
  if (performance !== undefined) return { clock: () => performance.now() * 1000, isExact: true };
  if (Temporal !== undefined) {
    const start = Temporal.Now.instant().epochNanoseconds;
    return { clock: () => Number(Temporal.Now.instant().epochNanoseconds - start) / 1000, isExact: true };
  }
  return { clock: coarseClock, isExact: false };
}
