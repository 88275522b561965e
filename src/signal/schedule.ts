import { leastCommonMultiple } from './rate.ts';
import { countFrames, oldestFor, type TimedNode } from './timing.ts';

/** A graph that emits nothing after so many frames never will: a window looks further ahead than anything streams. */
const MOST_FRAMES = 2 ** 24;

/**
 * What can be said of a graph's timing before anything runs.
 *
 * Once every node has emitted a frame, the pattern of firings repeats with every period of input frames: that much
 * is simulated once, and kept as a table of frames emitted, by input frames taken and node.
 */
export class Schedule {
  readonly #nodes: readonly TimedNode[];
  readonly #counts: Float64Array;
  /** Frames that each node has emitted after 0, 1, 2, … input frames, up to `settled + 2 · period`. */
  readonly #table: Float64Array[] = [];
  /** Input frames in one period of the pattern of firings. */
  readonly period: number;
  /** From this many input frames on, the pattern is periodic. */
  readonly settled: number;
  /** Indexed by node id: the most frames of this node that must be kept for its readers, at any time. */
  readonly retention: Float64Array;

  constructor(nodes: readonly TimedNode[]) {
    this.#nodes = nodes;
    this.#counts = new Float64Array(1 + Math.max(-1, ...nodes.map((node) => node.id)));
    this.period = nodes.reduce((period, node) => leastCommonMultiple(period, node.rate.denominator), 1);
    // Values that come once, at the end, never join the pattern.
    const running = nodes.filter(({ rate }) => rate.numerator > 0).map(({ id }) => id);
    let settled = 0;
    while (settled < MOST_FRAMES && running.some((id) => this.#simulate(settled)[id] === 0)) settled++;
    this.settled = settled;
    for (let frames = settled; frames <= settled + 2 * this.period; frames++) this.#simulate(frames);
    this.retention = this.#measureRetention();
  }

  /** Frames that node `id` has emitted after `frames` input frames; with `ended`, after the end. */
  emitted(id: number, frames: number, ended = false): number {
    if (ended) return this.counts(frames, true)[id]!;
    // Asked at every block: from the table, without a walk over the graph.
    const periods = this.#periodsBeyond(frames);
    return this.#table[frames - periods * this.period]![id]! + periods * this.#perPeriod(id);
  }

  /** As `emitted`, for every node at once; the array is reused by the next call. */
  counts(frames: number, ended = false): Float64Array {
    countFrames(this.#nodes, frames, ended, this.#counts);
    return this.#counts;
  }

  /**
   * The latency of node `id` in input frames: the maximum over its frames t of the latest input frame that
   * frame t needs, minus the input frame at which t begins.
   */
  latency(id: number): number {
    const { rate } = this.#nodes.find((node) => node.id === id)!;
    // One value a sequence comes at the end: it has no frame to be late for.
    if (rate.numerator === 0) return 0;
    let latency = 0;
    let seen = 0;
    for (let frames = 0; frames < this.#table.length; frames++) {
      for (; seen < this.#table[frames]![id]!; seen++) {
        const begins = Math.floor((seen * rate.denominator) / rate.numerator);
        latency = Math.max(latency, frames - 1 - begins);
      }
    }
    return latency;
  }

  /** By node id: the most frames that `frames` further input frames can bring out of it, whenever they come. */
  maxEmitted(frames: number): Float64Array {
    const most = new Float64Array(this.#counts.length);
    for (let start = 0; start <= this.settled + this.period; start++) {
      const before = this.#table[start]!;
      const periods = this.#periodsBeyond(start + frames);
      const after = this.#table[start + frames - periods * this.period]!;
      for (let id = 0; id < most.length; id++) {
        const end = after[id]! + periods * this.#perPeriod(id);
        if (end - before[id]! > most[id]!) most[id] = end - before[id]!;
      }
    }
    return most;
  }

  #simulate(frames: number): Float64Array {
    let row = this.#table[frames];
    if (row === undefined) {
      row = new Float64Array(this.#counts.length);
      countFrames(this.#nodes, frames, false, row);
      this.#table[frames] = row;
    }
    return row;
  }

  /** The whole periods that lie between a row of the table and `frames`. */
  #periodsBeyond(frames: number): number {
    return Math.max(0, Math.ceil((frames - this.#table.length + 1) / this.period));
  }

  #perPeriod(id: number): number {
    return this.#table[this.settled + this.period]![id]! - this.#table[this.settled]![id]!;
  }

  #measureRetention(): Float64Array {
    const retention = new Float64Array(this.#counts.length);
    for (const counts of this.#table) {
      for (const { id, inputs, timing } of this.#nodes) {
        if (timing === undefined) continue;
        const firings = counts[id]! / timing.emit;
        for (let i = 0; i < inputs.length; i++) {
          const input = inputs[i]!;
          if (input < 0) continue;
          const kept = counts[input]! - oldestFor(timing, i, firings, counts[input]!);
          if (kept > retention[input]!) retention[input] = kept;
        }
      }
    }
    return retention;
  }
}
