/** One kernel: `length` threads, each giving one element of `output` from flat arrays. */
export interface Step {
  readonly output: string;
  readonly inputs: readonly string[];
  readonly length: number;
  readonly source: string;
}

/** Kernels in order; what is not a result never leaves the device. */
export interface Program {
  readonly inputs: readonly { readonly name: string; readonly length: number }[];
  readonly steps: readonly Step[];
  readonly results: readonly string[];
}

/** gpu.js counts elements in float32 here and there: beyond this, indices go wrong without a word. */
export const MAX_ELEMENTS = 2 ** 24;

/** The largest array that a program touches. */
export const largestArray = ({ inputs, steps }: Program): number =>
  [...inputs, ...steps].reduce((most, { length }) => Math.max(most, length), 0);
