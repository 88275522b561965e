import { settingsOf, type Changes, type Fade } from './changes.ts';
import { Lane } from './lane.ts';
import { endOf, restFrom, type Moves } from './moves.ts';
import type { NonFinitePolicy } from './non-finite.ts';
import type { Program, Settings } from './program.ts';
import type { Course } from './tuner.ts';

/**
 * A stream whose parameters were set after it was compiled: which values are in force or on their way, and the lanes
 * that run on them. Everything happens at absolute frame numbers, so that any chunking gives the same bits.
 */
export class Tuning {
  readonly base: Program;
  /** What runs; while it fades, the values that go. */
  main: Lane;
  changes: Changes;
  /** The values that come. */
  fading: Lane | undefined;
  /** From this frame on no control moves. */
  #rest: number;
  /** A lane that ran, whose memory the next crossfade takes. */
  #spare: Lane | undefined;

  constructor(base: Program, main: Lane, changes: Changes, fading?: Lane) {
    this.base = base;
    this.main = main;
    this.changes = changes;
    this.fading = fading;
    this.#rest = restFrom(changes.moves);
  }

  get lanes(): readonly Lane[] {
    return this.fading ? [this.main, this.fading] : [this.main];
  }

  /** Courses of all lanes for these moves; throws where a design refuses a value, and changes nothing. */
  plan(moves: Moves, controls: ReadonlySet<string>, time: number): Course[] {
    return this.lanes.map(({ tuner }) => tuner.plan(moves, controls, time));
  }

  begin(courses: readonly Course[], time: number): void {
    this.lanes.forEach(({ tuner }, i) => tuner.begin(courses[i]!, time));
  }

  /** Controls set out for other values at `time`, `courses` being the plans for that. */
  move(moves: Moves, courses: readonly Course[], time: number): void {
    this.changes = { ...this.changes, moves };
    this.#rest = restFrom(moves);
    this.begin(courses, time);
  }

  /** A lane for some values, going on from the state of another. */
  laneFor(values: Settings, from: Lane, time: number): Lane {
    const program = this.base.with(settingsOf(this.changes, values));
    const lane = new Lane(program, undefined, this.#reuse(program));
    lane.takeOver(from, time, false);
    const moving = movingAt(this.changes.moves, time);
    if (moving.size > 0) lane.tuner.begin(lane.tuner.plan(this.changes.moves, moving, time), time);
    return lane;
  }

  /** The values are in force from frame `time` on. */
  step(values: Settings, time: number): void {
    const all = new Map([
      ...(this.changes.fade?.values ?? []),
      ...(this.changes.next?.values ?? []),
      ...values,
    ]);
    const lane = this.laneFor(all, this.fading ?? this.main, time);
    this.changes = { values: new Map([...this.changes.values, ...all]), moves: this.changes.moves };
    this.main = lane;
    this.fading = undefined;
  }

  /** The values come over `frames` frames from frame `time` on, or once the crossfade that runs is over. */
  crossfade(values: Settings, frames: number, time: number): Fade {
    const { fade, next } = this.changes;
    if (fade) {
      const all = new Map([...(next?.values ?? []), ...values]);
      // Refuses now what could not be built then.
      this.base.with(settingsOf(this.changes, new Map([...fade.values, ...all])));
      this.changes = { ...this.changes, next: { frames, values: all } };
      return { start: this.#fadeOver(fade), frames, values: all };
    }
    const lane = this.laneFor(values, this.main, time);
    lane.outputs.makeRoom();
    const coming = { start: time, frames, values };
    this.fading = lane;
    this.changes = { ...this.changes, fade: coming };
    return coming;
  }

  /**
   * Gets ready for frame `time`: coefficients, and the end of a crossfade. Returns how many of `count` frames may be
   * taken together.
   */
  prepare(time: number, count: number): number {
    const { fade } = this.changes;
    let most = count;
    if (fade) {
      const over = this.#fadeOver(fade);
      if (time >= over) this.#endFade(time);
      else most = Math.min(most, over - time);
    }
    if (time < this.#rest) {
      this.main.tuner.tune(time + 1);
      this.fading?.tuner.tune(time + 1);
      most = 1;
    }
    return most;
  }

  /** The frames that the main lane has just been through, and what comes of both. */
  follow(first: number, count: number, policy: NonFinitePolicy, seen: number): void {
    this.fading!.follow(this.main, first, count, policy, seen);
    this.main.outputs.blend(this.fading!.outputs, this.changes.fade!);
  }

  /** After the input has ended: one more pass of the lane that comes. */
  flush(): void {
    this.fading!.executor.pass();
    this.fading!.outputs.drainToRoom();
    this.main.outputs.blend(this.fading!.outputs, this.changes.fade!);
  }

  /** The same for a second stream. */
  fork(time: number): Tuning {
    const copy = (lane: Lane): Lane => {
      const made = new Lane(lane.program, lane.executor);
      made.hold(lane.inputs.ports.map(({ held }) => held));
      return made;
    };
    const fading = this.fading && copy(this.fading);
    fading?.outputs.makeRoom();
    const made = new Tuning(this.base, copy(this.main), this.changes, fading);
    const { moves } = this.changes;
    if (moves.size > 0) made.begin(made.plan(moves, new Set(moves.keys()), time), time);
    return made;
  }

  /** Every frame of output that the crossfade is about has come out once so many frames have gone in. */
  #fadeOver({ start, frames }: Fade): number {
    return start + frames + this.main.program.latency;
  }

  #endFade(time: number): void {
    const { values, moves, fade, next } = this.changes;
    const lane = this.fading!;
    lane.inputs.share(this.main.inputs);
    lane.outputs.takeOver(this.main.outputs);
    this.#spare = this.main;
    this.main = lane;
    this.fading = undefined;
    this.changes = { values: new Map([...values, ...fade!.values]), moves };
    if (next) this.crossfade(next.values, next.frames, time);
  }

  /** Memory of a lane that has run, cleared, where it is large enough. */
  #reuse(program: Program): Lane['executor']['arena'] | undefined {
    const arena = this.#spare?.executor.arena;
    this.#spare = undefined;
    if (arena === undefined || arena.buffer.byteLength < program.bytes) return undefined;
    new Uint8Array(arena.buffer, 0, program.bytes).fill(0);
    return arena;
  }
}

/** Controls whose moves are not over at `time`. */
export const movingAt = (moves: Moves, time: number): Set<string> =>
  new Set([...moves].filter(([, move]) => endOf(move) > time).map(([name]) => name));
