/** What a running model tells those who watch it: numbers in shared memory, written by one thread. */
const NAMES = [
  /** Levels, full scale 1; see `LevelMeter`. */
  'peakIn',
  'rmsIn',
  'peakOut',
  'rmsOut',
  /** Samples of the output at or beyond full scale. */
  'clipped',
  /** Input frames that the model has taken. */
  'frames',
  /** Milliseconds that the model has worked on them, and on the worst block relative to its length. */
  'busy',
  'worstLoad',
  /** Samples of the input that were not finite, and were replaced. */
  'nonFinite',
  /** Frames of the input since the last one that was not exactly zero: no microphone is as quiet as that. */
  'zeros',
] as const;

export type GaugeValues = Record<(typeof NAMES)[number], number>;

export const gaugeMemory = (): SharedArrayBuffer => new SharedArrayBuffer(8 * NAMES.length);

/** A view of the gauges: plain properties over the shared numbers. */
export class Gauges {
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.#values = new Float64Array(memory);
  }

  set(name: keyof GaugeValues, value: number): void {
    this.#values[NAMES.indexOf(name)] = value;
  }

  all(): GaugeValues {
    return Object.fromEntries(NAMES.map((name, i) => [name, this.#values[i]!])) as GaugeValues;
  }
}
