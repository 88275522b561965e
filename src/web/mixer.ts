import { add, delay, mul, sub } from '../ops/index.ts';
import type { Model } from '../signal/index.ts';
import { smooth } from './smooth.ts';

/**
 * Crosses over between what came in and what a model made of it, for `bypass`: both at the same time, whatever the
 * model's latency is.
 *
 *     output[k] = dry[k − latency] + g[k] (wet[k] − dry[k − latency]),   g = smooth(mix)
 *
 * @param latency frames by which `wet` lags `dry`.
 */
export const mixer = (latency: number): Model => ({
  name: 'mixer',
  inputs: { dry: [1], wet: [1], mix: [1] },
  build(_trace, { dry, wet, mix }) {
    const late = latency === 0 ? dry! : delay(dry!, latency);
    return { output: add(late, mul(smooth(mix!, { initial: 1 }), sub(wet!, late))) };
  },
});
