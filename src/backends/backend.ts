import type { AnyOp, FloatArray, Frame, Precision, SignalType } from '../signal/index.ts';

/**
 * How a backend runs a stream. Signals and state of one stream live in one block of memory, the arena;
 * every kernel reads and writes there, so that kernels of different backends stand in one plan:
 * an op that a backend has no kernel for runs on the reference's.
 */
export interface StreamBackend {
  readonly name: string;
  /** A kernel for this op, or undefined where the backend has none for it. Called once a model. */
  plan(request: KernelRequest): KernelPlan | undefined;
  /** The memory of one stream, zeroed. */
  open(bytes: number): Arena;
}

/** What is known of a node when a model is compiled. */
export interface KernelRequest {
  readonly op: AnyOp;
  readonly attributes: unknown;
  readonly types: readonly SignalType[];
  /** What `op.prepare` made of the constant inputs, in float64. */
  readonly prepared: unknown;
  /** Values of the constant inputs in float64; undefined where an input varies. */
  readonly constants: readonly (Float64Array | undefined)[];
  readonly precision: Precision;
}

export interface KernelPlan {
  /** Bytes of the arena that the kernel wants for itself (packed coefficients, state in its own layout). */
  readonly bytes: number;
  /** The kernel of one stream; `at` is where its own bytes begin, at a multiple of 16. */
  bind(arena: Arena, at: number, node: BoundNode): Kernel;
}

/** A node of one stream. The executor moves `at` of the frames before each run. */
export interface BoundNode {
  readonly inputs: readonly Frame[];
  readonly output: Frame;
  /** The canonical state sections, by name. */
  readonly state: Readonly<Record<string, FloatArray>>;
}

export interface Kernel {
  /**
   * `firings` firings, the first of which is number `first` of the stream. Windows of varying inputs begin
   * at `inputs[i].at` and move by the op's stride from firing to firing; outputs follow each other from `output.at` on.
   */
  run(firings: number, first: number): void;
  /** For a kernel with a state layout of its own: writes it to the canonical sections. */
  save?(): void;
  /** The reverse, after the canonical sections were restored or reset. */
  load?(): void;
  /**
   * The kernel's own layout as bytes of the arena, where turning it into the canonical one and back would
   * round: a snapshot holds both, and the same backend restores from this one, bit for bit.
   */
  readonly raw?: Uint8Array;
}

export interface Arena {
  readonly buffer: ArrayBuffer;
}
