import { Timelines, type TimelineState } from '../../src/keyed/timelines.ts';
import type { TimelineNote, TimelineOptions } from '../../src/keyed/policies.ts';

export type { TimelineNote, TimelineOptions, TimelineState };

/** One reading and when it was taken. */
export interface Reading<T = number | ArrayLike<number>> {
  /** In the unit of `timeUnit`; seconds by default. Its origin does not matter. */
  readonly time: number;
  readonly value: T;
}

/** A reading that goes into the model. */
export interface Step {
  readonly time: number;
  /** Seconds since the one before. */
  readonly dt: number;
  /** Good until the next step. */
  readonly value: Float64Array;
  /** All state is forgotten instead: the reading itself is not to be used. */
  readonly reset: boolean;
}

/** The timeline of a single sensor: `Timelines` with one line. */
export class Timeline {
  readonly #lines: Timelines;
  #hand: (step: Step) => void = () => {};

  /** @throws ArgumentError for a unit or a time that is none. */
  constructor(channels: number, options: TimelineOptions, tell: (note: TimelineNote) => void) {
    const nothing = new Float64Array(channels);
    this.#lines = new Timelines(channels, options, {
      take: (_line, time, dt, value) => this.#hand({ time, dt, value, reset: false }),
      reset: () => this.#hand({ time: Number.NaN, dt: 0, value: nothing, reset: true }),
      tell: (_line, note) => tell(note),
    });
    this.#lines.reserve(1);
    this.#lines.clear(0);
  }

  /** As `Timelines.push`. */
  push({ time, value }: Reading, hand: (step: Step) => void): void {
    this.#hand = hand;
    this.#lines.push(0, time, value);
  }

  /** No more readings: those that wait are due. */
  end(hand: (step: Step) => void): void {
    this.#hand = hand;
    this.#lines.end(0);
  }

  save(): TimelineState {
    return this.#lines.save(0);
  }

  restore(state: TimelineState): void {
    this.#lines.restore(0, state);
  }
}
