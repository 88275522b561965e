import type { FloatArray } from '../signal/index.ts';

/** The outputs and targets of one sequence, and where the loss leaves the gradient. */
export interface LossCall {
  /** Frames of the outputs that count. */
  readonly frames: number;
  /** frames × channels by output port; more frames than count may stand behind. */
  readonly outputs: Readonly<Record<string, FloatArray>>;
  /** One item's of `Batch.targets`. */
  readonly targets: Readonly<Record<string, FloatArray>>;
  /** ∂loss/∂output by port, zeroed, to be added to; absent where only the value is asked for. */
  readonly gradients?: Readonly<Record<string, Float64Array>>;
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
