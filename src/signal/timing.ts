import type { Rate } from './rate.ts';

/**
 * How an op looks at one of its inputs. At firing j it sees the frames
 * `j·stride − left … j·stride − left + size − 1`; frames before the first and, once the input has ended,
 * `right` frames behind the last are zero: the op's own padding, never passed on as signal.
 */
export interface Window {
  /** Frames visible at a firing. */
  readonly size: number;
  /** Zero frames before the first frame. */
  readonly left: number;
  /** Zero frames behind the last frame. */
  readonly right: number;
}

/**
 * When an op fires. One firing reads a window of each input and writes `emit` frames.
 * An op that looks ahead (size > left + 1) fires later: it withholds its output, it never makes frames up.
 */
export interface Timing {
  /** One for each input; those of constant inputs are ignored. */
  readonly windows: readonly Window[];
  /** Frames by which the windows move from one firing to the next. */
  readonly stride: number;
  /** Frames written at each firing. */
  readonly emit: number;
  /**
   * Frames that the very last firings, those over the zeros behind the end, write too many: they are dropped.
   * At most what those firings write.
   */
  readonly surplus?: number;
  /** Fires once, when its inputs have ended, on the last `size` frames of each: one value a sequence. */
  readonly atEnd?: boolean;
}

/** The window of an op without memory. */
export const present: Window = { size: 1, left: 0, right: 0 };

/** Firings possible with `available` frames of an input, counted from the stream's start. */
export const firingsFor = (window: Window, stride: number, available: number): number =>
  Math.max(0, Math.floor((available + window.left - window.size) / stride) + 1);

/** Firings possible over `available` frames, `ended` saying whether more will come. */
export function firingsOf(timing: Timing, input: number, available: number, ended: boolean): number {
  const window = timing.windows[input]!;
  if (timing.atEnd === true) return ended && available >= window.size ? 1 : 0;
  // Nothing came: there is no end to pad.
  if (available === 0 && ended) return 0;
  return firingsFor(window, timing.stride, available + (ended ? window.right : 0));
}

/** The oldest of `produced` frames that a reader will look at again, after `fired` firings. */
export const oldestFor = (timing: Timing, input: number, fired: number, produced: number): number =>
  timing.atEnd === true
    ? Math.max(0, produced - timing.windows[input]!.size)
    : fired * timing.stride - timing.windows[input]!.left;

/** What the schedule needs to know of a node. */
export interface TimedNode {
  readonly id: number;
  /** Ids of the inputs, in the order of `timing.windows`; -1 for a constant input. */
  readonly inputs: readonly number[];
  /** Absent on the model's input ports, which emit a frame for every frame that arrives. */
  readonly timing?: Timing;
  readonly rate: Rate;
}

/**
 * Frames that each node has emitted once the model has taken `frames` frames; with `ended`, once it has
 * also been told that no more come. Nodes must be in topological order; `counts` is indexed by node id.
 */
export function countFrames(
  nodes: readonly TimedNode[],
  frames: number,
  ended: boolean,
  counts: Float64Array,
): void {
  for (const { id, inputs, timing } of nodes) {
    if (timing === undefined) {
      counts[id] = frames;
      continue;
    }
    let firings = Infinity;
    for (let i = 0; i < inputs.length; i++) {
      if (inputs[i]! < 0) continue;
      firings = Math.min(firings, firingsOf(timing, i, counts[inputs[i]!]!, ended));
    }
    counts[id] = Math.max(0, firings * timing.emit - (ended ? (timing.surplus ?? 0) : 0));
  }
}
