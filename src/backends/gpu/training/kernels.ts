import type { AnyOp, SignalType } from '../../../signal/index.ts';
import type { Plan } from './plan.ts';
import type { Dims, Tensor } from './tensor.ts';

/** The frames of a signal: how many the batch's longest item has, and where the items' own counts stand. */
export interface Clock {
  readonly frames: number;
  /** Row of `lengths`: (rows × items), flat. */
  readonly row: number;
}

/** A node of the graph while its kernels are being written down. */
export interface ForwardCall<Attributes = unknown, Prepared = unknown> {
  readonly plan: Plan;
  /** The node's path. */
  readonly label: string;
  readonly op: AnyOp;
  readonly attributes: Attributes;
  readonly types: readonly SignalType[];
  /** What `op.prepare` says where it needs no values, such as a gather's indices. */
  readonly prepared: Prepared;
  readonly inputs: readonly Tensor[];
  /** Of the output. */
  readonly dims: Dims;
  /** Undefined for constants. */
  readonly clocks: readonly (Clock | undefined)[];
  readonly clock: Clock | undefined;
  readonly items: number;
  readonly lengths: Tensor;
}

export interface BackwardCall<Attributes = unknown, Prepared = unknown> extends ForwardCall<
  Attributes,
  Prepared
> {
  readonly output: Tensor;
  readonly dOutput: Tensor;
  /** What `forward` left for the way back. */
  readonly saved: ReadonlyMap<string, Tensor>;
  /** Whether anybody asks for the gradient of input i. */
  wanted(i: number): boolean;
  /**
   * Adds to the gradient of input i. A signal's gradient of a constant input is summed over time and batch by the
   * book. `start`: the tensor is of the elements from there on alone.
   */
  give(i: number, gradient: Tensor, start?: number): void;
}

/** An op on the device. */
export interface OpKernels {
  /** Whether it reads each element of its inputs about once, so that they may be formulas. */
  readonly lazy?: boolean;
  /** Which of the op's forms have kernels; absent: all of them. Returns what is missing, for the message. */
  lacks?(attributes: never, types: readonly SignalType[]): string | undefined;
  forward(call: ForwardCall<never, never>, save: (name: string, tensor: Tensor) => void): Tensor;
  adjoint(call: BackwardCall<never, never>): void;
}

/** Text of the item's own number of frames. */
export const lengthText = (name: string, clock: Clock, items: number, item: string): string =>
  `${name}[${clock.row * items} + ${item}]`;
