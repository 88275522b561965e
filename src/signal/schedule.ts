import { leastCommonMultiple } from './rate.ts';
import { countFrames, oldestFor, type TimedNode } from './timing.ts';

/**
 * What can be said of a graph's timing before anything runs.
 *
 * | symbol | name | meaning |
 * | --- | --- | --- |
 * | Q | period | input frames after which the pattern of firings repeats |
 * | N | settled | input frames after which it does |
 */
export class Schedule {
  readonly #nodes: readonly TimedNode[];
  readonly #counts: Float64Array;
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
    this.settled = nodes.reduce((sum, { inputs, timing, rate }) => {
      if (timing === undefined || rate.numerator === 0) return sum;
      const lookahead = timing.windows.map((window, i) =>
        inputs[i]! < 0 ? 0 : Math.max(0, window.size - window.left) + timing.stride,
      );
      const perInput = (rate.denominator * timing.emit) / (rate.numerator * timing.stride);
      return sum + Math.ceil(Math.max(0, ...lookahead) * perInput);
    }, this.period);
    this.retention = this.#measureRetention();
  }

  /** Frames that node `id` has emitted after `frames` input frames; with `ended`, after the end. */
  emitted(id: number, frames: number, ended = false): number {
    countFrames(this.#nodes, frames, ended, this.#counts);
    return this.#counts[id]!;
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
    for (let frames = 0; frames <= this.settled + 2 * this.period; frames++) {
      const now = this.emitted(id, frames);
      for (; seen < now; seen++) {
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
      const before = Float64Array.from(this.counts(start));
      const after = this.counts(start + frames);
      for (let id = 0; id < most.length; id++) most[id] = Math.max(most[id]!, after[id]! - before[id]!);
    }
    return most;
  }

  #measureRetention(): Float64Array {
    const retention = new Float64Array(this.#counts.length);
    for (let frames = 0; frames <= this.settled + 2 * this.period; frames++) {
      const counts = this.counts(frames);
      for (const { id, inputs, timing } of this.#nodes) {
        if (timing === undefined) continue;
        const firings = counts[id]! / timing.emit;
        inputs.forEach((input, i) => {
          if (input < 0) return;
          const oldest = oldestFor(timing, i, firings, counts[input]!);
          retention[input] = Math.max(retention[input]!, counts[input]! - oldest);
        });
      }
    }
    return retention;
  }
}
