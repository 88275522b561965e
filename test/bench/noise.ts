import { random } from '../../src/init/index.ts';

/** Uniform in ±1. */
export function noise(length: number, seed = 1): Float32Array {
  const source = random(seed);
  return Float32Array.from({ length }, () => source.uniform(-1, 1));
}
