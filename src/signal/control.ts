/** What a layer says about a number that may be moved while a stream runs: a cutoff, a damping, a gain. */
export interface ControlSpec {
  /** Where it stands until somebody moves it: one number, or several that move together. */
  readonly value: number | readonly number[];
  /** The least and the greatest that it may be; a function of the sample rate (Hz) where that sets the limit. */
  readonly min?: number;
  readonly max?: number | ((sampleRate: number) => number);
  /** `Hz`, `dB`, …; empty for a ratio. */
  readonly unit?: string;
  /** How it moves from one value to another: by equal differences (default), or by equal ratios, as pitch does. */
  readonly scale?: 'linear' | 'logarithmic';
  /**
   * False where neighbouring values may give systems with nothing between them (sections paired otherwise): a move then
   * is a crossfade. True by default.
   */
  readonly continuous?: boolean;
}

/** A control of a traced model, by its name there. */
export interface Control extends ControlSpec {
  readonly name: string;
  /** `value` as numbers. */
  readonly initial: Float64Array;
}
