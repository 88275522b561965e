import { random } from '../../src/init/index.ts';
import { initialise } from '../../src/layers/index.ts';
import type { Model } from '../../src/signal/index.ts';

/**
 * Fresh parameters, each moved by a normal number: what begins at 0 (and would hide all that stands behind it) takes
 * part, and what begins at one number everywhere differs from element to element.
 */
export function stirred(model: Model, seed: number, by = 0.3): Map<string, Float64Array> {
  const source = random(seed + 1000);
  return new Map(
    [...initialise(model, seed)].map(([name, values]) => [
      name,
      values.map((value) => value + by * source.normal()),
    ]),
  );
}
