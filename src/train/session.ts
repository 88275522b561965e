import type { FloatArray, Graph } from '../signal/index.ts';
import type { Loss } from './loss.ts';
import type { Optimizer } from './optimizer.ts';

/**
 * What `fit` asks of a backend. A session holds one model in training: its weights, the optimiser's moments and, on
 * a device, every activation. Only batches go in, only losses come out; weights come out when somebody asks.
 *
 * | symbol | meaning |
 * | --- | --- |
 * | items | sequences of a batch |
 * | frames | frames of the longest, to which all are padded behind their end |
 */
export interface TrainingBackend {
  /** What runs, such as `wasm-relaxed-simd, 2 workers` or `gpu.js webgpu`. */
  readonly name: string;
  /** @throws BackendError naming the op, where the model has one that this backend can't train. */
  open(job: TrainingJob): Promise<TrainingSession>;
}

export interface TrainingJob {
  /** The graph after `forTraining`. */
  readonly graph: Graph;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Initial weights by name. */
  readonly parameters: ReadonlyMap<string, FloatArray>;
  /** Hz; by default the rate that the model was made for. */
  readonly sampleRate?: number | undefined;
}

/** Sequences that are computed together. */
export interface Batch {
  readonly items: number;
  readonly frames: number;
  /** Frames of each item that count; what stands behind them enters neither loss nor gradient. */
  readonly lengths: readonly number[];
  /**
   * items × frames × channels by input port. Ports `dropout:…` that `forTraining` added stand at the rate of the signal
   * that they multiply: their frames are length / items / channels, at least as many as are read, or one that holds for
   * all. `fit` fills them, so that no backend needs to know what dropout is.
   */
  readonly inputs: Readonly<Record<string, Float32Array>>;
  /** What the loss compares with, by the name that it asks for; items × whatever one item's has. */
  readonly targets: Readonly<Record<string, FloatArray>>;
  /**
   * Truncated back-propagation: item i goes on where item i of the batch before ended; gradients end at the border.
   * False or absent: from a fresh state.
   */
  readonly carried?: boolean;
}

export interface StepReport {
  /** Mean over the items; not finite where the step went wrong and was not taken. */
  readonly loss: number;
  /** Euclidean norm of the gradient over all parameters, before clipping. */
  readonly gradientNorm: number;
}

export interface TrainingSession {
  readonly name: string;
  /**
   * Forward, loss, adjoints and one step of the optimiser. `step` counts from 0 and is Adam's bias correction, so that
   * a run that is resumed goes on as an unbroken one. `rate` scales every learning rate. Where the loss or the norm of
   * the gradient is not finite, weights and moments stay as they were: the report says so, and nothing is lost.
   */
  step(batch: Batch, at: { readonly step: number; readonly rate: number }): Promise<StepReport>;
  /** Forward and loss alone. Leaves what a carried batch goes on from as it was. */
  evaluate(batch: Batch): Promise<Evaluation>;
  /** The gradients of a batch, without a step: for tests and for whoever brings an optimiser of his own. */
  gradients(batch: Batch): Promise<BatchGradients>;
  /** Weights by name, and the optimiser's memory by name: all that a checkpoint needs. */
  save(): Promise<SessionState>;
  restore(state: SessionState): Promise<void>;
  close(): Promise<void>;
}

export interface Evaluation {
  readonly loss: number;
  /** items × output frames × channels by output port; frames that don't count are 0. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
}

export interface BatchGradients {
  readonly loss: number;
  /** ∂(mean loss)/∂parameter by name. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
}

export interface SessionState {
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** For AdamW: `<parameter>.m` and `<parameter>.v`. */
  readonly moments: ReadonlyMap<string, Float32Array>;
  /**
   * Where the last batch may be carried on: what the session remembers of its end, by names of its own. Absent where
   * nothing is remembered; `restore` without it begins afresh.
   */
  readonly carried?: ReadonlyMap<string, FloatArray>;
}
