import type { AnyOp, FloatArray, SignalType, Timing } from '../../../signal/index.ts';
import type { TrainingMemory } from './module.ts';

/** What is known of an op's node when a program is made. */
export interface TrainRequest {
  readonly op: AnyOp;
  readonly attributes: unknown;
  readonly types: readonly SignalType[];
  readonly output: SignalType;
  readonly timing: Timing;
}

/**
 * How one op is trained: forward over a sequence and back, on signals that stand in one memory in float32.
 * Constants come as float64 and as float32, their gradients are sums in float64.
 */
export interface TrainPlan {
  /** Frame by frame: it may run on any stretch of a sequence. */
  readonly local: boolean;
  /** The inputs whose values the way back reads, and whether it reads the output. */
  readonly reads: { readonly inputs: readonly number[]; readonly output: boolean };
  /** Dearer to compute again than to keep. */
  readonly costly: boolean;
  /** Bytes for the whole session: descriptors, packed weights. */
  readonly fixed: number;
  /** Bytes while a sequence of so many firings runs, one way. */
  scratch?(firings: number): number;
  /** Bytes that the way back finds as the way forward left them. */
  kept?(firings: number): number;
  /** True for an op that can go on where a sequence ended: one that remembers nothing, or has a `state`. */
  readonly carries: boolean;
  /** False for a kernel that runs the reference's float64 code. */
  readonly native: boolean;
  bind(memory: TrainingMemory, fixedAt: number): TrainKernel;
}

export interface TrainKernel {
  /** New values of the constants; called before the first sequence of every batch. `wanted`: see `BackCall`. */
  load?(constants: readonly (Float64Array | undefined)[], places: readonly number[]): void;
  forward(call: ForwardCall): void;
  /** Adds to the gradients of the inputs. */
  back(call: BackCall): void;
  /** Of an op that remembers, and can go on where a sequence ended. */
  readonly state?: CarriedState;
  /** After the last sequence of a batch: adds what was gathered to the gradients of constants, float64 by input. */
  finish?(give: (input: number) => Float64Array | undefined): void;
}

/** What an op remembers from one stretch of a recording to the next, when gradients end at the border. */
export interface CarriedState {
  /** What the next sequence begins from; undefined for a fresh start. */
  begin(from: FloatArray | undefined): void;
  /** What stands behind the sequence that went forward last. */
  end(): FloatArray;
}

/** A sequence, or of a local op a stretch of it. All places are addresses in bytes. */
export interface ForwardCall {
  /** The first firing and how many. */
  first: number;
  firings: number;
  /** Frames of each input, without padding; 1 for a constant. */
  frames: readonly number[];
  /** Of a varying input frame 0 (of a local op: frame `first`), with the zeros of its windows around it. */
  inputs: number[];
  output: number;
  scratch: number;
  kept: number;
}

export interface BackCall extends ForwardCall {
  dOutput: number;
  /** Varying: as `inputs`. Constant: the first of its sums in float64. 0 where nobody asks. */
  dInputs: number[];
}
