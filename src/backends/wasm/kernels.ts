import type { Arena, Batch, BatchLayout, Walk, WalkNode } from '../backend.ts';

/** The kernels over one memory; see `assembly/`. Addresses are those of descriptors, laid out as `layout.ts` says. */
export interface WasmKernels {
  /** `frames` frames, the first of them `phase` frames behind a multiple of the tile. */
  contract(descriptor: number, frames: number, phase: number): void;
  forward(descriptor: number, frames: number, phase: number): void;
  adjoint(descriptor: number, frames: number): void;
  /** `frames` frames, the first of them `phase` frames behind a multiple of `MATRIX_FLUSH`. */
  matrixScan(descriptor: number, frames: number, phase: number): void;
  linear(descriptor: number, firings: number): void;
  linearByRows(descriptor: number, firings: number): void;
  depthwise(descriptor: number, firings: number): void;
  normalise(descriptor: number, frames: number): void;
  move(descriptor: number, firings: number): void;
  /** Addresses, and `count` numbers; see `pointwise.ts` there. */
  unary(code: number, from: number, to: number, count: number): void;
  binary(code: number, a: number, b: number, to: number, count: number): void;
  binaryConstant(code: number, a: number, b: number, period: number, to: number, count: number): void;
  binaryRows(code: number, descriptor: number, frames: number): void;
  /** The kernel of a number (`KERNEL_…`). */
  runKernel(kernel: number, descriptor: number, count: number, phase: number): void;
  /** One pass over a plan; 1 where any node fired. See `walk.ts` there. */
  pass(plan: number): number;
  /** A pass with `frames` frames at the start of an input's buffer; 0 where one is not finite. See `walk.ts` there. */
  straight(plan: number, input: number, output: number, frames: number): number;
  /** `frames` frames for each of `count` streams. See `bank.ts` there. */
  bank(descriptor: number, count: number, frames: number): void;
}

/** A memory with the kernels that run on it. */
export interface WasmArena extends Arena {
  readonly kernels: WasmKernels;
  walk(at: number, nodes: readonly WalkNode[], host: (node: number, firings: number) => void): Walk;
  grow(bytes: number): boolean;
  batch(layout: BatchLayout): Batch;
}
