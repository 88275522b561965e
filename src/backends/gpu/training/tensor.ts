/**
 * Arrays on the device and how kernels name their elements.
 *
 * | symbol | name | dims |
 * | --- | --- | --- |
 * | constant | depends on parameters alone | [n] |
 * | signal | a frame of `width` numbers at each frame of each item | [width, frames, items] |
 *
 * gpu.js takes an element of three dimensions as `a[z][y][x]` and works its place out in whole numbers, so that
 * only each coordinate, and not the array, has to stay below 2^24.
 */
export type Dims = readonly [number] | readonly [width: number, frames: number, items: number];

export interface Tensor {
  readonly id: number;
  readonly dims: Dims;
  /** Of one that is no array: its element as text, worked out wherever it is read. */
  readonly expression?: Expression;
}

export interface Expression {
  readonly label: string;
  /** Arrays that the text reads, by name. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** The thread's element. */
  readonly text: string;
}

/** Coordinates of the thread, which gives one element of its kernel's output. */
export const X = 'this.thread.x';
export const Y = 'this.thread.y';
export const Z = 'this.thread.z';

/** Numbers in a frame, or in a constant. */
export const widthOf = ({ dims }: Tensor): number => dims[0];

export const isSignal = ({ dims }: Tensor): boolean => dims.length === 3;

export const lengthOf = (dims: Dims): number => dims.reduce((product, extent) => product * extent, 1);

/**
 * Text of element `index` of a tensor; of a signal at the thread's own frame unless told otherwise. A signal of one frame
 * holds for all: a mask that is drawn once for a sequence.
 */
export function at(name: string, tensor: Tensor, index: string, frame = Y, item = Z): string {
  if (!isSignal(tensor)) return `${name}[${index}]`;
  return `${name}[${item}][${tensor.dims[1] === 1 ? '0' : frame}][${index}]`;
}
