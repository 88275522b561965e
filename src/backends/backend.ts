import type { AnyOp, FloatArray, Frame, Precision, SignalType, Timing, Window } from '../signal/index.ts';

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
  /** Of a backend whose arenas walk: bytes of the arena that the description of a walk takes. */
  walkBytes?(nodes: number, inputs: number): number;
  /** The same of a batch with so many kept nodes, inputs and outputs together. */
  batchBytes?(records: number): number;
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

/** A kernel and its memory, which comes in two parts: what never changes once it is packed, and what a stream remembers. */
export interface KernelPlan {
  /** Bytes of the arena for the kernel's descriptor, packed coefficients and scratch: nothing that a stream remembers. */
  readonly bytes: number;
  /**
   * Bytes in which the kernel remembers, where it has a state layout of its own instead of the canonical sections
   * (its kernel then has `save` and `load`); 0 by default.
   */
  readonly stateBytes?: number;
  /** Inputs whose memory the output may take: element k of the output is written after element k of them was read last. */
  readonly inPlace?: readonly number[];
  /**
   * Writes descriptor and coefficients; `at` is where the kernel's own bytes begin, at a multiple of 16. Once an arena:
   * one that is a copy of another, as a fork's is, holds them already.
   */
  pack?(arena: Arena, at: number, node: BoundNode): void;
  /** The kernel of one stream, over memory that is packed. Writes nothing. */
  bind(arena: Arena, at: number, node: BoundNode): Kernel;
}

/** A node of one stream. The executor moves `at` of the frames before each run. */
export interface BoundNode {
  /** Where the bytes begin in which the kernel remembers (`KernelPlan.stateBytes`), at a multiple of 16. */
  readonly stateAt: number;
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
  /** The same as data, for an arena whose plan runs in its memory (`Arena.walk`). */
  readonly call?: KernelCall | undefined;
  /** Takes over coefficients that `Op.retune` has written into `prepared`, allocating nothing; absent: it reads them there. */
  retune?(): void;
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

/** What happens at a run of a kernel, as addresses of its arena: some words are written, one function is called. */
export interface KernelCall {
  /** The function, by the backend's own number. */
  readonly kernel: number;
  /** Handed to the function. */
  readonly descriptor: number;
  /** 32-bit words that receive the address of an input's window at the first firing: at most one an input. */
  readonly inputs: readonly { readonly input: number; readonly field: number }[];
  /** The word that receives the address of the first output frame. */
  readonly output: number;
  /** The function's count is the firings times this; 1 by default. */
  readonly times?: number;
  /** The function's phase is the first firing's number modulo this, a power of two; 1 by default, and the phase 0. */
  readonly period?: number;
  /** A float64 that receives the first firing's number; none by default. */
  readonly first?: number;
}

export interface Arena {
  readonly buffer: ArrayBuffer;
  /**
   * The walk over all nodes inside the arena's memory, described at `at`; absent where JavaScript walks (`Executor`,
   * whose walk it equals, frame for frame).
   *
   * @param host runs a node that has no call, as often as told.
   */
  walk?(at: number, nodes: readonly WalkNode[], host: (node: number, firings: number) => void): Walk;
  /** Makes the memory larger, keeping what is in it; `buffer` is another one then. False where it can't. */
  grow?(bytes: number): boolean;
  /** Many streams that take turns in the walk, within one call; of arenas that walk. */
  batch?(layout: BatchLayout): Batch;
}

/** Where a batch of streams stands in an arena. */
export interface BatchLayout {
  /** `batchBytes` for its description. */
  readonly at: number;
  readonly walkAt: number;
  readonly passFrames: number;
  /** Numbers of the slots to be run, and what came out of each: 32 bits. */
  readonly ids: number;
  readonly written: number;
  readonly slots: number;
  readonly slotBytes: number;
  /** What a stream remembers while it runs; at a slot's start otherwise. */
  readonly memory: { readonly from: number; readonly to: number };
  /** Nodes of which frames are kept, and where in a slot. */
  readonly kept: readonly { readonly node: number; readonly offset: number }[];
  /** Inputs: where the batch's frames stand, stream after stream, and where in a slot the last values (float64) go. */
  readonly inputs: readonly { readonly node: number; readonly frames: number; readonly held: number }[];
  readonly outputs: readonly { readonly node: number; readonly frames: number }[];
  readonly holds: boolean;
}

export interface Batch {
  /** `frames` frames for each of the first `count` slots of `ids`. */
  run(count: number, frames: number): void;
  /** Bytes that the last run wrote to an output. */
  written(output: number): number;
}

/** One node of a walk, its inputs before it. Addresses are bytes from the arena's start. */
export interface WalkNode {
  /** Absent on inputs of the model. */
  readonly timing: Timing | undefined;
  /** Inputs that vary: which node, and as which input of the kernel. */
  readonly sources: readonly { readonly node: number; readonly input: number; readonly window: Window }[];
  readonly call: KernelCall | undefined;
  readonly buffer: number;
  /** Bytes of a frame. */
  readonly frame: number;
  /** Frames that fit, zeros behind the last one included. */
  readonly capacity: number;
  readonly right: number;
  /** Frames behind which what is kept goes back to the buffer's start although more would fit. */
  readonly soft: number;
  /** Nothing of it is kept from pass to pass. */
  readonly transient: boolean;
  /** Two float64: frames produced, firings. */
  readonly counts: number;
  /** Three float64: the frame at the buffer's start, frames drained, 1 where it has ended. */
  readonly marks: number;
}

export interface Walk {
  /** Fires every op as often as it can. Returns whether any fired. */
  pass(): boolean;
  /**
   * One pass where all frames that go in stand at the start of one node's buffer and as many come to the start of
   * another's, which counts them as produced and as drained; false, with nothing changed, where a number that goes in is
   * not finite. Undefined where a node keeps frames or has another rate. Of signals in float32.
   */
  straight(input: number, output: number): ((frames: number) => boolean) | undefined;
  /** Where the frames of every node stand from now on: a transient node that is elsewhere keeps what waits. */
  settle(places: readonly number[]): void;
}
