import type { FloatArray } from '../signal/index.ts';

/** One output of the model over one sequence, and where a loss leaves its gradient. */
export interface LossOutput {
  /** Frames that count; more may stand behind them. 1 where the model answers once, at the end. */
  readonly frames: number;
  /** Numbers in a frame. */
  readonly channels: number;
  /** frames × channels */
  readonly data: FloatArray;
  /** ∂loss/∂data, zeroed by the caller, to be added to; absent where only the value is asked for. */
  readonly gradient?: Float64Array | undefined;
}

/** The outputs and targets of one sequence. */
export interface LossCall {
  /** By output port. */
  readonly outputs: Readonly<Record<string, LossOutput>>;
  /** One item's of `Batch.targets`. */
  readonly targets: Readonly<Record<string, FloatArray>>;
}

/**
 * What training makes small. Evaluated one sequence at a time in float64, and averaged over a batch.
 * A loss that a device has kernels for names them by `kind`; others bring the outputs to the host.
 */
export interface Loss {
  /** As a configuration file names it: `mse`, `cross-entropy` … */
  readonly kind: string;
  /** The options that were given, for configuration files and for a device's kernels. */
  readonly options: Readonly<Record<string, unknown>>;
  /**
   * Names of the targets that a batch must bring: `output` (frames × channels) for losses between signals, `labels` (one
   * number, one a frame, or as many as are spoken) for those that classify, unless told otherwise.
   */
  readonly targets: readonly string[];
  evaluate(call: LossCall): number;
}
