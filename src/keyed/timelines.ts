import { StreamError } from '../errors.ts';
import { timelineOptions, type TimelineNote, type TimelineOptions } from './policies.ts';

/** All that one line remembers, as plain data. */
export interface TimelineState {
  /** Of the last reading that was taken; null before the first. */
  readonly last: number | null;
  /** Last finite value of each channel. */
  readonly held: readonly number[];
  readonly dropped: number;
  /** Readings that wait to be put in order. */
  readonly waiting: readonly { readonly time: number; readonly value: readonly number[] }[];
}

/** A reading that waits for its turn, and whatever its owner wants to know it by. */
interface Waiting<Tag> {
  readonly time: number;
  readonly value: Float64Array;
  /** Not saved. */
  readonly tag: Tag | undefined;
}

/** What is done with the steps that readings make. */
export interface Steps<Tag> {
  /**
   * A reading goes into the model. `value` is good until this returns; `dt` are the seconds since the one before, 0 where
   * readings have no time.
   */
  take(line: number, time: number, dt: number, value: Float64Array, tag: Tag | undefined): void;
  /** All state is forgotten. */
  reset(line: number): void;
  /** Something was mended or left out. */
  tell(line: number, note: TimelineNote): void;
}

/**
 * Makes steps of time out of readings that come when they like, for many sensors, each on a line of its own: in order,
 * each once, finite. A gap is one step, however long. What is left out is counted and told.
 */
export class Timelines<Tag = never> {
  readonly #options: Required<TimelineOptions>;
  readonly #channels: number;
  readonly #steps: Steps<Tag>;
  readonly #largest: number;
  /** By line: time of the last reading that was taken, NaN before the first; readings left out. */
  #last = new Float64Array(0);
  #dropped = new Float64Array(0);
  /** Lines × channels: last finite values. */
  #held = new Float64Array(0);
  /** Only of lines that have any. */
  readonly #waiting = new Map<number, Waiting<Tag>[]>();
  readonly #value: Float64Array;

  /**
   * @param largest magnitude that is a number where it goes: what is beyond counts as missing, as infinities do.
   * @throws ArgumentError for a unit, a time or a policy that is none.
   */
  constructor(
    channels: number,
    options: TimelineOptions,
    steps: Steps<Tag>,
    largest: number = Number.MAX_VALUE,
  ) {
    this.#options = timelineOptions(options);
    this.#largest = largest;
    this.#channels = channels;
    this.#steps = steps;
    this.#value = new Float64Array(channels);
  }

