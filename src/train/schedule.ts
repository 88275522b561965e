import { ArgumentError } from '../errors.ts';

/** What a schedule remembers, as checkpoints hold it. */
export type ScheduleState = Readonly<Record<string, number>>;

/** How the learning rates change over a run. Pure: what it remembers is passed along. */
export interface RateSchedule {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** What is remembered before the first step. */
  begin(): ScheduleState;
  /** The factor of every learning rate at a step from 0, of `steps` in the whole run. */
  rate(at: { readonly step: number; readonly steps: number }, state: ScheduleState): number;
  /** What is remembered after a validation, or without one after an epoch, of that loss. */
  observe(loss: number, state: ScheduleState): ScheduleState;
}

export interface WarmUpOptions {
  /** Steps in which the rate rises in a straight line; 0. */
  readonly warmUp?: number | undefined;
  /** Where it ends, as a factor; 0. */
  readonly floor?: number | undefined;
}

/** Always 1. */
export const constantRate = (): RateSchedule => timed('constant', {}, () => 1);

/**
 * Rises to 1 in `warmUp` steps, then falls as half a cosine to `floor` (Loshchilov & Hutter, arXiv 1608.03983, eq. 5,
 * without restarts).
 *
 * @example
 * const schedule = warmUpCosine({ warmUp: 500 });
 */
export const warmUpCosine = (options: WarmUpOptions = {}): RateSchedule =>
  warmed('cosine', options, (done) => 0.5 + 0.5 * Math.cos(Math.PI * done));

/** Rises to 1 in `warmUp` steps, then falls in a straight line to `floor`. */
export const warmUpLinear = (options: WarmUpOptions = {}): RateSchedule =>
  warmed('linear', options, (done) => 1 - done);

export interface PlateauOptions extends Pick<WarmUpOptions, 'warmUp'> {
  /** What the rate is multiplied by; 0.5. */
  readonly factor?: number | undefined;
  /** Observations without a better loss that are put up with; 5. */
  readonly patience?: number | undefined;
  /** The smallest factor; 0.01. */
  readonly floor?: number | undefined;
}

/**
 * Falls by a factor whenever the loss has not become better for longer than `patience` observations (torch
 * `ReduceLROnPlateau`).
 */
export function plateau(options: PlateauOptions = {}): RateSchedule {
  const { factor = 0.5, patience = 5, floor = 0.01, warmUp = 0 } = options;
  whole('plateau', 'patience', patience);
  whole('plateau', 'warmUp', warmUp);
  share('plateau', 'factor', factor);
  share('plateau', 'floor', floor);
  return {
    kind: 'plateau',
    options: { factor, patience, floor, warmUp },
    // Infinity is no JSON: the number of observations says whether there was a best one.
    begin: () => ({ scale: 1, observations: 0, best: 0, since: 0 }),
    rate: ({ step }, { scale }) => scale! * rise(step, warmUp),
    observe(loss, state) {
      const { scale, observations, best, since } = state as Record<
        'scale' | 'observations' | 'best' | 'since',
        number
      >;
      if (observations === 0 || loss < best)
        return { scale, observations: observations + 1, best: loss, since: 0 };
      const tired = since + 1 > patience;
      return {
        scale: tired ? Math.max(floor, scale * factor) : scale,
        observations: observations + 1,
        best,
        since: tired ? 0 : since + 1,
      };
    },
  };
}

/** A schedule that looks at the step alone. */
function timed(
  kind: string,
  options: Readonly<Record<string, unknown>>,
  rate: (at: { readonly step: number; readonly steps: number }) => number,
): RateSchedule {
  return { kind, options, begin: () => ({}), rate, observe: (_loss, state) => state };
}

/** @param shape from 1 at 0 to 0 at 1. */
function warmed(kind: string, options: WarmUpOptions, shape: (done: number) => number): RateSchedule {
  const { warmUp = 0, floor = 0 } = options;
  whole(kind, 'warmUp', warmUp);
  share(kind, 'floor', floor);
  return timed(kind, { warmUp, floor }, ({ step, steps }) => {
    if (step < warmUp) return rise(step, warmUp);
    const done = Math.min(1, (step - warmUp) / Math.max(1, steps - warmUp));
    return floor + (1 - floor) * shape(done);
  });
}

/** The first step has a rate already, or it would be wasted. */
const rise = (step: number, warmUp: number): number => Math.min(1, (step + 1) / (warmUp + 1));

function whole(kind: string, name: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0))
    throw new ArgumentError(`${kind}: ${name} is ${value}; give a whole number of at least 0`);
}

function share(kind: string, name: string, value: number): void {
  if (!(value >= 0 && value <= 1))
    throw new ArgumentError(`${kind}: ${name} is ${value}; give a number from 0 to 1`);
}
