import type { AnyOp, FloatArray, SignalType } from '../signal/index.ts';

/** One op over a batch of whole sequences, each from a fresh state. */
export interface SequenceJob {
  readonly op: AnyOp;
  readonly attributes: unknown;
  readonly types: readonly SignalType[];
  readonly batch: number;
  /** Frames of each varying input. */
  readonly frames: number;
  /** A varying input is batch × frames × width, a constant is one frame. */
  readonly inputs: readonly FloatArray[];
}

/**
 * How a backend runs ops for training. Asynchronous, since a device may be far away; results are within 1e-5
 * of the reference (relative to the peak).
 */
export interface SequenceBackend {
  /** What really ran, such as `reference`, `wasm-simd` or `gpu.js webgpu`. */
  readonly name: string;
  supports(op: AnyOp, attributes: unknown, types: readonly SignalType[]): boolean;
  /** batch × output frames × output width. */
  forward(job: SequenceJob): Promise<FloatArray>;
  /** The gradient of every input, shaped as that input; a constant's is summed over batch and time. */
  adjoint(job: SequenceJob, dOutput: FloatArray): Promise<readonly FloatArray[]>;
}