  /** Room for so many lines, what is on them kept. */
  reserve(lines: number): void {
    if (lines <= this.#last.length) return;
    const room = Math.max(lines, 2 * this.#last.length);
    const grown = (old: Float64Array, size: number): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(size);
      larger.set(old);
      return larger;
    };
    this.#last = grown(this.#last, room);
    this.#dropped = grown(this.#dropped, room);
    this.#held = grown(this.#held, room * this.#channels);
  }

  /** A line on which nothing has come yet. */
  clear(line: number): void {
    this.#last[line] = Number.NaN;
    this.#dropped[line] = 0;
    const at = line * this.#channels;
    for (let c = 0; c < this.#channels; c++) this.#held[at + c] = 0;
    this.#waiting.delete(line);
  }

  /**
   * Takes a reading, and hands on the steps that are due. Without a time it is due at once.
   *
   * @throws StreamError where a policy says `error`, or a reading has another number of channels; nothing has been taken
   *   then.
   */
  push(line: number, time: number | undefined, reading: number | ArrayLike<number>, tag?: Tag): void {
    const value = this.#value;
    if (typeof reading === 'number') {
      if (this.#channels !== 1) throw this.#wrongWidth(time, 1);
      value[0] = reading;
    } else {
      if (reading.length !== this.#channels) throw this.#wrongWidth(time, reading.length);
      for (let c = 0; c < this.#channels; c++) value[c] = reading[c]!;
    }
    if (time === undefined) {
      if (this.#mend(line, Number.NaN)) this.#hand(line, Number.NaN, 0, tag);
      return;
    }
    if (!Number.isFinite(time)) {
      if (this.#options.late === 'error')
        throw new StreamError(
          `a reading has the time ${time}; give a finite one, or another policy for late`,
        );
      this.#drop(line, { kind: 'no-time', action: 'drop', time });
      return;
    }
    if (this.#options.reorder > 0) this.#queue(line, { time, value: value.slice(), tag });
    else this.#take(line, time, tag);
  }

  /** No more readings on this line: those that wait are due. */
  end(line: number): void {
    const waiting = this.#waiting.get(line);
    this.#waiting.delete(line);
    for (const reading of waiting ?? []) this.#takeWaiting(line, reading);
  }

  save(line: number): TimelineState {
    const last = this.#last[line]!;
    const at = line * this.#channels;
    return {
      last: Number.isNaN(last) ? null : last,
      held: [...this.#held.subarray(at, at + this.#channels)],
      dropped: this.#dropped[line]!,
      waiting: (this.#waiting.get(line) ?? []).map(({ time, value }) => ({ time, value: [...value] })),
    };
  }

  /** @throws StreamError for a state of another number of channels; the line is as before then. */
  restore(line: number, { last, held, dropped, waiting }: TimelineState): void {
    if (held.length !== this.#channels) {
      throw new StreamError(
        `the saved timeline has ${held.length} channels, this stream takes ${this.#channels}; restore it where it is from`,
      );
    }
    this.#last[line] = last ?? Number.NaN;
    this.#held.set(held, line * this.#channels);
    this.#dropped[line] = dropped;
    this.#waiting.delete(line);
    if (waiting.length > 0) {
      this.#waiting.set(
        line,
        waiting.map(({ time, value }) => ({ time, value: Float64Array.from(value), tag: undefined })),
      );
    }
  }

  #wrongWidth(time: number | undefined, width: number): StreamError {
    const when = time === undefined ? '' : ` at ${time}`;
    return new StreamError(`a reading${when} has ${width} channels, this stream takes ${this.#channels}`);
  }

  /** Into the order of time, behind those of the same; then whatever the newest time makes due. */
  #queue(line: number, reading: Waiting<Tag>): void {
    let waiting = this.#waiting.get(line);
    if (!waiting) this.#waiting.set(line, (waiting = []));
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]!.time > reading.time) at--;
    waiting.splice(at, 0, reading);
    // The newest time that was seen is the last one's that waits: none of a reorder above 0 leaves before its time.
    const due = waiting.at(-1)!.time - this.#options.reorder / this.#options.timeUnit;
    while (waiting.length > 0 && waiting[0]!.time <= due) this.#takeWaiting(line, waiting.shift()!);
  }

  #takeWaiting(line: number, { time, value, tag }: Waiting<Tag>): void {
    this.#value.set(value);
    this.#take(line, time, tag);
  }

  #take(line: number, time: number, tag: Tag | undefined): void {
    const { timeUnit, duplicates, late, first } = this.#options;
    const last = this.#last[line]!;
    let dt = Number.isNaN(last) ? first : (time - last) * timeUnit;
    let clock = time;
    const isDuplicate = time === last;
    if (isDuplicate) {
      if (duplicates === 'error')
        throw new StreamError(
          `two readings at ${time}; give another policy for duplicates, or mend the source`,
        );
      if (duplicates === 'drop') {
        this.#drop(line, { kind: 'duplicate', action: 'drop', time });
        return;
      }
    } else if (dt < 0) {
      if (late === 'error')
        throw new StreamError(
          `a reading at ${time} comes behind one at ${last}; give another policy for late, or a reorder time`,
        );
      const note = { kind: 'late', action: late, time, behind: -dt } as const;
      if (late === 'drop') {
        this.#drop(line, note);
        return;
      }
      this.#note(line, note);
      dt = 0;
      if (late === 'now') clock = last;
    }
    if (!this.#mend(line, time)) return;
    if (isDuplicate) this.#note(line, { kind: 'duplicate', action: 'keep', time });
    this.#last[line] = clock;
    this.#hand(line, time, dt, tag);
  }

  #hand(line: number, time: number, dt: number, tag: Tag | undefined): void {
    const at = line * this.#channels;
    for (let c = 0; c < this.#channels; c++) this.#held[at + c] = this.#value[c]!;
    this.#steps.take(line, time, dt, this.#value, tag);
  }

  /** Mends the reading in place where that is the policy; false where it is not to be used. */
  #mend(line: number, time: number): boolean {
    const value = this.#value;
    let isWhole = true;
    for (let c = 0; c < this.#channels; c++) isWhole &&= Math.abs(value[c]!) <= this.#largest;
    if (isWhole) return true;
    const { missing } = this.#options;
    const channels = [...value.keys()].filter((c) => !(Math.abs(value[c]!) <= this.#largest));
    const note = { kind: 'missing', action: missing, time, channels } as const;
    switch (missing) {
      case 'error': {
        const when = Number.isNaN(time) ? 'a reading' : `the reading at ${time}`;
        throw new StreamError(
          `${when} is ${value[channels[0]!]} in channel ${channels[0]}; give another policy for missing`,
        );
      }
      case 'hold':
        for (const c of channels) value[c] = this.#held[line * this.#channels + c]!;
        this.#note(line, note);
        return true;
      case 'skip':
        this.#drop(line, note);
        return false;
      case 'reset':
        this.#last[line] = Number.NaN;
        this.#held.fill(0, line * this.#channels, (line + 1) * this.#channels);
        this.#drop(line, note);
        this.#steps.reset(line);
        return false;
    }
  }

  #drop(line: number, note: Omit<TimelineNote, 'dropped'>): void {
    this.#dropped[line]!++;
    this.#note(line, note);
  }

  #note(line: number, note: Omit<TimelineNote, 'dropped'>): void {
    this.#steps.tell(line, { ...note, dropped: this.#dropped[line]! });
  }
}
