/** How far a result is from the official one. */
export interface Deviation {
  /** Largest difference over the peak of the official tensor; absolute where that is 0. NaN counts as infinite. */
  readonly error: number;
  /** Where it is, in words. */
  readonly place: string;
}

/**
 * Compares with an official tensor.
 *
 * @param what the tensor's name, for the place.
 * @param scale `absolute` leaves the difference as it is.
 */
export function deviation(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  scale: 'peak' | 'absolute' = 'peak',
): Deviation {
  if (actual.length !== expected.length) {
    return { error: Infinity, place: `${what} has ${actual.length} values, ${expected.length} are official` };
  }
  let [peak, worst, at] = [0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    peak = Math.max(peak, Math.abs(expected[i]));
    const difference = Math.abs(actual[i] - expected[i]);
    const error = Number.isNaN(difference) ? Infinity : difference;
    if (error > worst) [worst, at] = [error, i];
  }
  // An official tensor that is not finite has no peak to compare with.
  const absolute = scale === 'absolute' || peak === 0 || worst === Infinity;
  const error = absolute ? worst : worst / peak;
  return { error, place: `${what}[${at}] is ${actual[at]}, official ${expected[at]}` };
}

/** The largest of several deviations; of none, that nothing was compared, which is no agreement. */
export function worst(deviations: readonly Deviation[]): Deviation {
  if (deviations.length === 0) return { error: Infinity, place: 'nothing was compared' };
  return deviations.reduce((most, next) => (next.error > most.error ? next : most));
}
