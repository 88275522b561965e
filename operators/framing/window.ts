import { ArgumentError } from '../../src/errors.ts';

/**
 * Weights of the samples of a frame, n = 0 … size − 1, by name or as they are:
 *
 * | name | weight |
 * | --- | --- |
 * | `rectangular` | 1 |
 * | `hann` | sin²(π (n + ½) / size) |
 * | `sine` | sin(π (n + ½) / size): the root of `hann`, for use on both sides of a change |
 *
 * Sampled at half steps, so that no weight is zero and the first and last samples of a signal, which lie in one
 * frame only, can be had back (the periodic Hann window loses sample 0).
 */
export type Window = 'rectangular' | 'hann' | 'sine' | ArrayLike<number>;

/** The weights of a window of `size` samples. */
export function windowWeights(where: string, window: Window, size: number): Float64Array {
  if (typeof window !== 'string') {
    if (window.length !== size || !Array.from(window).every(Number.isFinite)) {
      throw new ArgumentError(
        `${where}: a window of ${window.length} weights for frames of ${size}; give ${size} finite numbers`,
      );
    }
    return Float64Array.from(window);
  }
  const sine = (n: number): number => Math.sin((Math.PI * (n + 0.5)) / size);
  switch (window) {
    case 'rectangular':
      return new Float64Array(size).fill(1);
    case 'hann':
      return Float64Array.from({ length: size }, (_, n) => sine(n) ** 2);
    case 'sine':
      return Float64Array.from({ length: size }, (_, n) => sine(n));
    default:
      throw new ArgumentError(
        `${where}: no window is called '${String(window)}'; choose rectangular, hann or sine, or give weights`,
      );
  }
}
