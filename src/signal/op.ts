import type { Shape } from './shape.ts';
import type { Rate } from './rate.ts';
import type { Timing } from './timing.ts';

/** Samples and state in either precision. */
export type FloatArray = Float32Array | Float64Array;

/** What is known of a signal before anything runs. A constant depends on parameters alone, not on time. */
export interface SignalType {
  readonly shape: Shape;
  readonly rate: Rate | 'constant';
}

export const isConstant = (type: SignalType): boolean => type.rate === 'constant';

/** A window onto frames in memory: element `at` is the first number of the oldest visible frame. */
export interface Frame {
  data: FloatArray;
  at: number;
}

/**
 * How a running model rounds.
 *
 * | precision | signals | state and coefficients of linear recurrences |
 * | --- | --- | --- |
 * | `auto` | float32 | float32, and float64 where float32 would misplace a slow mode (1 − abs(Ā) < 1e-3) |
 * | `float32` | float32 | float32 |
 * | `float64` | float64 | float64 |
 */
export type Precision = 'auto' | 'float32' | 'float64';

/** One named piece of an op's memory. */
export interface StateSection {
  readonly shape: Shape;
  /** `signal`: as the signals are stored; `float64`: always in float64. */
  readonly type: 'signal' | 'float64';
  /** The value of every element in a fresh stream; 0 unless said otherwise. */
  readonly initial?: number;
}

export type StateSections = Readonly<Record<string, StateSection>>;

/** What `prepare` turns into coefficients: the constant inputs' values in float64. */
export interface PrepareCall<Attributes> {
  readonly attributes: Attributes;
  readonly types: readonly SignalType[];
  /** Values of the constant inputs; undefined where the input varies. */
  readonly constants: readonly (Float64Array | undefined)[];
  readonly precision: Precision;
}

/** One frame of an op: read `inputs` and `state`, write `state` and `output`. */
export interface StepCall<Attributes, Prepared = unknown> {
  readonly attributes: Attributes;
  readonly types: readonly SignalType[];
  /** Every input's window, oldest frame first; a constant is one frame. */
  readonly inputs: readonly Frame[];
  /** `emit` frames to be written, all of them. */
  readonly output: Frame;
  readonly state: Readonly<Record<string, FloatArray>>;
  readonly prepared: Prepared;
  /** Firings since the stream began: exact up to 2^53. */
  firing: number;
}

/**
 * One sequence from its first frame to its last, for training.
 * Frame k starts at element `origin + k·width`; padding stands before `origin` and behind the last frame.
 */
export interface Sequence {
  readonly data: Float64Array;
  readonly origin: number;
  readonly width: number;
}

/** A whole sequence through one op, forward. */
export interface SequenceCall<Attributes, Prepared = unknown> {
  readonly attributes: Attributes;
  readonly types: readonly SignalType[];
  readonly inputs: readonly Sequence[];
  readonly output: Sequence;
  readonly prepared: Prepared;
  readonly firings: number;
  /** Frames of each input, without padding; 1 for a constant. */
  readonly frames: readonly number[];
}

/** The same backwards: `dInputs[i] += dOutput · ∂output/∂inputs[i]`; null where nobody asks. */
export interface AdjointCall<Attributes, Prepared = unknown> extends SequenceCall<Attributes, Prepared> {
  readonly dOutput: Sequence;
  readonly dInputs: readonly (Sequence | null)[];
}

/**
 * One primitive of the signal language. Everything a layer computes is made of these, and each is held to
 * one contract (`test/contract/op.ts`):
 *
 * - `step` is the definition: one frame, with state. `block(u) ++ end() ≡ concat(step(u_k)) ++ end()`, bit for bit.
 * - `adjoint` is its transposed derivative over a whole sequence from a fresh state, in float64.
 * - `long`, where there is one, is a faster form for whole sequences in training: within 1e-5 of `step`; false where it does not apply.
 */
export interface Op<Attributes = unknown, Prepared = unknown> {
  readonly name: string;
  /** The output's shape, or `reject` with what is wrong and what to do about it. */
  shape(attributes: Attributes, inputs: readonly SignalType[], reject: (message: string) => never): Shape;
  /** Absent: one frame in, one frame out, no look at the past or the future. */
  timing?(attributes: Attributes, inputs: readonly SignalType[]): Timing;
  /** True for an op that needs its whole input before its first output (a reversal of time): never streams. */
  readonly whole?: boolean;
  /** True for an op that does something in training alone and otherwise is its first input: `forStreaming` removes it. */
  readonly trainingOnly?: boolean;
  /** Absent: no memory. */
  state?(attributes: Attributes, inputs: readonly SignalType[]): StateSections;
  /**
   * Of an op that remembers: the inputs through which it learns how long a frame lasts, or `free` where that does
   * not matter to it. Absent: it counts frames, and is right at one sample rate alone.
   */
  time?(attributes: Attributes, inputs: readonly SignalType[]): readonly number[] | 'free';
  /** Coefficients from constant inputs, computed once in float64. */
  prepare?(call: PrepareCall<Attributes>): Prepared;
  /**
   * Writes coefficients for other values of the constant inputs into what `prepare` made, allocating nothing. Where it
   * exists they may move from frame to frame: the state means the same whatever they are, and `step` reads them from
   * `prepared` alone.
   */
  retune?(prepared: Prepared, call: PrepareCall<Attributes>): void;
  step(call: StepCall<Attributes, Prepared>): void;
  adjoint(call: AdjointCall<Attributes, Prepared>): void;
  long?(call: SequenceCall<Attributes, Prepared>): boolean;
  /** Attributes with functions in them, as plain data and back, for graphs that travel; absent: they are plain. */
  readonly plain?: { pack(attributes: Attributes): unknown; unpack(data: unknown): Attributes };
}

// A list of ops of different attributes needs one type; the graph pairs each op with its own attributes.
// eslint-disable-next-line typescript/no-explicit-any
export type AnyOp = Op<any, any>;

/** True where the op remembers anything between frames. */
export function hasMemory(op: AnyOp, attributes: unknown, inputs: readonly SignalType[]): boolean {
  const windows = op.timing?.(attributes, inputs).windows ?? [];
  return (
    op.whole === true ||
    Object.keys(op.state?.(attributes, inputs) ?? {}).length > 0 ||
    windows.some((window) => window.size > 1)
  );
}
