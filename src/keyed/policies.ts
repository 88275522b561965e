import { ArgumentError } from '../errors.ts';

/** What happens to a reading as old as the last one: left out, refused, or taken as a second one at once (dt 0). */
export type DuplicatePolicy = 'drop' | 'error' | 'keep';

/**
 * What happens to a reading older than the last one: left out, refused, taken as if it had come now (dt 0), or taken for
 * a clock that was set back: the state stays, and time is counted from there.
 */
export type LatePolicy = 'drop' | 'error' | 'now' | 'restart';

/**
 * What happens to NaN and infinities: the channel's last finite value instead (0 before there is one), the reading left
 * out so that its time falls to the next, all state forgotten, or refused. None ever enters the model.
 */
export type MissingPolicy = 'hold' | 'skip' | 'reset' | 'error';

export interface TimelineOptions {
  /** Seconds that a time of 1 stands for; 1. Timestamps of `Date` have 0.001. */
  readonly timeUnit?: number;
  /** `drop` by default. */
  readonly duplicates?: DuplicatePolicy;
  /** `drop` by default. */
  readonly late?: LatePolicy;
  /** `hold` by default. */
  readonly missing?: MissingPolicy;
  /** Readings wait for this many seconds of the newest time, and are put in order; 0. */
  readonly reorder?: number;
  /** Seconds before the first reading during which its value is taken to have held; 0. */
  readonly first?: number;
}

/** What was not as it should be, and what was done about it. */
export interface TimelineNote {
  readonly kind: 'duplicate' | 'late' | 'missing' | 'no-time';
  readonly action: DuplicatePolicy | LatePolicy | MissingPolicy;
  /** As the reading says. */
  readonly time: number;
  /** Seconds behind the last reading, for `late`. */
  readonly behind?: number;
  /** Channels without a number, for `missing`. */
  readonly channels?: readonly number[];
  /** Readings left out so far, this one included if it was. */
  readonly dropped: number;
}

/** The options, whole. @throws ArgumentError for a unit, a time or a policy that is none. */
export function timelineOptions(options: TimelineOptions): Required<TimelineOptions> {
  const {
    timeUnit = 1,
    duplicates = 'drop',
    late = 'drop',
    missing = 'hold',
    reorder = 0,
    first = 0,
  } = options;
  if (!(timeUnit > 0 && timeUnit < Infinity))
    throw new ArgumentError(
      `irregular: timeUnit is ${timeUnit}; give the seconds that a time of 1 stands for`,
    );
  for (const [name, value] of Object.entries({ reorder, first }))
    if (!(value >= 0 && value < Infinity))
      throw new ArgumentError(`irregular: ${name} is ${value}; give seconds, 0 or more`);
  for (const [name, value, known] of [
    ['duplicates', duplicates, ['drop', 'error', 'keep']],
    ['late', late, ['drop', 'error', 'now', 'restart']],
    ['missing', missing, ['hold', 'skip', 'reset', 'error']],
  ] as const) {
    if (!(known as readonly string[]).includes(value))
      throw new ArgumentError(`irregular: ${name} is '${value}'; give one of ${known.join(', ')}`);
  }
  return { timeUnit, duplicates, late, missing, reorder, first };
}
