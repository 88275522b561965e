import { ArgumentError, StreamError } from '../../src/errors.ts';

/** One reading and when it was taken. */
export interface Reading<T = number | ArrayLike<number>> {
  /** In the unit of `timeUnit`; seconds by default. Its origin does not matter. */
  readonly time: number;
  readonly value: T;
}

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

/** All that a timeline remembers, as plain data. */
export interface TimelineState {
  /** Of the last reading that was taken; null before the first. */
  readonly last: number | null;
  /** Last finite value of each channel. */
  readonly held: readonly number[];
  readonly dropped: number;
  /** Readings that wait to be put in order. */
  readonly waiting: readonly Reading<readonly number[]>[];
}

/** A reading that goes into the model. */
export interface Step {
  readonly time: number;
  /** Seconds since the one before. */
  readonly dt: number;
  readonly value: Float64Array;
  /** All state is forgotten instead: the reading itself is not to be used. */
  readonly reset: boolean;
}

/**
 * Makes steps of time out of readings that come when they like: in order, each once, finite. A gap is one step, however
 * long. What it leaves out it counts and tells.
 */
export class Timeline {
  readonly #options: Required<TimelineOptions>;
  readonly #tell: (note: TimelineNote) => void;
  #last: number | undefined;
  #newest = -Infinity;
  #held: Float64Array;
  #dropped = 0;
  #waiting: Reading<Float64Array>[] = [];

  /** @throws ArgumentError for a unit or a time that is none. */
  constructor(channels: number, options: TimelineOptions, tell: (note: TimelineNote) => void) {
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
    this.#options = { timeUnit, duplicates, late, missing, reorder, first };
    this.#tell = tell;
    this.#held = new Float64Array(channels);
  }

  /**
   * Takes a reading and hands on the steps that are due.
   *
   * @throws StreamError where a policy says `error`, or a reading has another number of channels; nothing has been taken
   *   then.
   */
  push(reading: Reading, hand: (step: Step) => void): void {
    const { value, time } = reading;
    const values = typeof value === 'number' ? Float64Array.of(value) : Float64Array.from(value);
    if (values.length !== this.#held.length) {
      throw new StreamError(
        `a reading at ${time} has ${values.length} channels, this stream takes ${this.#held.length}`,
      );
    }
    if (!Number.isFinite(time)) {
      if (this.#options.late === 'error')
        throw new StreamError(
          `a reading has the time ${time}; give a finite one, or another policy for late`,
        );
      this.#drop({ kind: 'no-time', action: 'drop', time });
      return;
    }
    if (this.#options.reorder === 0) {
      this.#take({ time, value: values }, hand);
      return;
    }
    // Behind those of the same time, so that duplicates keep the order in which they came.
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1]!.time > time) at--;
    this.#waiting.splice(at, 0, { time, value: values });
    this.#newest = Math.max(this.#newest, time);
    const due = this.#newest - this.#options.reorder / this.#options.timeUnit;
    while (this.#waiting.length > 0 && this.#waiting[0]!.time <= due)
      this.#take(this.#waiting.shift()!, hand);
  }

  /** No more readings: those that wait are due. */
  end(hand: (step: Step) => void): void {
    for (const reading of this.#waiting.splice(0)) this.#take(reading, hand);
  }

  save(): TimelineState {
    return {
      last: this.#last ?? null,
      held: [...this.#held],
      dropped: this.#dropped,
      waiting: this.#waiting.map(({ time, value }) => ({ time, value: [...value] })),
    };
  }

  restore({ last, held, dropped, waiting }: TimelineState): void {
    if (held.length !== this.#held.length) {
      throw new StreamError(
        `the saved timeline has ${held.length} channels, this stream takes ${this.#held.length}; restore it where it is from`,
      );
    }
    this.#last = last ?? undefined;
    this.#held = Float64Array.from(held);
    this.#dropped = dropped;
    this.#waiting = waiting.map(({ time, value }) => ({ time, value: Float64Array.from(value) }));
    this.#newest = this.#waiting.at(-1)?.time ?? last ?? -Infinity;
  }

  #drop(note: Omit<TimelineNote, 'dropped'>): void {
    this.#dropped++;
    this.#note(note);
  }

  #note(note: Omit<TimelineNote, 'dropped'>): void {
    this.#tell({ ...note, dropped: this.#dropped });
  }

  #take({ time, value }: Reading<Float64Array>, hand: (step: Step) => void): void {
    const { timeUnit, duplicates, late, first } = this.#options;
    let dt = this.#last === undefined ? first : (time - this.#last) * timeUnit;
    let clock = time;
    if (this.#last !== undefined && dt === 0) {
      if (duplicates === 'error')
        throw new StreamError(
          `two readings at ${time}; give another policy for duplicates, or mend the source`,
        );
      if (duplicates === 'drop') {
        this.#drop({ kind: 'duplicate', action: 'drop', time });
        return;
      }
    } else if (dt < 0) {
      if (late === 'error')
        throw new StreamError(
          `a reading at ${time} comes behind one at ${this.#last}; give another policy for late, or a reorder time`,
        );
      const note = { kind: 'late', action: late, time, behind: -dt } as const;
      if (late === 'drop') {
        this.#drop(note);
        return;
      }
      this.#note(note);
      dt = 0;
      if (late === 'now') clock = this.#last!;
    }
    const absent = [...value.keys()].filter((c) => !Number.isFinite(value[c]!));
    if (absent.length > 0 && this.#miss(time, value, absent, hand)) return;
    if (this.#last !== undefined && time === this.#last && dt === 0)
      this.#note({ kind: 'duplicate', action: 'keep', time });
    this.#last = clock;
    this.#held.set(value);
    hand({ time, dt, value, reset: false });
  }

  /** Mends a reading in place; true where it is not to be used. */
  #miss(time: number, value: Float64Array, absent: readonly number[], hand: (step: Step) => void): boolean {
    const { missing } = this.#options;
    const note = { kind: 'missing', action: missing, time, channels: absent } as const;
    switch (missing) {
      case 'error':
        throw new StreamError(
          `the reading at ${time} is ${value[absent[0]!]} in channel ${absent[0]}; give another policy for missing`,
        );
      case 'hold':
        for (const c of absent) value[c] = this.#held[c]!;
        this.#note(note);
        return false;
      case 'skip':
        this.#drop(note);
        return true;
      case 'reset':
        this.#last = undefined;
        this.#held.fill(0);
        this.#drop(note);
        hand({ time, dt: 0, value, reset: true });
        return true;
    }
  }
}
