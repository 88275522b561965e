/** One step of the optimiser. */
export interface StepRecord {
  /** From 0, over the whole run. */
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  /** Mean over the batch. */
  readonly loss: number;
  /** Euclidean norm over all parameters, before clipping. */
  readonly gradientNorm: number;
  /** The schedule's factor of every learning rate. */
  readonly rate: number;
}

/** One pass over the data. */
export interface EpochRecord {
  readonly epoch: number;
  /** Steps taken so far, all in all. */
  readonly steps: number;
  /** Mean over the epoch's sequences, each with the weights of its step and with dropout. */
  readonly loss: number;
  readonly gradientNorm: number;
  readonly rate: number;
  /** Of the validation, where there is one: mean over its sequences. */
  readonly validation?: number | undefined;
  readonly metrics?: Readonly<Record<string, number>> | undefined;
}
