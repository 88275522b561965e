import type { Model } from '../../src/signal/index.ts';
import { random } from '../../src/init/index.ts';
import type { Parameters } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';

/**
 * The look-ahead of a model of one channel, found out from outside: each input frame of a period is changed in turn,
 * and the first output frame that changes says how far ahead that one has looked.
 *
 * @param period input frames after which the model repeats itself: the product of its strides.
 * @param most more than the look-ahead.
 */
export function measuredLatency(
  model: Model,
  parameters: Parameters,
  { period, most }: { period: number; most: number },
): number {
  const source = random(8);
  const input = Float64Array.from({ length: most + 2 * period }, () => source.normal());
  const run = (data: Float64Array): Float64Array => evaluate(model, parameters, { input: data })['output']!;
  const before = run(input);
  let latency = 0;
  for (let j = most; j < most + period; j++) {
    const changed = input.slice();
    changed[j]! += 1;
    const first = run(changed).findIndex((value, k) => value !== before[k]);
    if (first >= 0) latency = Math.max(latency, j - first);
  }
  return latency;
}
